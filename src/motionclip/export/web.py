"""A page that makes, plays and saves motions with no server: static files, for any that hands out files."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import torch

from motionclip.export.npm import ONNXRUNTIME, THREE, Package, read_package
from motionclip.export.onnx import Precision, check_packages, export_onnx
from motionclip.formats.bvh import write_bvh
from motionclip.formats.files import replacing
from motionclip.formats.gltf import write_glb
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion
from motionclip.progress import ProgressCallback

#: What three's modules name each other by, in the folders of their package; here they lie in one folder.
_BESIDE = re.compile(rb"'\.{1,2}/(?:\w+/)*(\w+\.js)'")


def export_web(
    model: MotionCLIP,
    folder: Path,
    *,
    precision: Precision = "fp16",
    modules: Path | None = None,
    progress: ProgressCallback | None = None,
) -> list[Path]:
    """Writes the page; every file appears whole or not at all.

    Args:
        model: on the text encoder minilm.
        folder: made if it is missing.
        precision: of the graphs, as of :func:`~motionclip.export.onnx.export_onnx`.
        modules: a folder node_modules with three and onnxruntime-web; without one they are fetched, once.
        progress: called with the number of graphs done, and of all.

    Returns:
        The files written.

    Raises:
        MotionClipError: if the model cannot be exported, the extra `onnx` is not installed, or a package of npm cannot
            be had.
    """
    check_packages()
    page = write_page(folder, modules)
    graphs = export_onnx(model, folder / "model", precision=precision, without=("encoder",), progress=progress)
    return page + graphs


def write_page(folder: Path, modules: Path | None = None) -> list[Path]:
    """Writes all of the page but the model's graphs, and returns the files; arguments and errors as of the above."""
    contents = {file.name: file.read_bytes() for file in (resources.files("motionclip.export") / "page").iterdir()}
    for package in (THREE, ONNXRUNTIME):
        contents |= {_place(package, name): content for name, content in read_package(package, modules).items()}
    for name, content in contents.items():
        with replacing(folder / name) as path:
            path.write_bytes(_BESIDE.sub(rb"'./\1'", content) if name.endswith(".js") else content)
    rest = Motion(
        torch.eye(3).expand(2, CANONICAL.num_joints, 3, 3), CANONICAL.rest_positions[:1].expand(2, 3), 30.0, CANONICAL
    )
    write_glb(rest, folder / "rest.glb")
    write_bvh(rest, folder / "rest.bvh")
    return [*(folder / name for name in sorted(contents)), folder / "rest.glb", folder / "rest.bvh"]


def _place(package: Package, name: str) -> str:
    """Returns where a file of a package lies in the page; texts about it have the package's name before theirs."""
    plain = Path(name)
    return f"libraries/{plain.name}" if plain.suffix in (".js", ".mjs", ".wasm") else f"libraries/{package.name}-{name}"
