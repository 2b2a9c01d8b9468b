"""`motionclip export`: a trained model for programs that have no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro


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
        model: a shipped model's name, a model folder, or a run folder; its text tower has to be minilm.
        precision: of the matrices: int8 takes a quarter of the room and is less exact.
    """
    from motionclip.applications.export_onnx import check_packages, export_onnx
    from motionclip.cli.console import counted, say
    from motionclip.model.pipeline import load

    check_packages()
    with counted(f"exporting to {kind}") as progress:
        written = export_onnx(load(model), out, precision=precision, progress=progress)
    for path in written:
        say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
