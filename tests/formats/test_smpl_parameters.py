"""Files of SMPL parameters, with the names and shapes that other programs write; joint positions come back."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motionclip.errors import FormatError
from motionclip.formats.smpl_parameters import read_smpl_parameters
from motionclip.formats.soma import SOMA
from motionclip.io import read_motion, takes
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import find_humanoid

FRAMES = 7


def standing() -> Motion:
    """Small turns of all joints but the hands and the pelvis at leg height."""
    generator = torch.Generator().manual_seed(3)
    rotvecs = 0.3 * torch.randn(FRAMES, 24, 3, generator=generator)
    rotvecs[:, 22:] = 0.0
    root = torch.tensor([0.0, 0.95, 0.0]) + 0.05 * torch.randn(FRAMES, 3, generator=generator)
    return Motion(rot.rotvec_to_matrix(rotvecs), root, 30.0, CANONICAL)


def rotation_vectors(motion: Motion) -> np.ndarray:
    return rot.matrix_to_rotvec(motion.rotations).numpy()


def gvhmr(motion: Motion) -> dict[str, np.ndarray]:
    vectors = rotation_vectors(motion)
    return {
        "global_orient": vectors[:, 0],
        "body_pose": vectors[:, 1:22].reshape(FRAMES, 63),
        "transl": motion.root.numpy(),
        "betas": np.zeros((FRAMES, 10)),
    }


def matrices(motion: Motion) -> dict[str, np.ndarray]:
    turns = motion.rotations.numpy()
    return {"global_orient": turns[None, :, :1], "body_pose": turns[None, :, 1:], "transl": motion.root.numpy()[None]}


def hy_motion(motion: Motion) -> dict[str, np.ndarray]:
    turns = motion.rotations[:, :22].numpy()
    return {"rot6d": turns[..., :2].reshape(FRAMES, 22, 6), "transl": motion.root.numpy(), "keypoints3d": np.zeros(3)}


def kimodo(motion: Motion) -> dict[str, np.ndarray]:
    return {
        "local_rot_mats": motion.rotations[:, :22].numpy(),
        "posed_joints": motion.positions[:, :22].numpy(),
        "root_positions": motion.root.numpy(),
    }


def aist(motion: Motion) -> dict[str, np.ndarray]:
    vectors = rotation_vectors(motion).reshape(FRAMES, 72)
    scaling = np.array([93.8])
    return {"smpl_poses": vectors, "smpl_trans": motion.root.numpy() * scaling, "smpl_scaling": scaling}


def tram(motion: Motion) -> dict[str, np.ndarray]:
    return {"pred_rotmat": motion.rotations.numpy(), "pred_trans": motion.root.numpy()[:, None]}


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
@pytest.mark.parametrize(
    ("layout", "fps"),
    [
        (aist, 60.0),
        (tram, 30.0),
        (lambda motion: {"pose": rotation_vectors(motion).reshape(FRAMES, 72), "transl": motion.root.numpy()}, 30.0),
        (lambda motion: {"thetas": rotation_vectors(motion), "trans": motion.root.numpy()}, 30.0),
    ],
    ids=["AIST++", "TRAM", "pose", "thetas"],
)
def test_all_rotations_in_one_array(tmp_path: Path, layout: Any, fps: float, suffix: str) -> None:
    path = tmp_path / f"all{suffix}"
    arrays = layout(standing())
    np.savez(path, **arrays) if suffix == ".npz" else path.write_bytes(pickle.dumps(arrays))
    with pytest.warns(UserWarning, match=f"{fps:g} frames/s \\(assumed"):
        motion = read_motion(path)
    assert torch.allclose(motion.positions[:, :22], standing().positions[:, :22], atol=1e-4)


@pytest.mark.parametrize("scaling", [[0.0], [np.nan], [1.0, 1.0]])
def test_a_scaling_that_is_none_is_refused(tmp_path: Path, scaling: list[float]) -> None:
    np.savez(tmp_path / "dance.npz", **aist(standing()) | {"smpl_scaling": np.array(scaling)})
    with pytest.raises(FormatError, match="smpl_scaling"):
        read_motion(tmp_path / "dance.npz")


@pytest.mark.parametrize("layout", [gvhmr, matrices, hy_motion, kimodo])
def test_arrays_of_other_programs(tmp_path: Path, layout: Any) -> None:
    path = tmp_path / "video.npz"
    np.savez(path, **layout(standing()))
    with pytest.warns(UserWarning, match=r"30 frames/s \(assumed"):
        motion = read_motion(path)
    assert motion.fps == 30.0
    assert torch.allclose(motion.positions[:, :22], standing().positions[:, :22], atol=1e-5)


def test_a_body_in_the_axes_of_a_camera_stands_up(tmp_path: Path) -> None:
    seen = standing()
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # Y down, Z away
    turned = seen.rotations.clone()
    turned[:, 0] = flip @ turned[:, 0]
    path = tmp_path / "camera.npz"
    np.savez(path, **gvhmr(Motion(turned, seen.root @ flip, 30.0, CANONICAL)))
    assert torch.allclose(read_motion(path).positions[:, :22], seen.positions[:, :22], atol=1e-5)


def test_kimodo_of_77_joints_has_names_and_proportions(tmp_path: Path) -> None:
    names = tuple(name for name, _ in SOMA[77])
    parents = tuple(-1 if up is None else names.index(up) for _, up in SOMA[77])
    generator = torch.Generator().manual_seed(5)
    skeleton = Skeleton(names, parents, 0.1 * torch.randn(77, 3, generator=generator))
    vectors = 0.3 * torch.randn(FRAMES, 77, 3, generator=generator)
    motion = Motion(rot.rotvec_to_matrix(vectors), torch.rand(FRAMES, 3, generator=generator), 30.0, skeleton)
    path = tmp_path / "kimodo.npz"
    np.savez(path, local_rot_mats=motion.rotations.numpy(), posed_joints=motion.positions.numpy())
    found = read_motion(path)
    assert torch.allclose(found.positions, motion.positions, atol=1e-5)
    assert find_humanoid(found.skeleton).names["left_hip"] == "LeftLeg"
    assert len(SOMA[30]) == 30


def test_the_pickle_of_wham_has_people_and_no_rate(tmp_path: Path) -> None:
    vectors = rotation_vectors(standing()).reshape(FRAMES, 72)
    people = defaultdict(dict)
    for person in (3, 8):
        people[person] = {"pose_world": vectors, "trans_world": standing().root.numpy(), "frame_ids": np.arange(FRAMES)}
    path = tmp_path / "wham_output.pkl"
    path.write_bytes(pickle.dumps(people))
    assert takes(path) == ["3", "8"]
    with pytest.raises(FormatError, match=r"as in wham_output\.pkl#3: 3, 8"):
        read_motion(path)
    with pytest.raises(FormatError, match="--source-fps"):
        read_motion(f"{path}#8")
    motion = read_smpl_parameters(path, take="8", fps=25.0)
    assert torch.allclose(motion.positions, standing().positions, atol=1e-5)


def test_images_of_phalp_become_a_motion_for_each_track(tmp_path: Path) -> None:
    turns = standing().rotations.numpy()
    frames = {
        f"{number:06d}.jpg": {
            "tid": [1],
            "smpl": [{"global_orient": turns[number, :1], "body_pose": turns[number, 1:], "betas": np.zeros(10)}],
            "camera": [standing().root[number].numpy()],
        }
        for number in range(FRAMES)
    }
    path = tmp_path / "demo.pkl"
    path.write_bytes(zlib.compress(pickle.dumps(frames)))
    assert torch.allclose(read_smpl_parameters(path, fps=25.0).positions, standing().positions, atol=1e-5)


class NumpyArrayWrapper:
    """Pickles like joblib's, and has the bytes of its array behind it."""

    __module__ = "joblib.numpy_pickle"

    def __init__(self, array: np.ndarray):
        self.subclass, self.shape, self.order, self.dtype = np.ndarray, array.shape, "C", array.dtype
        self.allow_mmap, self.numpy_array_alignment_bytes = True, 16


