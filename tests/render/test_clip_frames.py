"""Portraits show the whole body, from the front, on white, wherever it is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionclip.body import Body, default_body, load_smpl
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion, turn
from motionclip.motion import rotations as rot
from motionclip.render import render_clip_frames


def posing(frames: int = 4, seed: int = 0) -> Motion:
    """Random poses, a different one in each frame, around the origin."""
    generator = torch.Generator().manual_seed(seed)
    turns = 0.5 * torch.randn(frames, 24, 3, generator=generator)
    turns[:, 0] *= 0.5
    return Motion(rot.rotvec_to_matrix(turns), torch.tensor([[0.0, 0.9, 0.0]]).repeat(frames, 1), 30.0, CANONICAL)


def same_image(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Whether two images of one pose differ by no more than how another shape of the arrays rounds."""
    return bool((np.abs(a.astype(int) - b.astype(int)) > 2).mean() < 0.001)


def rolled(rotvec: tuple[float, float, float]) -> Motion:
    """The rest pose, turned about the pelvis."""
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[:, 0] = rot.rotvec_to_matrix(torch.tensor([rotvec]))
    return Motion(rotations, torch.zeros(1, 3), 30.0, CANONICAL)


STANDING, LYING, HANDSTAND, CARTWHEEL = (0.0, 0.0, 0.0), (-math.pi / 2, 0.0, 0.0), (math.pi, 0.0, 0.0), (0.0, 0.0, 1.7)


def drawn(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (picture < 250).any(-1)


def check_framed(picture: NDArray[np.uint8]) -> None:
    """White at the border, and the body's larger side nearly as long as the picture's."""
    size = len(picture)
    border = np.concatenate([picture[:3], picture[-3:], picture[:, :3].swapaxes(0, 1), picture[:, -3:].swapaxes(0, 1)])
    assert (border == 255).all()
    rows, columns = np.nonzero(drawn(picture))
    sides = np.ptp(rows), np.ptp(columns)
    assert 0.84 * size < max(sides) < 0.96 * size
    assert drawn(picture).mean() > 0.05
    assert abs(rows.min() + rows.max() - size) < 0.1 * size
    assert abs(columns.min() + columns.max() - size) < 0.1 * size


@pytest.mark.parametrize("pose", [STANDING, LYING, HANDSTAND, CARTWHEEL])
def test_the_whole_body_is_framed(pose: tuple[float, float, float]) -> None:
    check_framed(render_clip_frames(rolled(pose), [0])[0])


def test_random_poses_are_framed_in_grey() -> None:
    pictures = render_clip_frames(posing(6), range(6), size=160)
    assert pictures.shape == (6, 160, 160, 3) and pictures.dtype == np.uint8
    for picture in pictures:
        check_framed(picture)
    assert (pictures == pictures[..., :1]).all()


def test_a_picture_depends_on_its_own_frame_alone() -> None:
    motion = posing(16)
    together = render_clip_frames(motion, [*range(16), 2])
    for frame in range(16):
        assert same_image(render_clip_frames(motion, [frame])[0], together[frame])
    assert same_image(together[16], together[2])
    assert same_image(render_clip_frames(motion.frames(2, 3), [0])[0], together[2])
    assert not same_image(together[0], together[1])


def test_where_the_body_is_does_not_matter() -> None:
    motion = posing()
    far = Motion(motion.rotations, motion.root + torch.tensor([812.3, 4.0, -77.7]), motion.fps, CANONICAL)
    assert same_image(render_clip_frames(motion, [1]), render_clip_frames(far, [1]))


def test_which_way_it_faces_does_not_matter() -> None:
    motion = posing()
    there, turned = (
        render_clip_frames(motion, [1]).astype(int),
        render_clip_frames(turn(motion, torch.tensor(2.0)), [1]).astype(int),
    )
    assert (np.abs(there - turned) > 8).mean() < 0.002


@pytest.mark.parametrize("pose", [STANDING, (0.0, 2.5, 0.0), HANDSTAND, CARTWHEEL])
def test_the_front_is_seen(pose: tuple[float, float, float]) -> None:
    """A body of one sheet that only its front shows: the rasteriser leaves out what is seen from behind."""
    corners = torch.tensor([[-0.3, -0.5, 0.1], [0.3, -0.5, 0.1], [0.3, 0.5, 0.1], [-0.3, 0.5, 0.1]])
    weights = torch.eye(24)[:1].repeat(4, 1)
    front, back = torch.tensor([[0, 1, 2], [0, 2, 3]]), torch.tensor([[0, 2, 1], [0, 3, 2]])
    assert drawn(render_clip_frames(rolled(pose), [0], body=Body(corners, weights, front, CANONICAL))[0]).mean() > 0.2
    assert not drawn(render_clip_frames(rolled(pose), [0], body=Body(corners, weights, back, CANONICAL))[0]).any()


def test_an_smpl_body_is_drawn_like_the_default_one(tmp_path: Path) -> None:
    """A file in SMPL's layout with the default body in it, a fifth larger; its joints are vertices too."""
    body, joints = default_body(), CANONICAL.rest_positions
    np.savez(
        tmp_path / "smpl.npz",
        v_template=1.2 * torch.cat([joints, body.vertices]).numpy(),
        weights=torch.cat([torch.eye(24), body.weights]).numpy(),
        f=body.faces.numpy().astype(np.uint32) + 24,
        J_regressor=np.eye(24, 24 + body.num_vertices),
        kintree_table=np.stack([np.array([-1, *CANONICAL.parents[1:]]), np.arange(24)]),
    )
    motion = posing()
    ours, theirs = (
        render_clip_frames(motion, [1], body=b).astype(int) for b in (body, load_smpl(tmp_path / "smpl.npz"))
    )
    assert (np.abs(ours - theirs) > 8).mean() < 0.005
    check_framed(theirs[0])


def test_frames_that_are_not_there_are_refused() -> None:
    assert render_clip_frames(posing(), []).shape == (0, 224, 224, 3)
    for frame in (4, -1):
        with pytest.raises(MotionError, match=f"frame {frame} of a motion of 4"):
            render_clip_frames(posing(), [0, frame])
    with pytest.raises(MotionError, match="0 x 0"):
        render_clip_frames(posing(), [0], size=0)
