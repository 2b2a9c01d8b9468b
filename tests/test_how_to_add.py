"""What docs/how-to-add.md promises: an addition is a record, a row or a branch in the files that it names."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

import motionclip
from motionclip import io
from motionclip.body import default_body
from motionclip.cli import main as cli
from motionclip.errors import ModelError
from motionclip.losses import objective
from motionclip.losses.reconstruction import Comparison
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion.retarget import find_humanoid, joint_names, retarget


def add_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def standing(skeleton: Skeleton = CANONICAL) -> Motion:
    return Motion(
        torch.eye(3).repeat(5, skeleton.num_joints, 1, 1), torch.tensor([[0.0, 0.94, 0.0]] * 5), 30.0, skeleton
    )


def test_a_format_is_a_module_and_a_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(motion: Motion, path: Path) -> None:
        Path(path).write_text(json.dumps({"fps": motion.fps, "root": motion.root.tolist()}))

    def read(path: Path, fps: float | None = None) -> Motion:
        values = json.loads(Path(path).read_text())
        return dataclasses.replace(standing(), fps=fps or values["fps"], root=torch.tensor(values["root"]))

    add_module(monkeypatch, "motionclip.formats.toy", read_toy=read, write_toy=write)
    record = io.Format(".toy", "skeleton", "application/x-toy", "formats.toy:read_toy", "formats.toy:write_toy")
    monkeypatch.setattr(io, "FORMATS", (*io.FORMATS, record))
    assert ".toy" in io.readable() and ".toy" in io.writable() and io.is_motion_file("a.TOY")
    motionclip.write_motion(standing(), tmp_path / "a.toy")
    assert cli.main(["convert", str(tmp_path / "a.toy"), str(tmp_path / "a.bvh")]) == 0
    assert cli.main(["convert", str(tmp_path / "a.bvh"), str(tmp_path / "b.toy")]) == 0
    torch.testing.assert_close(motionclip.read_motion(tmp_path / "b.toy").root, standing().root, atol=1e-5, rtol=0)
    assert json.loads(io.motion_bytes(standing(), ".toy"))["fps"] == 30


def test_a_loss_is_a_function_and_a_row_with_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Weights(objective.LossWeights):
        height: float = 1.0

    def height(comparison: Comparison) -> Tensor:
        return comparison.batch.root[..., 1].mean()

    with pytest.raises(ModelError, match="height"):  # a weight without a loss
        objective.Objective(Weights(), default_body())
    monkeypatch.setitem(objective.RECONSTRUCTION_LOSSES, "height", height)
    objective.Objective(Weights(), default_body())
    with pytest.raises(ModelError, match="height"):  # a loss without a weight
        objective.Objective(objective.LossWeights(), default_body())


def test_a_command_is_a_function_and_a_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def mean_height(file: Path) -> None:
        """Print the mean height of the pelvis."""
        print(f"{motionclip.read_motion(file).root[:, 1].mean():.2f} m")

    add_module(monkeypatch, "motionclip.cli.toy", mean_height=mean_height)
    monkeypatch.setitem(cli.COMMANDS, "mean-height", "toy:mean_height")
    motionclip.write_motion(standing(), tmp_path / "standing.npz")
    assert cli.main(["mean-height", "--file", str(tmp_path / "standing.npz")]) == 0
    assert capsys.readouterr().out == "0.94 m\n"


def test_a_convention_of_names_is_words_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"hip": "schenkel", "knee": "wade", "ankle": "fessel", "shoulder": "oberarm", "elbow": "ellbogen"}
    words |= {"wrist": "gelenk", "head": "kopf"}
    names = tuple(
        "_".join(words.get(part, part if part in ("left", "right") else part + "x") for part in name.split("_"))
        for name in CANONICAL.names
    )
    hand = CANONICAL.index("left_hand")
    skeleton = Skeleton(
        (*names, "daumen", "zeigefinger"),
        (*CANONICAL.parents, hand, hand),
        torch.cat([CANONICAL.offsets, torch.tensor([[0.02, 0.0, 0.03], [0.05, 0.0, 0.02]])]),
    )
    for kind, word in words.items():
        monkeypatch.setitem(joint_names.KIND, word, "upperarm" if kind == "shoulder" else kind)
    assert find_humanoid(skeleton).confidence == 1.0
    found = retarget(standing(skeleton))
    assert found.skeleton is CANONICAL
    torch.testing.assert_close(found.rotations, standing().rotations, atol=1e-5, rtol=0)
