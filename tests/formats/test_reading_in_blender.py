"""What Blender writes is read as Blender means it, and FBX, GLB and BVH of one motion are the same motion."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from blender import blender, needs_blender, through_blender

from motionclip.formats import load_rig
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

FPS, FRAMES = 30, 20
#: A millimetre.
TOLERANCE = 1e-3
DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"


def turning() -> Motion:
    """All joints swing, the body walks."""
    generator = torch.Generator().manual_seed(11)
    phase, size = torch.rand(2, 1, 24, 3, generator=generator)
    time = torch.arange(FRAMES)[:, None, None] / FPS
    rotations = rot.rotvec_to_matrix(1.2 * (size - 0.5) * torch.sin(6 * time + 6 * phase))
    root = torch.stack([time[:, 0, 0].sin(), 0.9 + 0.1 * time[:, 0, 0], time[:, 0, 0]], dim=1)
    return Motion(rotations, root, float(FPS), CANONICAL)


def check(path: Path, expected: dict[str, np.ndarray], what: str) -> None:
    motion = read_motion(path)
    assert motion.num_frames == FRAMES, what
    assert motion.fps == FPS
    names = set(motion.skeleton.names) & set(expected)
    assert len(names) >= 22, what
    for name in names:
        places = motion.positions[:, motion.skeleton.index(name)].numpy()
        assert np.abs(places - expected[name]).max() < TOLERANCE, f"{what}: {name}"


@needs_blender
@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
def test_what_blender_writes_is_read_as_it_evaluates_it(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"ours{suffix}"
    rig = load_rig("mixamo")
    write_motion(turning(), source, rig)
    targets = [tmp_path / "theirs.fbx", tmp_path / "theirs.glb"]
    expected = through_blender(source, FRAMES, FPS, *targets)
    fitted = rig.fitted(turning())
    ours = {name: fitted.positions[:, joint].numpy() for joint, name in enumerate(fitted.skeleton.names)}
    for path in targets:
        check(path, expected, f"{path.name} against Blender")
        check(path, ours, f"{path.name} against the motion")
    check(source, ours, "our own file")


@needs_blender
def test_the_command_of_the_document_writes_fbx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r'blender --background --python-expr "(.+?)"\n', DOCUMENT.read_text(), re.DOTALL)
    assert code
    monkeypatch.chdir(tmp_path)
    write_motion(turning(), "kick.glb")
    blender(code[1])
    ours = {name: turning().positions[:, joint].numpy() for joint, name in enumerate(CANONICAL.names)}
    check(Path("kick.fbx"), ours, "the command")
    check(Path("kick.glb"), ours, "its source")
