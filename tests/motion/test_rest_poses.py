"""A rest pose that is none of a body that stands does not matter: joint positions tell what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from motions import smooth_motion

from motionclip.errors import SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton, local_rotations
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import find_humanoid, fit_positions, rest_pose_is_used, retarget, retarget_report
from motionclip.motion.retarget.orientation import body_frames, mean_rotation

WILD = smooth_motion()
MILD = replace(WILD, rotations=rot.rotvec_to_matrix(0.3 * rot.matrix_to_rotvec(WILD.rotations)))
STANDING = Motion(torch.eye(3).repeat(20, 24, 1, 1), torch.tensor([[0.0, 0.947, 0.0]]).repeat(20, 1), 30.0, CANONICAL)
RANDOM = rot.rotvec_to_matrix(2 * torch.randn(24, 3, generator=torch.Generator().manual_seed(0)))


def dressed(motion: Motion, turns: torch.Tensor) -> Motion:
    """The same movement on a skeleton whose rest pose has every joint (24, 3, 3) turned, and so every bone."""
    carriers = turns[[max(parent, 0) for parent in CANONICAL.parents]]
    offsets = (carriers.mT @ CANONICAL.offsets[..., None])[..., 0]
    skeleton = Skeleton(CANONICAL.names, CANONICAL.parents, offsets)
    return Motion(local_rotations(motion.world[0] @ turns, skeleton), motion.root, motion.fps, skeleton)


def about(axis: int, degrees: float) -> torch.Tensor:
    return rot.rotvec_to_matrix(torch.deg2rad(torch.tensor(degrees)) * torch.eye(3)[axis])


@pytest.mark.parametrize("motion", [MILD, MILD.frames(4, 5), STANDING], ids=["moving", "one frame", "straight limbs"])
def test_orientations_come_from_positions(motion: Motion) -> None:
    source = dressed(motion, RANDOM)
    assert not rest_pose_is_used(find_humanoid(source.skeleton))
    found = retarget(source)
    report = retarget_report(source, found)
    assert report.limb_max < 0.1 and report.trunk_max < 2.0 and report.heading_max < 2.0 and report.flips == 0
    assert rot.geodesic_angle(found.world[0], motion.world[0]).median() < 0.1


def test_a_frame_of_a_walk_is_no_rest_pose() -> None:
    turns = torch.eye(3).repeat(24, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[CANONICAL.indices([f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot")])] = about(
            0, sign * 20
        )
    assert rest_pose_is_used(find_humanoid(CANONICAL))
    assert not rest_pose_is_used(find_humanoid(dressed(STANDING, turns).skeleton))


def test_soles_are_flat_where_feet_are_planted() -> None:
    """Though the source's ankles lie higher over its toes than ours."""
    skeleton = dressed(STANDING, RANDOM).skeleton
    offsets = skeleton.offsets.clone()
    for side in ("left", "right"):
        foot = CANONICAL.index(f"{side}_foot")
        offsets[foot] = RANDOM[CANONICAL.parents[foot]].mT @ torch.tensor([0.0, -0.10, 0.13])
    other = replace(skeleton, offsets=offsets)
    found = retarget(replace(dressed(STANDING, RANDOM), skeleton=other))
    for joint in ("left_ankle", "right_ankle", "left_foot", "right_foot"):
        assert found.world[0][:, CANONICAL.index(joint), 1, 1].min() > 0.999


def test_positions_alone_make_a_motion() -> None:
    found = fit_positions(MILD.positions, CANONICAL.names, MILD.fps)
    limbs = [joint for joint, name in enumerate(CANONICAL.names) if name.split("_")[-1] in ("knee", "ankle", "elbow")]
    ours, theirs = ((motion.positions - motion.positions[:, :1])[:, limbs] for motion in (found, MILD))
    assert (ours - theirs).norm(dim=-1).max() < 0.03
    with pytest.raises(SkeletonError, match="without head"):
        fit_positions(MILD.positions[:, :15], CANONICAL.names[:15], 30.0)


def test_legs_without_length_are_refused() -> None:
    nothing = Skeleton(CANONICAL.names, CANONICAL.parents, torch.zeros(24, 3))
    with pytest.raises(SkeletonError, match="no length"):
        retarget(replace(STANDING, skeleton=nothing))
    with pytest.raises(SkeletonError, match="no length"):
        fit_positions(torch.zeros(3, 24, 3), CANONICAL.names, 30.0)


def test_frames_of_the_t_pose_are_unturned_and_straight_limbs_are_unsure() -> None:
    frames, weights = body_frames(STANDING.positions, {name: joint for joint, name in enumerate(CANONICAL.names)})
    for name, rotations in frames.items():
        torch.testing.assert_close(rotations, torch.eye(3).expand_as(rotations), atol=1e-3, rtol=0, msg=name)
    assert weights["left_elbow"].max() < 0.1 < weights["pelvis"].min()


def test_a_mean_rotation_leans_to_where_the_weights_are() -> None:
    rotations = torch.stack([about(1, 0), about(1, 40)])
    torch.testing.assert_close(mean_rotation(rotations, torch.ones(2)), about(1, 20), atol=1e-5, rtol=0)
    torch.testing.assert_close(mean_rotation(rotations, torch.tensor([1.0, 0.0])), about(1, 0), atol=1e-5, rtol=0)
