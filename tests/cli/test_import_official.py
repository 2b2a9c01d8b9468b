"""`motionclip import-official`: a checkpoint becomes a model folder that makes motion, or nothing is written."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from motionclip.applications.text_to_motion import text_to_motion
from motionclip.cli.main import main
from motionclip.model.checkpoint import find_model, load_network
from motionclip.model.pipeline import MotionCLIP
from official_files import WIDTH, Published, write_checkpoint, write_options


class WordTower:
    """As CLIP, but that a sentence's direction comes from its length."""

    name, dim, fingerprint = "clip:ViT-B-32", WIDTH, "test"

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        made = [torch.randn(WIDTH, generator=torch.Generator().manual_seed(len(text))) for text in texts]
        return torch.nn.functional.normalize(torch.stack(made), dim=-1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tensors = Published().tensors() | {"clip_model.logit_scale": torch.tensor(4.6)}
    return write_checkpoint(tmp_path_factory.mktemp("published"), tensors)


def test_a_checkpoint_becomes_a_model_that_makes_motion(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["import-official", str(checkpoint), "--opt", str(write_options(tmp_path)), "--out"]
    assert main([*arguments, str(tmp_path / "model")]) == 0
    said = capsys.readouterr().out
    assert "left out 1 tensors of CLIP" in said and "up to 2 s" in said
    model = MotionCLIP(load_network(find_model(tmp_path / "model")), WordTower())
    walk, run = text_to_motion(model, ["a person walks", "run"], seconds=2.0)
    assert walk.num_frames == 60 and (walk.root == walk.root[0]).all()
    assert (walk.rotations - run.rotations).abs().max() > 0.01
    assert main([*arguments, str(tmp_path / "model")]) == 2
    assert "holds a model already" in capsys.readouterr().err


def test_what_cannot_be_read_leaves_nothing_behind(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, options = tmp_path / "model", write_options(tmp_path, num_layers=8)
    for arguments, message in [
        ([str(checkpoint)], "give it as --opt"),
        ([str(checkpoint), "--opt", str(options)], "says num_layers 8"),
        ([str(tmp_path / "nowhere.pth.tar")], "is missing"),
    ]:
        assert main(["import-official", *arguments, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
    assert not out.exists()
