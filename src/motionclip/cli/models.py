"""`motionclip import-official`: the authors' checkpoint becomes a model of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

# `motionclip adapt`: another text encoder in front of a trained model.


def adapt(
    text_encoder: str, out: Path, model: str = "base", encoder_weights: Path | None = None, captions: Path | None = None
) -> None:
    """Let a trained model take the texts, and the pictures, of another text encoder: a linear map, fitted without training.

    Args:
        text_encoder: the text encoder to adapt to, such as clip:ViT-B-32.
        out: folder of the adapted model.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        captions: a text file with one caption per line to fit the map on; the package's own sentences if not given.
    """
    import shutil

    from motionclip.applications.adapt import adapt as adapt_model
    from motionclip.cli.console import say
    from motionclip.encoders import load_text_encoder
    from motionclip.errors import DataError
    from motionclip.model.checkpoint import CARD_FILE, find_model
    from motionclip.model.pipeline import load

    if out.exists():
        raise DataError(f"{out} exists; expected a new folder")
    texts = None if captions is None else [line for line in captions.read_text("utf-8").splitlines() if line.strip()]
    result = adapt_model(load(model), load_text_encoder(text_encoder, encoder_weights), texts, on_stage=say)
    result.model.save(out)
    card = find_model(model) / CARD_FILE
    if card.is_file():  # the terms of the weights stay what they are
        shutil.copy(card, out / CARD_FILE)
    found = result.held_out
    say(
        f"fitted on {result.captions} captions; of every tenth, held out, the own latent is found at rank 1 by "
        f"{found.recall[0]:.1f} % among {found.candidates}, median rank {found.median_rank:g}"
    )
    if result.gap is not None:
        say(f"cosine of mean text and mean picture: {result.gap:.2f}; pictures are moved by the difference")
    say(f"the model is in {out}")


# `motionclip export`: a trained model for programs that have no torch.


def export(
    kind: Annotated[Literal["onnx"], tyro.conf.Positional],
    /,
    out: Path = Path("onnx"),
    model: str = "base",
    precision: Literal["fp32", "int8"] = "fp32",
) -> None:
    """Write a model as ONNX graphs for onnxruntime and browsers; docs/onnx.md says how to use them.

    Args:
        kind: onnx.
        out: folder for the graphs, the tokenizer and the manifest.json that describes them.
        model: a shipped model's name, a model folder, or a run folder; its text encoder has to be minilm.
        precision: of the matrices: int8 takes a quarter of the room and is less exact.
    """
    from motionclip.cli.console import counted, say
    from motionclip.export.onnx import check_packages, export_onnx
    from motionclip.model.pipeline import load

    check_packages()
    with counted(f"exporting to {kind}") as progress:
        written = export_onnx(load(model), out, precision=precision, progress=progress)
    for path in written:
        say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def import_official(
    file: Annotated[Path, tyro.conf.Positional],
    /,
    out: Path,
    opt: Path | None = None,
) -> None:
    """Make a model folder of a checkpoint that the paper's authors published.

    Args:
        file: their checkpoint_XXXX.pth.tar, or a .safetensors of the same tensors; only tensors are read of it.
        out: folder for the model.
        opt: the opt.yaml that came with it; the one beside the checkpoint if none.
    """
    from motionclip.cli.console import say
    from motionclip.errors import ModelError
    from motionclip.model.checkpoint import WEIGHTS_FILE, save_network
    from motionclip.model.official import read_official

    if (out / WEIGHTS_FILE).exists():
        raise ModelError(f"{out} holds a model already; choose another folder")
    model = read_official(file, opt)
    save_network(model.network, out)
    config = model.network.config
    if model.clip_tensors:
        say(f"left out {model.clip_tensors} tensors of CLIP itself: its weights are loaded where they are used")
    seconds = config.max_frames / config.fps
    say(f"{out}: {config.encoder_layers} + {config.decoder_layers} layers, motions of up to {seconds:g} s")
    say(f'try: motionclip generate "a person walks" --model {out} --seconds {seconds:g}')
