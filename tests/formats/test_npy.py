"""Files of numpy as data sets and generators write them: dictionaries of results, and parameters in one array."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from corpus import swaying

from motionclip.cli.main import main
from motionclip.errors import FormatError
from motionclip.io import animations, read_motion, takes
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget.report import limb_directions

FRAMES = 8


def results(**changes: Any) -> dict[str, Any]:
    """What MDM writes of three motions, the second of which is shorter: the same sway, ever larger."""
    points = swaying(FRAMES).positions[:, :22].numpy()
    motion = np.stack([points.transpose(1, 2, 0) * size for size in (1.0, 1.1, 1.2)])
    found = {
        "motion": motion.astype(np.float32),
        "text": ["a person sways", "someone  sways\nagain", "a person sways"],
        "lengths": np.array([FRAMES, 5, FRAMES]),
        "num_samples": 3,
        "num_repetitions": 1,
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def saved(folder: Path, stored: Any, name: str = "results.npy") -> Path:
    np.save(folder / name, stored)
    return folder / name


def same_pose(found: Motion, wanted: Motion) -> bool:
    joints = {name: joint for joint, name in enumerate(wanted.skeleton.names)}
    ours, theirs = (limb_directions(each.positions[: found.num_frames], joints) for each in (found, wanted))
    return bool(torch.cosine_similarity(ours, theirs, dim=-1).min() > 0.9999)


def test_one_of_several_results_is_named_by_its_number_or_its_text(tmp_path: Path) -> None:
    path = saved(tmp_path, results())
    assert takes(path) == ["a person sways", "someone sways again", "a person sways"]
    assert list(animations(path)) == ["1", "someone sways again", "3"]
    for take, frames in (("3", FRAMES), ("2", 5), ("someone sways again", 5)):
        found = read_motion(f"{path}#{take}")
        assert (found.num_frames, found.fps) == (frames, 20.0)
        assert same_pose(found, swaying(FRAMES))
    with pytest.raises(FormatError, match=r"it has 3 animations; expected one of them named behind it"):
        read_motion(path)
    with pytest.raises(FormatError, match="no animation called '4'"):
        read_motion(f"{path}#4")


def test_results_without_texts_are_numbered_and_a_single_one_needs_no_name(tmp_path: Path) -> None:
    assert takes(saved(tmp_path, results(text=None))) == ["1", "2", "3"]
    assert takes(saved(tmp_path, results(text=["one", 2, None]))) == ["1", "2", "3"]
    alone = {name: value[:1] for name, value in results().items() if name in ("motion", "text", "lengths")}
    assert read_motion(saved(tmp_path, alone), fps=10).fps == 10.0


def test_the_command_line_takes_each_result(tmp_path: Path) -> None:
    path = saved(tmp_path, results())
    assert main(["convert", str(path), "--out", str(tmp_path / "out"), "--formats", "bvh"]) == 0
    assert len(list((tmp_path / "out").rglob("*.bvh"))) == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"motion": np.zeros((2, 21, 3, 8))}, r"shape \(2, 21, 3, 8\); expected \(N, 22 or 24, 3, T\)"),
        ({"motion": np.zeros((3, 263, 1, 8))}, r"'motion' has shape \(3, 263, 1, 8\)"),
        ({"motion": None}, "it holds lengths, num_repetitions, num_samples, text; expected results of MDM"),
        ({"lengths": np.array([8, 9, 8])}, "lengths from 8 to 9; expected numbers of frames from 1 to 8"),
        ({"lengths": np.array([8, 8])}, r"'lengths' has shape \(2,\)"),
    ],
)
def test_other_dictionaries_are_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        read_motion(f"{saved(tmp_path, results(**changes))}#1")


class Caller:
    """What a pickle of evil makes: a file, if anything is run."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_nothing_that_a_dictionary_asks_for_is_run(tmp_path: Path) -> None:
    path = saved(tmp_path, results(text=Caller(tmp_path / "touched")))
    with pytest.raises(FormatError, match="which no array needs"):
        read_motion(f"{path}#1")
    assert not (tmp_path / "touched").exists()
    assert pickle.dumps(Caller(tmp_path / "touched"))  # it would be made


@pytest.mark.parametrize("stored", [np.array([{"motion": 1}], dtype=object), np.array("x", dtype=object)])
def test_objects_that_are_no_dictionary_are_refused(tmp_path: Path, stored: np.ndarray) -> None:
    with pytest.raises(FormatError, match=r"it holds (ndarray|str)"):
        read_motion(saved(tmp_path, stored))


def test_an_array_has_no_animation_of_a_name(tmp_path: Path) -> None:
    path = saved(tmp_path, swaying().positions[:, :22].numpy(), "joints.npy")
    assert takes(path) == []
    with pytest.raises(FormatError, match="no motion called '2', for it is one array"):
        read_motion(f"{path}#2")


@pytest.mark.parametrize("up", ["+y", "+z"])
def test_motion_x(tmp_path: Path, up: str) -> None:
    """322 numbers: pelvis, body, hands, jaw, face, shape of the face, translation, shape; 30 frames per second."""
    motion = swaying()
    basis = torch.eye(3) if up == "+y" else torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    turns = motion.rotations.clone()
    turns[:, 0] = basis @ turns[:, 0]
    table = np.full((FRAMES, 322), 0.7)
    table[:, :66] = rot.matrix_to_rotvec(turns)[:, :22].reshape(FRAMES, 66).numpy()
    table[:, 309:312] = (motion.root @ basis.T).numpy()
    with pytest.warns(UserWarning, match=r"30 frames/s \(assumed"):
        found = read_motion(saved(tmp_path, table))
    torch.testing.assert_close(found.positions[:, :22], motion.positions[:, :22], atol=1e-5, rtol=0)
    told = read_motion(saved(tmp_path, table), fps=60, up=up)
    assert told.fps == 60.0 and torch.equal(told.positions, found.positions)


@pytest.mark.parametrize("width", [69, 72, 78, 87])
@pytest.mark.parametrize("suffix", [".npz", ".pkl", ".npy"])
def test_easymocap(tmp_path: Path, suffix: str, width: int) -> None:
    """The body is posed about the model's origin, which lies over its pelvis, then turned by Rh and moved by Th."""
    motion = swaying()
    vectors = rot.matrix_to_rotvec(motion.rotations).numpy()
    poses = np.zeros((FRAMES, width))
    start = 0 if width == 69 else 3
    poses[:, start : start + 63] = vectors[:, 1:22].reshape(FRAMES, 63)
    pelvis = torch.tensor([0.0, -0.22, 0.03])
    stored = {"poses": poses, "Rh": vectors[:, 0], "Th": (motion.root - motion.rotations[:, 0] @ pelvis).numpy()}
    path = tmp_path / f"body{suffix}"
    if suffix == ".npz":
        np.savez(path, **stored)
    elif suffix == ".pkl":
        path.write_bytes(pickle.dumps(stored))
    else:
        np.save(path, stored)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_motion(path)
    torch.testing.assert_close(found.positions[:, :22], motion.positions[:, :22], atol=1e-5, rtol=0)


def test_an_axis_that_is_told_is_up_in_joint_positions(tmp_path: Path) -> None:
    """HumanML3D's are Y up; others save theirs in the same shape with Z up."""
    points = swaying().positions[:, :22].numpy()
    upright = read_motion(saved(tmp_path, points, "y.npy"))
    lying = np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
    told = read_motion(saved(tmp_path, lying, "z.npy"), up="z")
    assert same_pose(told, upright)
