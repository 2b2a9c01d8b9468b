"""Skeleton and Motion refuse what is not a body, and the canonical skeleton is a person in T-pose."""

import pytest
import torch
from motions import smooth_motion

from motionclip.errors import MotionError, SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT


def test_canonical_is_a_symmetric_t_pose_of_a_person() -> None:
    rest = CANONICAL.rest_positions
    flipped = rest[list(CANONICAL.swapped_sides)] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(flipped, rest)
    head_top = rest[CANONICAL.index("head"), 1] + dict(CANONICAL.end_sites)[CANONICAL.index("head")][1]
    sole = rest[CANONICAL.index("left_ankle"), 1] - ANKLE_HEIGHT
    assert head_top - sole == pytest.approx(1.7, abs=0.03)
    assert sole == pytest.approx(float(rest[CANONICAL.index("left_foot"), 1]) - FOOT_HEIGHT, abs=1e-6)
    assert rest[CANONICAL.index("left_wrist"), 0] > 0.5
    assert rest[CANONICAL.index("left_foot"), 2] > rest[CANONICAL.index("left_ankle"), 2]


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "words"),
    [
        ((), (), torch.zeros(0, 3), "no joints"),
        (("a", "a"), (-1, 0), torch.zeros(2, 3), "occur twice: a"),
        (("a", "b"), (-1, 0), torch.zeros(3, 3), "offsets of shape"),
        (("a", "b"), (-1, -1), torch.zeros(2, 3), "'b' has parent index -1"),
        (("a", "b", "c"), (-1, 2, 1), torch.zeros(3, 3), "'b' has parent index 2"),
        (("a",), (-1,), torch.full((1, 3), float("nan")), "NaN"),
    ],
)
def test_a_skeleton_that_is_no_tree_is_refused(
    names: tuple[str, ...], parents: tuple[int, ...], offsets: torch.Tensor, words: str
) -> None:
    with pytest.raises(SkeletonError, match=words):
        Skeleton(names, parents, offsets)


def test_an_unknown_joint_is_named() -> None:
    with pytest.raises(SkeletonError, match="tail"):
        CANONICAL.index("tail")


def test_levels_put_parents_before_children() -> None:
    depth = {joint: level for level, joints in enumerate(CANONICAL.levels) for joint in joints}
    assert all(depth[joint] == depth[parent] + 1 for joint, parent in enumerate(CANONICAL.parents) if parent >= 0)
    assert len(depth) == CANONICAL.num_joints


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_motion_with_nonfinite_numbers_is_refused(bad: float) -> None:
    motion = smooth_motion(3)
    root = motion.root.clone()
    root[1, 2] = bad
    with pytest.raises(MotionError, match="NaN or infinity"):
        Motion(motion.rotations, root, 30.0, CANONICAL)


def test_a_motion_of_wrong_shape_length_or_rate_is_refused() -> None:
    motion = smooth_motion(3)
    with pytest.raises(MotionError, match="no frames"):
        Motion(motion.rotations[:0], motion.root[:0], 30.0, CANONICAL)
    with pytest.raises(MotionError, match="expected"):
        Motion(motion.rotations[:, :5], motion.root, 30.0, CANONICAL)
    with pytest.raises(MotionError, match="frame rate of 0"):
        Motion(motion.rotations, motion.root, 0.0, CANONICAL)
    with pytest.raises(MotionError, match="expected a span inside"):
        motion.frames(1, 4)
