"""ONNX export: words to motion, and motion to the latent, for onnxruntime and browsers, without torch.

Together the graphs do what `text_to_motion` does, the order of takes and the corrections after decoding included;
``manifest.json`` says what they take and give, and how a program puts them together.
"""

from __future__ import annotations

import json
import logging
import math
import tempfile
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_TAKES
from motionclip.applications.text_to_motion import EXCESS, MATCH, SKATE, best_first, draws_for
from motionclip.encoders.minilm import MAX_TOKENS, MiniLMEncoder
from motionclip.errors import MotionClipError
from motionclip.formats.files import replacing
from motionclip.metrics.physics import skate_of
from motionclip.metrics.plausibility import excess_of, figures_of
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.features import Batch
from motionclip.model.matcher import Matcher
from motionclip.model.pipeline import MotionCLIP, led_away
from motionclip.model.postprocessing import postprocess
from motionclip.model.prior import LatentPrior
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.progress import ProgressCallback

if TYPE_CHECKING:
    import onnx


Precision = Literal["fp32", "fp16", "int8"]
MANIFEST, TOKENIZER = "manifest.json", "tokenizer.json"

_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_OPSET = 20
#: Elements of a matrix from which on it is stored in 8 bits.
_LARGE = 4096
#: Sizes of the example that a graph is traced with; all differ, so that none is taken for another.
_TRACED = {"batch": 3, "frames": 42, "tokens": 9, "draws": 5}


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: of the tensor.
        dtype: "float32", "int64" or "bool".
        shape: numbers, and names for what may have any size.
        meaning: what it holds, and in which unit.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str

    def example(self) -> Tensor:
        """Returns values that can be traced."""
        sizes = [_TRACED[size] if isinstance(size, str) else size for size in self.shape]
        if self.dtype == "float32":
            return torch.rand(sizes)
        return torch.ones(sizes, dtype=getattr(torch, self.dtype))


@dataclass(frozen=True)
class Graph:
    """A part of the model that becomes one file.

    Attributes:
        name: of the file.
        module: what is traced.
        inputs: in the order in which the module takes them.
        outputs: in the order in which it gives them.
    """

    name: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class _Text(nn.Module):
    """Token numbers to the text encoder's embedding and the text latent."""

    def __init__(self, text_encoder: nn.Module, head: nn.Module):
        super().__init__()
        self.text_encoder, self.head = text_encoder, head

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.text_encoder(ids)
        return embedding, self.head(embedding)


