"""`motionclip import-official`: the authors' checkpoint becomes a model of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


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
