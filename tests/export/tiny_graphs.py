"""The tiny model, changed so that all of it has its say, as ONNX graphs."""

from __future__ import annotations

from pathlib import Path

import torch

from motionclip.export.onnx import export_onnx
from motionclip.model.matcher import OTHERS, Matcher
from motionclip.model.pipeline import MotionCLIP, load


def lively_model(run: Path) -> MotionCLIP:
    """Its transformers have their say: after twenty steps their last layers are still nearly zero.

    The decoder's by centimetres: in bodies that are none, rotations hang on the last digits.
    """
    model = load(run)
    torch.manual_seed(0)
    for head, std in ((model.network.autoencoder.encoder.head, 0.02), (model.network.autoencoder.decoder.head, 0.002)):
        torch.nn.init.normal_(head.weight, std=std)
    matcher = Matcher(model.config.latent_dim).eval().requires_grad_(False)
    matcher.compare_with(torch.randn(OTHERS, model.config.latent_dim))
    return MotionCLIP(model.network, model.text_encoder, model.known_words, matcher)


def export_lively_model(run: Path, folder: Path) -> None:
    """All graphs of that model, in fp32."""
    reported: list[tuple[int, int]] = []
    written = export_onnx(lively_model(run), folder, progress=lambda *done: reported.append(done))
    assert reported == [(done, 4) for done in (1, 2, 3, 4)]
    assert sorted(written) == sorted(folder.iterdir())
