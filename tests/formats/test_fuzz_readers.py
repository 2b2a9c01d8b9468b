"""Every reader on damaged files: a finite motion or an error of ours, soon.

``MOTIONCLIP_FUZZ=10000 pytest tests/formats/test_fuzz_readers.py`` tries that many files altogether.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from mutations import damaged

from motionclip.errors import MotionClipError
from motionclip.formats.gltf import read_glb
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

ALTOGETHER = int(os.environ.get("MOTIONCLIP_FUZZ", "600"))
#: A file of this size is read in a few milliseconds, one of FBX in a process that has to start.
MOST_SECONDS = 20.0

ASF = """:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name lhipjoint
     direction 0.7 -0.7 0
     length 2.4
     axis 0 0 0 XYZ
  end
  begin
     id 2
     name lfemur
     direction 0.34 -0.94 0
     length 7.1
     axis 0 0 20 XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
:hierarchy
  begin
    root lhipjoint
    lhipjoint lfemur
  end
"""
AMC = "#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n" + "".join(
    f"{n}\nroot 0 17 {n} 0 0 0\nlfemur 1 2 {n}\n" for n in range(1, 9)
)


def swaying(frames: int = 8) -> Motion:
    generator = torch.Generator().manual_seed(2)
    rotations = rot.rotvec_to_matrix(0.3 * torch.randn(frames, 24, 3, generator=generator))
    return Motion(rotations, torch.tensor([0.0, 0.95, 0.0]).expand(frames, 3), 30.0, CANONICAL)


def sound_files(folder: Path) -> dict[str, Path]:
    """A file of each kind that is read."""
    motion = swaying()
    for suffix in (".bvh", ".npz", ".csv", ".npy", ".glb", ".amass.npz"):
        write_motion(motion, folder / f"own{suffix}")
    vectors = rot.matrix_to_rotvec(motion.rotations).numpy()
    parameters = {
        "global_orient": vectors[:, 0],
        "body_pose": vectors[:, 1:22].reshape(8, 63),
        "transl": motion.root.numpy(),
    }
    np.savez(folder / "gvhmr.npz", **parameters)
    np.savez(folder / "kimodo.npz", local_rot_mats=motion.rotations[:, :22], posed_joints=motion.positions[:, :22])
    np.savez(folder / "hy.npz", rot6d=motion.rotations[..., :22, :, :2].reshape(8, 22, 6), transl=motion.root)
    np.save(folder / "joints.npy", motion.positions[:, :22].numpy())
    (folder / "gvhmr.pkl").write_bytes(pickle.dumps(parameters))
    torch.save({name: torch.from_numpy(array) for name, array in parameters.items()}, folder / "gvhmr.pt")
    glb = read_glb(folder / "own.glb")
    uri = "data:application/octet-stream;base64," + base64.b64encode(glb.binary).decode()
    glb.document["buffers"][0]["uri"] = uri
    (folder / "own.gltf").write_text(json.dumps(glb.document))
    (folder / "own.asf").write_text(ASF)
    (folder / "own.amc").write_text(AMC)
    if find_spec("ufbx") is not None:
        (folder / "own.fbx").write_bytes(FBX.read_bytes())
    return {path.name: path for path in sorted(folder.iterdir())}


FBX = Path(__file__).parent / "files" / "swaying.fbx"  # written by Blender 5.0.1, of `swaying` on the rig mixamo
KINDS = (
    *("own.bvh", "own.npz", "own.csv", "own.npy", "own.glb", "own.amass.npz", "gvhmr.npz", "kimodo.npz", "hy.npz"),
    *("joints.npy", "gvhmr.pkl", "gvhmr.pt", "own.gltf", "own.asf", "own.amc", "own.fbx"),
)
#: One in this many of the FBX files is tried: each takes a process.
_SLOW = 20


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return sound_files(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_read_or_refused(sound: dict[str, Path], tmp_path: Path, name: str) -> None:
    if name not in sound:
        pytest.skip("needs the extra fbx")
    content, suffix = sound[name].read_bytes(), "".join(Path(name).suffixes[-1:])
    path = tmp_path / name
    for other in ("own.asf", "own.amc"):
        (tmp_path / other).write_bytes(sound[other].read_bytes())
    read = tmp_path / "own.amc" if suffix == ".asf" else path
    path.write_bytes(content)
    fps = 30.0 if suffix in (".pkl", ".pt", ".asf", ".amc") else None
    assert read_motion(read, fps=fps).num_frames >= 4
    count = ALTOGETHER // len(KINDS) // (_SLOW if suffix == ".fbx" else 1)
    for seed in range(count):
        path.write_bytes(damaged(random.Random(seed), content, suffix))
        started = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                motion = read_motion(read, fps=fps)
        except MotionClipError:
            pass
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}")
        else:
            assert torch.isfinite(motion.positions).all(), f"seed {seed}"
        assert time.monotonic() - started < MOST_SECONDS, f"seed {seed}"
