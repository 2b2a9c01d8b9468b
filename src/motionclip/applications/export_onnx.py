"""The model as ONNX files, for onnxruntime and browsers: words to motion, and motion to the latent, without torch.

Each graph is a part of the model as it is; what is done once more after decoding (`model/steadying.py`,
`model/grounding.py`) stays behind. ``manifest.json`` says how the graphs fit together.
"""

from __future__ import annotations

import json
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from motionclip.applications.onnx_graphs import TOKENIZER, Graph, graphs, manifest, minilm_of
from motionclip.errors import MotionClipError
from motionclip.formats.files import replacing
from motionclip.model.pipeline import MotionCLIP
from motionclip.progress import OnStep

if TYPE_CHECKING:
    import onnx

Precision = Literal["fp32", "int8"]
MANIFEST = "manifest.json"

_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_OPSET = 20
#: Numbers of a matrix that is worth storing in 8 bits.
_LARGE = 4096


def export_onnx(
    model: MotionCLIP,
    folder: Path,
    *,
    precision: Precision = "fp32",
    progress: OnStep | None = None,
) -> list[Path]:
    """Writes a model's graphs, its tokenizer and the manifest; every file appears whole or not at all.

    Args:
        model: on the text tower minilm.
        folder: made if it is missing.
        precision: "int8" stores matrices as 8-bit integers (onnxruntime's dynamic quantisation).
        progress: told how many graphs are done, and of how many.

    Returns:
        The files written, the manifest last.

    Raises:
        MotionClipError: if the model cannot be exported, or the extra `onnx` is not installed.
    """
    check_packages()
    parts = graphs(model)
    written = []
    for done, graph in enumerate(parts, 1):
        with replacing(folder / f"{graph.name}.onnx") as path:
            _write_graph(graph, path, precision)
        written.append(folder / f"{graph.name}.onnx")
        if progress is not None:
            progress(done, len(parts))
    contents = {
        TOKENIZER: minilm_of(model).tokenizer.to_str(),
        MANIFEST: json.dumps(manifest(model, parts, precision), indent=1),
    }
    for name, content in contents.items():
        with replacing(folder / name) as path:
            path.write_text(content + "\n", encoding="utf-8")
        written.append(folder / name)
    return written


def check_packages() -> None:
    """Says early whether the extra `onnx` is installed.

    Raises:
        MotionClipError: if it is not.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise MotionClipError(f"no {', '.join(missing)}; expected the packages of: pip install 'motionclip[onnx]'")


def _write_graph(graph: Graph, path: Path, precision: Precision) -> None:
    with tempfile.TemporaryDirectory() as folder:
        traced, plain = Path(folder) / "traced.onnx", Path(folder) / "plain.onnx"
        _trace(graph, traced)
        _fold(traced, path if precision == "fp32" else plain)
        if precision == "int8":
            quantize(plain, path)


def _fold(graph: Path, target: Path) -> None:
    """Computes what is constant once and for all, by onnxruntime's own rules for any machine."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def quantize(graph: Path, target: Path) -> None:
    """Writes a graph with its matrices as 8-bit integers, a scale for each of their columns."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(graph)
    _turn_matrices(model.graph)
    del model.graph.value_info[:]  # among them shapes of matrices that it turns around, and then takes for wrong
    floats = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # of what its own inference of types does not reach
    quantize_dynamic(
        model,
        target,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=_without_large_matrix(model.graph),
        extra_options=floats,
    )


def _without_large_matrix(graph: onnx.GraphProto) -> list[str]:
    """Products that 8 bits would only make worse: of what is computed, and of rotations and bones."""
    large = {tensor.name for tensor in graph.initializer if math.prod(tensor.dims) >= _LARGE}
    products = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    return [node.name for node in products if large.isdisjoint(node.input)]


def _turn_matrices(graph: onnx.GraphProto) -> None:
    """Turns the matrices of Gemm nodes around: the quantiser would do so once for each node that shares one."""
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    gemms = [node for node in graph.node if node.op_type == "Gemm" and node.input[1] in stored]
    turned = {node.input[1] for node in gemms for flag in node.attribute if flag.name == "transB" and flag.i}
    for name in turned:
        matrix = numpy_helper.to_array(stored[name])
        stored[name].CopyFrom(numpy_helper.from_array(matrix.T.copy(), name))
    for node in gemms:
        for flag in (flag for flag in node.attribute if flag.name == "transB"):
            flag.i = 0


def _trace(graph: Graph, path: Path) -> None:
    """Exports a graph with every named size of its inputs left open."""
    inputs = tuple(port.example() for port in graph.inputs)
    free = tuple({axis: size for axis, size in enumerate(port.shape) if isinstance(size, str)} for port in graph.inputs)
    with _plain_attention(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own, about its own parts
        program = torch.onnx.export(
            graph.module.eval(),
            inputs,
            dynamo=True,
            dynamic_shapes=free,
            input_names=[port.name for port in graph.inputs],
            output_names=[port.name for port in graph.outputs],
            opset_version=_OPSET,
            optimize=False,  # onnxruntime does the same in seconds
            verbose=False,
        )
    assert program is not None
    program.save(str(path))


@contextmanager
def _plain_attention() -> Iterator[None]:
    """torch's fused encoder layers have no counterpart in ONNX; spelled out, they have."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