class _JoblibPickler(pickle._Pickler):
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, np.ndarray):
            return super().save(obj, save_persistent_id)
        super().save(NumpyArrayWrapper(obj))
        self._file_handle.write(b"\x10" + b"\xff" * 16 + obj.tobytes())
        return None

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if obj is not NumpyArrayWrapper:
            return super().save_global(obj, name)
        self.write(b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n")
        return None

    dispatch = pickle._Pickler.dispatch | {type: save_global}


def test_the_pickles_of_joblib(tmp_path: Path) -> None:
    path = tmp_path / "result.pkl"
    with path.open("wb") as file:
        pickler = _JoblibPickler(file, protocol=3)
        pickler._file_handle = file
        pickler.dump(gvhmr(standing()))
    assert torch.allclose(read_motion(path).positions, standing().positions, atol=1e-5)


def test_tensors_that_are_small_outside_and_large_inside_are_refused(tmp_path: Path) -> None:
    large = torch.zeros(1).expand(10**9, 63)
    torch.save({"global_orient": torch.zeros(4, 3), "body_pose": large}, tmp_path / "a.pt")
    with pytest.raises(FormatError, match="a tensor of shape"):
        read_motion(tmp_path / "a.pt")
    torch.save({"global_orient": torch.zeros(4, 3), "body_pose": torch.zeros(4, 63)}, tmp_path / "b.pt")
    with zipfile.ZipFile(tmp_path / "b.pt") as sound, zipfile.ZipFile(tmp_path / "c.pt", "w", 8) as packed:
        for name in sound.namelist():
            packed.writestr(name, sound.read(name))
    with pytest.raises(FormatError, match="compressed"):
        read_motion(tmp_path / "c.pt")


def test_tensors_of_gvhmr(tmp_path: Path) -> None:
    path = tmp_path / "hmr4d_results.pt"
    tensors = {name: torch.from_numpy(array) for name, array in gvhmr(standing()).items()}
    torch.save({"smpl_params_global": tensors, "smpl_params_incam": tensors, "K_fullimg": torch.eye(3)}, path)
    assert torch.allclose(read_motion(path).positions, standing().positions, atol=1e-5)


class _Runs:
    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("suffix", [".pkl", ".pt"])
def test_nothing_that_a_file_asks_for_is_run(tmp_path: Path, suffix: str) -> None:
    mark, path = tmp_path / "mark", tmp_path / f"bad{suffix}"
    bad = gvhmr(standing()) | {"betas": _Runs(mark)}
    path.write_bytes(pickle.dumps(bad)) if suffix == ".pkl" else torch.save(bad, path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_motion(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"global_orient": np.zeros((7, 4))}, "'global_orient' has shape"),
        ({"global_orient": np.zeros((6, 3))}, "6 and 7 frames of rotations"),
        ({"transl": np.zeros((5, 3))}, "7 frames of rotations and 5 of 'transl'"),
        ({"body_pose": np.zeros((7, 60))}, "rotations of 21 joints"),
        ({"body_pose": np.zeros((7, 21, 3, 3))}, "turn nothing"),
        ({"global_orient": np.full((7, 3), np.nan)}, "NaN"),
        ({"fps": 0.0}, "a frame rate of 0"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **(gvhmr(standing()) | arrays))
    with pytest.raises(FormatError, match=says):
        read_motion(path)


@pytest.mark.parametrize("layout", [hy_motion, kimodo])
def test_zeros_are_no_rotations(tmp_path: Path, layout: Any) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{name: np.zeros_like(array) for name, array in layout(standing()).items()})
    with pytest.raises(FormatError, match=r"zero or parallel|turn nothing"):
        read_motion(path)
