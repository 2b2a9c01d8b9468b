"""What the tests of the commands share: an empty folder to work in, and a folder of motion files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.io import write_motion
from motionclip.motion import Motion, Skeleton


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the working folder of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def files(tiny_model: motionclip.MotionCLIP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two seconds as BVH and AMASS, a third of a second, twelve, one without a hand, one damaged."""
    folder = tmp_path_factory.mktemp("motions")
    walk = motionclip.text_to_motion(tiny_model, "a person walks", seconds=2)
    write_motion(walk, folder / "walk.bvh")
    write_motion(walk, folder / "walk.amass.npz")
    write_motion(walk.frames(0, 10), folder / "short.bvh")
    long = Motion(torch.cat([walk.rotations] * 6), torch.cat([walk.root] * 6), 30, walk.skeleton)
    write_motion(long, folder / "long.bvh")
    names = walk.skeleton.names[:-1]
    tips = tuple(tip for tip in walk.skeleton.end_sites if tip[0] < len(names))
    handless = Skeleton(names, walk.skeleton.parents[:-1], walk.skeleton.offsets[:-1], tips)
    write_motion(Motion(walk.rotations[:, :-1], walk.root, 30, handless), folder / "handless.bvh")
    (folder / "damaged.bvh").write_text("HIERARCHY\nROOT pelvis\n{\n  OFFSET 0 x 0\n")
    return folder
