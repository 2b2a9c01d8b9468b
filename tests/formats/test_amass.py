"""AMASS layouts, read and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from motionclip.errors import FormatError
from motionclip.formats.amass import Layout, read_amass, write_amass
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot

WIDTHS = {"smpl": 72, "smplh": 156, "smplx": 165}
UPRIGHT = [np.pi / 2, 0.0, 0.0]  # a model that stands up along z: the y of its rest pose turned to z


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def random_motion(hands: bool) -> Motion:
    generator = torch.Generator().manual_seed(3)
    turns = 0.5 * torch.randn(5, 24, 3, generator=generator)
    if not hands:
        turns[:, 22:] = 0
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(5, 3, generator=generator), 120.0, CANONICAL)


def test_standing_person_in_z_up_stands_in_y_up(tmp_path: Path) -> None:
    poses = np.zeros((2, 156))
    poses[:, :3] = UPRIGHT
    path = save(tmp_path / "a.npz", poses=poses, trans=[[1.0, 2.0, 0.9], [1.0, 1.0, 0.9]], mocap_framerate=60.0)
    motion = read_amass(path)
    assert motion.fps == 60.0
    assert torch.allclose(motion.root, torch.tensor([[1.0, 0.9, -2.0], [1.0, 0.9, -1.0]]))
    assert torch.allclose(motion.rotations, torch.eye(3).expand(2, 24, 3, 3), atol=1e-6)
    assert motion.positions[0, CANONICAL.index("head"), 1] > 1.3
    # this one walks towards -y, which is where an upright model of SMPL faces: +z of ours
    assert motion.root[1, 2] > motion.root[0, 2]


@pytest.mark.parametrize("kept", [66, 72, 156])
def test_poses_may_be_three_numbers_for_each_joint_and_the_rate_in_brackets(tmp_path: Path, kept: int) -> None:
    write_amass(random_motion(hands=False), tmp_path / "a.npz", layout="smplh")
    stored = dict(np.load(tmp_path / "a.npz"))
    stored["poses"], stored["mocap_framerate"] = stored["poses"][:, :kept], np.array([120.0])
    flat = read_motion(save(tmp_path / "flat.npz", **stored))
    stored["poses"] = stored["poses"].reshape(5, -1, 3)
    for found in (flat, read_motion(save(tmp_path / "joints.npz", **stored))):
        assert found.fps == 120.0
        assert (found.positions - random_motion(hands=False).positions).abs().max() < 1e-5


def test_poses_without_a_path_are_told_to_lack_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", poses=np.zeros((2, 72)), betas=np.zeros(10), mocap_framerate=30.0)
    with pytest.raises(FormatError, match=r"it has betas, mocap_framerate, poses; expected poses or .*, trans"):
        read_motion(path)


def test_pelvis_of_the_model_is_added_in_its_axes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", poses=np.zeros((1, 72)), trans=np.zeros((1, 3)), mocap_framerate=30)
    assert torch.allclose(read_amass(path, pelvis=(0.1, -0.2, 0.3)).root, torch.tensor([[0.1, 0.3, 0.2]]))


@pytest.mark.parametrize("layout", ["smpl", "smplh", "smplx"])
def test_round_trip(tmp_path: Path, layout: Layout) -> None:
    motion = random_motion(hands=layout == "smpl")
    write_amass(motion, tmp_path / "a.npz", layout=layout, pelvis=(0.0, -0.2, 0.0))
    again = read_amass(tmp_path / "a.npz", pelvis=(0.0, -0.2, 0.0))
    assert again.fps == 120.0
    assert (again.positions - motion.positions).abs().max() < 1e-5
    assert rot.geodesic_angle(again.rotations, motion.rotations).max() < 1e-3
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["poses"].shape == (5, WIDTHS[layout])
        assert archive["betas"].shape == (16,)
        assert str(archive["gender"]) == "neutral"


def test_written_file_is_z_up_and_hands_are_left_out_where_there_are_fingers(tmp_path: Path) -> None:
    write_motion(random_motion(hands=True), tmp_path / "a.amass.npz")
    with np.load(tmp_path / "a.amass.npz") as archive:
        assert np.allclose(archive["trans"][:, 2], random_motion(hands=True).root[:, 1])
        assert float(archive["mocap_framerate"]) == 120.0
        assert not archive["poses"][:, 66:].any()
    again = read_motion(tmp_path / "a.amass.npz")
    assert torch.allclose(again.rotations[:, 22:], torch.eye(3).expand(5, 2, 3, 3))


def test_newer_files_split_the_pose_and_spell_the_rate_otherwise(tmp_path: Path) -> None:
    motion = random_motion(hands=False)
    write_amass(motion, tmp_path / "a.npz", layout="smplx")
    with np.load(tmp_path / "a.npz") as archive:
        parts = {name: archive[name] for name in archive.files if name != "poses"}
        whole = np.concatenate(
            [parts[f"{n}"] for n in ("root_orient", "pose_body", "pose_jaw", "pose_eye", "pose_hand")], 1
        )
        assert np.array_equal(whole, archive["poses"])
    assert "mocap_frame_rate" in parts
    assert "mocap_framerate" not in parts
    again = read_motion(save(tmp_path / "b.npz", **parts))
    assert (again.positions - motion.positions).abs().max() < 1e-5


def test_another_skeleton_is_retargeted_first_or_refused(tmp_path: Path) -> None:
    skeleton = Skeleton(("a", "b"), (-1, 0), torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    motion = Motion(torch.eye(3).expand(2, 2, 3, 3), torch.zeros(2, 3), 30.0, skeleton)
    with pytest.raises(Exception, match="not recognised as a human body"):
        write_amass(motion, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"poses": np.zeros((2, 100))}, "100 numbers a frame"),
        ({"poses": np.zeros((2, 52, 4))}, "shape (2, 52, 4)"),
        ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, "no frames"),
        ({"poses": np.full((2, 156), np.inf)}, "NaN or infinity"),
        ({"trans": np.zeros((3, 3))}, "shape (3, 3); expected (2, 3)"),
        ({"mocap_framerate": None}, "the rate given: --source-fps 30"),
        ({"mocap_framerate": 0.0}, "a frame rate of 0"),
        ({"mocap_framerate": "fast"}, "numbers"),
        ({"poses": None, "root_orient": np.zeros((2, 3))}, "no array 'pose_body'"),
        ({"poses": None, "root_orient": np.zeros((2, 3)), "pose_body": np.zeros((2, 60))}, "(T, 63)"),
        ({"poses": None, "root_orient": np.zeros((1, 3)), "pose_body": np.zeros((2, 63))}, "(T, 63)"),
        ({"poses": np.array([None, None])}, "holds object"),
        ({"poses": None}, "neither this package's archive nor SMPL parameters"),
    ],
)
def test_damaged_files(tmp_path: Path, arrays: dict[str, object], says: str) -> None:
    good: dict[str, object] = {"poses": np.zeros((2, 156)), "trans": np.zeros((2, 3)), "mocap_framerate": 120.0}
    path = save(tmp_path / "a.npz", **{name: array for name, array in (good | arrays).items() if array is not None})
    with pytest.raises(FormatError) as caught:
        read_motion(path)
    assert says in str(caught.value)
    assert caught.value.path == path


def test_objects_that_are_not_needed_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    extra = np.array([{"pickled": 1}], dtype=object)
    save(path, poses=np.zeros((2, 156)), trans=np.zeros((2, 3)), mocap_framerate=120.0, marker_labels=extra)
    assert read_motion(path).num_frames == 2
    assert read_amass(path, fps=20.0).fps == 20.0


def test_files_with_y_up_are_known_by_how_the_body_stands(tmp_path: Path) -> None:
    """With trans at leg height along Y and no turn, the body stands along Y; along Z it would lie in the air."""
    upright = {"poses": np.zeros((9, 156)), "trans": np.tile([0.3, 0.95, 2.0], (9, 1)), "mocap_framerate": 30.0}
    motion = read_motion(save(tmp_path / "y_up.npz", **upright))
    assert torch.allclose(motion.root[0], torch.tensor([0.3, 0.95, 2.0]))
    assert torch.allclose(motion.rotations[0, 0], torch.eye(3))
    lying = upright | {"trans": np.tile([0.3, 0.95, 0.1], (9, 1)) * [1, 0, 1]}
    assert read_motion(save(tmp_path / "lies.npz", **lying)).root[0, 1] == pytest.approx(0.1)
    assert read_amass(tmp_path / "lies.npz", up="+y").root[0, 1] == pytest.approx(0.0)


def test_the_shape_of_a_body_is_no_motion(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="AMASS stagei"):
        read_motion(save(tmp_path / "male_stagei.npz", betas=np.zeros(16), gender="male"))
