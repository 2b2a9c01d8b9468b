"""`motionclip adapt`, `export` and `import-official`: models adapted, exported and imported."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from motionclip.cli.console import say, track
from motionclip.cli.options import Model, optional, torch_device
from motionclip.errors import DataError, ModelError

OutFolder = Annotated[Path, arg(metavar="DIR")]


def adapt(
    *,
    text_encoder: Annotated[str, arg(metavar="NAME")],
    out: OutFolder,
    captions: Annotated[Path | None, optional(Path, "FILE.txt", default="the package's own sentences")] = None,
    options: Model,
) -> None:
    """Let a trained model take the texts and images of another text encoder.

    A linear map between the two is fitted, which takes no training.

    Args:
        text_encoder: Text encoder to adapt to, such as clip:ViT-B-32; --encoder-weights are its weights.
        out: Folder for the adapted model.
        captions: Text file with one caption a line to fit the map on.
    """
    from motionclip.applications.adapt import adapt as adapt_model
    from motionclip.applications.recognize import read_lines
    from motionclip.encoders import load_text_encoder
    from motionclip.model.checkpoint import CARD_FILE, find_model

    if out.exists():
        raise DataError(f"{out} exists; expected a new folder")
    texts = None if captions is None else read_lines(captions, "one caption a line")
    model = replace(options, encoder_weights=None, bf16=False).load(many=True)
    encoder = load_text_encoder(text_encoder, options.encoder_weights, torch_device(options.device))
    result = adapt_model(model, encoder, texts, on_stage=say)
    result.model.save(out)
    card = find_model(options.model) / CARD_FILE
    if card.is_file():  # the terms of the weights stay what they are
        shutil.copy(card, out / CARD_FILE)
    found = result.held_out
    say(
        f"fitted on {result.captions} captions; of every tenth, held out, the own latent is found at rank 1 by "
        f"{found.recall[0]:.1f} % among {found.candidates}, median rank {found.median_rank:g}"
    )
    if result.gap is not None:
        say(f"cosine of mean text and mean image: {result.gap:.2f}; images are moved by the difference")
    say(f"the model is in {out}")


def export(
    kind: Annotated[Literal["onnx", "web"], Positional],
    folder: Annotated[Path, Positional, arg(metavar="DIR")],
    /,
    *,
    precision: Annotated[
        Literal["fp32", "fp16", "int8"] | None,
        arg(metavar="{fp32,fp16,int8}", help_behavior_hint="(default: fp32; of a page fp16)"),
    ] = None,
    modules: Annotated[Path | None, optional(Path, "DIR", default="fetched once, into the cache")] = None,
    options: Model,
) -> None:
    """Write a model as ONNX graphs, or as a page that makes motions with no server.

    docs/onnx.md and docs/web.md say how to use them. The model's text encoder has to be minilm.

    Args:
        kind: What to export to: onnx for the graphs, the tokenizer and the manifest.json that describes them; web for a
            page around them, three.js and onnxruntime-web, for any server of files.
        folder: Where to write.
        precision: Of the matrices: fp16 takes half of the space, int8 a quarter and is less exact.
        modules: A folder node_modules with the page's JavaScript packages.
    """
    from motionclip.export.onnx import check_packages, export_onnx
    from motionclip.export.web import export_web

    check_packages()
    exact = replace(options, bf16=False)  # --precision says how the graphs compute
    with track(f"exporting to {kind}") as progress:
        if kind == "web":
            written = export_web(
                exact.load(), folder, precision=precision or "fp16", modules=modules, progress=progress
            )
        else:
            written = export_onnx(exact.load(), folder, precision=precision or "fp32", progress=progress)
    for path in written:
        say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    if kind == "web":
        say(f"to look at it: python -m http.server --directory {folder} --bind 127.0.0.1 8080")


def import_official(
    file: Annotated[Path, Positional, arg(metavar="CHECKPOINT")],
    /,
    *,
    out: OutFolder,
    opt: Annotated[Path | None, optional(Path, "opt.yaml", default="the one beside the checkpoint")] = None,
) -> None:
    """Make a model folder of a checkpoint that the paper's authors published.

    Args:
        file: Their checkpoint_XXXX.pth.tar, or a .safetensors of the same tensors; only tensors are read from it.
        out: Folder for the model.
        opt: The options that came with it.
    """
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