class _Prior(nn.Module):
    """Noise to the latents of draws under a text, the most promising first, and the latent that is meant by it."""

    def __init__(self, prior: LatentPrior, autoencoder: MotionAutoencoder, matcher: Matcher | None):
        super().__init__()
        self.prior, self.autoencoder, self.matcher = prior, autoencoder, matcher

    def forward(
        self, noise: Tensor, text: Tensor, mirrored: Tensor, mask: Tensor, guidance: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        words, seconds = led_away(text, mirrored), mask.sum(dim=1) / self.autoencoder.config.fps
        drawn = self.prior.sample(noise, words, seconds, guidance=guidance)
        worth = None if self.matcher is None else MATCH * self._matches(self.matcher, drawn, words, mask)
        latents, agreement, _ = best_first(drawn, words, worth)
        return latents, agreement, words

    def _matches(self, matcher: Matcher, drawn: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """Returns how well drafts of latents (N, K, D) match words (N, D), in the frames of mask (N, T): (N, K)."""
        real, text = (part[:, None].expand(-1, drawn.shape[1], -1).flatten(0, 1) for part in (mask, words))
        positions = self.autoencoder.draft(drawn.flatten(0, 1), real)
        return matcher(positions, real, text, self.autoencoder.config.fps).view(drawn.shape[:2])


class _Encoder(nn.Module):
    """A window to its latent."""

    def __init__(self, autoencoder: MotionAutoencoder):
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, sixd: Tensor, root: Tensor, mask: Tensor) -> Tensor:
        return self.autoencoder.encode(Batch(sixd, root, mask))


class _Decoder(nn.Module):
    """A latent to a motion as `MotionCLIP.decode` makes it, how far beyond what bodies do it is, and its worth."""

    def __init__(self, autoencoder: MotionAutoencoder, matcher: Matcher | None):
        super().__init__()
        self.autoencoder, self.matcher = autoencoder, matcher

    def forward(self, latent: Tensor, mask: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        decoded, fps = self.autoencoder.decode(latent, mask), self.autoencoder.config.fps
        rotations, root = rot.sixd_to_matrix(decoded.sixd), decoded.root
        if decoded.contacts is not None:
            rotations, root = postprocess(rotations, root, decoded.contacts.sigmoid(), fps)
        world, positions = forward_kinematics(rotations, root, CANONICAL)
        match = words[:, 0] * 0 if self.matcher is None else self.matcher(positions, mask, words, fps)
        worth = MATCH * match - SKATE * skate_of(positions, fps)
        return rotations, root, excess_of(figures_of(world, positions, fps)), worth


def minilm_of(model: MotionCLIP) -> MiniLMEncoder:
    """Returns the model's text encoder.

    Raises:
        MotionClipError: if it is another than minilm.
    """
    if not isinstance(model.text_encoder, MiniLMEncoder):
        raise MotionClipError(
            f"a model on the text encoder {model.text_encoder.name}; only those on {MiniLMEncoder.name} can be exported"
        )
    return model.text_encoder


def graphs(model: MotionCLIP) -> list[Graph]:
    """Returns the parts of a model that become files: text, prior (if there is one), encoder, decoder.

    Raises:
        MotionClipError: if the model's text encoder is another than minilm.
    """
    text_encoder = minilm_of(model)
    config = model.config
    size, frames = config.latent_dim, ("batch", "frames")
    latent = Port("latent", "float32", ("batch", size), "point of the latent space; a unit vector in preset base")
    mask = Port("mask", "bool", frames, "true for frames that are there; the others come last")
    root = Port("root", "float32", (*frames, 3), "path of the pelvis, metres, Y up")
    sixd = Port("sixd", "float32", (*frames, 24, 6), "local rotations: the first two columns of each matrix")
    turns = Port("rotations", "float32", (*frames, 24, 3, 3), "local rotation matrices, for column vectors")
    whole = Port("mask", "bool", frames, "true for every frame of the motions, which are of one length")
    excess = Port("excess", "float32", ("batch",), "0 for what a body can do, 1 for each doubling of a limit")
    worth = Port("worth", "float32", ("batch",), "how well it matches the words, less its sliding feet, in cosines")
    meant = Port("words", "float32", ("batch", size), "latent of the words, led away from the mirrored ones")
    takes = Port("latents", "float32", ("batch", "draws", size), "points of the latent space, most promising first")
    agreement = Port("agreement", "float32", ("batch", "draws"), "cosines of the latents and that of the words")
    ids = Port("ids", "int64", ("batch", "tokens"), f"token numbers, padded with 0; at most {MAX_TOKENS}")
    words = Port("vector", "float32", ("batch", config.text_dim), "the text encoder's unit vector")
    drawing = (
        Port("noise", "float32", ("batch", "draws", config.num_coefficients), "standard normal; some for each text"),
        Port("text", "float32", ("batch", size), "latent of the words, from the graph text"),
        Port("mirrored", "float32", ("batch", size), "that of the words with the sides exchanged; else the same again"),
        mask,
        Port("guidance", "float32", (), "above 1 follows the words more closely; 1.5 is usual"),
    )
    prior = (
        []
        if model.prior is None
        else [Graph("prior", _Prior(model.prior, model.autoencoder, model.matcher), drawing, (takes, agreement, meant))]
    )
    return [
        Graph("text", _Text(text_encoder.network, model.autoencoder.text_head), (ids,), (words, latent)),
        *prior,
        Graph("encoder", _Encoder(model.autoencoder), (sixd, root, mask), (latent,)),
        Graph(
            "decoder", _Decoder(model.autoencoder, model.matcher), (latent, whole, meant), (turns, root, excess, worth)
        ),
    ]


def manifest(model: MotionCLIP, parts: list[Graph], precision: str, sizes: list[int]) -> dict[str, object]:
    """Returns what a program needs to know that has nothing but the files, of which these are the sizes in bytes."""
    config = model.config
    return {
        "format": "motionclip-onnx",
        "version": 5,
        "precision": precision,
        "fps": config.fps,
        "max_frames": config.max_frames,
        "latent_dim": config.latent_dim,
        "conventions": "metres, Y up, facing +Z, left is +X, right-handed; matrices act on column vectors",
        "skeleton": {
            "names": CANONICAL.names,
            "parents": CANONICAL.parents,
            "offsets": CANONICAL.offsets.tolist(),
        },
        "tokenizer": {
            "file": TOKENIZER,
            "kind": "WordPiece of lower-case words without accents",
            "first": "[CLS]",
            "last": "[SEP]",
            "unknown": "[UNK]",
            "most": MAX_TOKENS,
        },
        "graphs": {
            graph.name: {
                "file": f"{graph.name}.onnx",
                "bytes": size,
                "inputs": [asdict(port) for port in graph.inputs],
                "outputs": [asdict(port) for port in graph.outputs],
            }
            for graph, size in zip(parts, sizes, strict=True)
        },
        "words_to_motion": {
            "guidance": DEFAULT_GUIDANCE,
            "draws": draws_for(model, DEFAULT_TAKES),
            "takes": DEFAULT_TAKES if model.has_prior else 1,
            "excess": EXCESS,
            "recipe": [
                "tokenize the sentence; text gives the latent of the words",
                "the same for the mirrored sentence: left and right, clockwise and counterclockwise exchanged",
                *(["prior: standard normal noise becomes latents, `draws` of them"] if model.has_prior else []),
                "decoder: the first `takes` latents, a mask of seconds * fps times true for each, the words for each",
                "a take is worth its agreement and its worth, less `excess` times its excess; the best is kept",
            ],
        },
        "motion_to_latent": [
            "encoder: sixd, root and mask of a motion at the model's fps that starts above the origin, facing +Z",
        ],
        "positions": "world rotation = parent's @ own; position = parent's + parent's world rotation @ offset; "
        "the first joint is at root",
    }


def export_onnx(
    model: MotionCLIP,
    folder: Path,
    *,
    precision: Precision = "fp32",
    without: Collection[str] = (),
    progress: ProgressCallback | None = None,
) -> list[Path]:
    """Writes a model's graphs, its tokenizer and the manifest; every file appears whole or not at all.

    Args:
        model: on the text encoder minilm.
        folder: made if it is missing.
        precision: "fp16" stores matrices in half precision, which is that of our weights, and computes as "fp32";
            "int8" stores them, and computes with them, as 8-bit integers (onnxruntime's dynamic quantisation).
        without: names of graphs to leave out.
        progress: called with the number of graphs done, and of all.

    Returns:
        The files written, the manifest last.

    Raises:
        MotionClipError: if the model cannot be exported, or the extra `onnx` is not installed.
    """
    check_packages()
    parts = [graph for graph in graphs(model) if graph.name not in without]
    written = []
    for done, graph in enumerate(parts, 1):
        with replacing(folder / f"{graph.name}.onnx") as path:
            _write_graph(graph, path, precision)
        written.append(folder / f"{graph.name}.onnx")
        if progress is not None:
            progress(done, len(parts))
    contents = {
        TOKENIZER: minilm_of(model).tokenizer.to_str(),
        MANIFEST: json.dumps(manifest(model, parts, precision, [path.stat().st_size for path in written]), indent=1),
    }
    for name, content in contents.items():
        with replacing(folder / name) as path:
            path.write_text(content + "\n", encoding="utf-8")
        written.append(folder / name)
    return written


def check_packages() -> None:
    """Raises a MotionClipError if the extra `onnx` is not installed."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise MotionClipError(f"no {', '.join(missing)}; expected the packages of: pip install 'motionclip[onnx]'")


def _write_graph(graph: Graph, path: Path, precision: Precision) -> None:
    with tempfile.TemporaryDirectory() as folder:
        traced, plain = Path(folder) / "traced.onnx", Path(folder) / "plain.onnx"
        _trace(graph, traced)
        _fold(traced, path if precision == "fp32" else plain)
        if precision == "int8":
            quantize(plain, path)
        elif precision == "fp16":
            halve(plain, path)


def _fold(graph: Path, target: Path) -> None:
    """Writes a graph with its constants folded, by those rules of onnxruntime that hold on any machine."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def halve(graph: Path, target: Path) -> None:
    """Writes a graph with its matrices in half precision; a program casts them once, when it loads the graph."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(graph)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and math.prod(tensor.dims) >= _LARGE:
            name, values = tensor.name, numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.save(model, target)


def quantize(graph: Path, target: Path) -> None:
    """Writes a graph with its matrices as 8-bit integers, a scale for each of their columns."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(graph)
    _transpose_matrices(model.graph)
    del model.graph.value_info[:]  # among them shapes of matrices that it transposes, and then takes for wrong
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
    """Returns products that 8 bits would only make worse: of what is computed, and of rotations and bones."""
    large = {tensor.name for tensor in graph.initializer if math.prod(tensor.dims) >= _LARGE}
    products = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    return [node.name for node in products if large.isdisjoint(node.input)]


def _transpose_matrices(graph: onnx.GraphProto) -> None:
    """Transposes the matrices of Gemm nodes: the quantiser would do so once for each node that shares one."""
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
    with _plain_attention(), _silence(), torch.no_grad():
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
def _silence() -> Iterator[None]:
    """Keeps back what the exporter says of its own parts: warnings, and that torchvision is not installed."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Turns off torch's fused encoder layers, which have no counterpart in ONNX."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
