"""Sizes, times and errors of the exported graphs, in fp32, fp16 and int8, against torch: one thread, processor time.

    pip install --constraint constraints.txt -e '.[onnx]'
    python benchmarks/export_onnx.py

Motions are four seconds, drawn by the model for the sentences below. Each graph is given what torch made of the step
before it, and "words to motion" runs all of them one after another. "off_mm" is how far joints are from where torch
has them, on average and at most; of latents the angle is given.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import tyro
from numpy.typing import NDArray
from torch import Tensor

import motionclip
from motionclip.export.onnx import export_onnx, halve, quantize
from motionclip.model.features import Batch, canonicalize
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, forward_kinematics
from parse_bvh import commit, machine

RESULTS = Path(__file__).parent / "results" / "onnx.json"
SENTENCES = [
    "a person walks",
    "an exhausted person walks",
    "a person runs",
    "wave with the right hand",
    "turn left while walking",
    "a person jumps",
    "kick",
    "dance",
]
SECONDS, GUIDANCE, SEED = 4.0, 1.5, 0
Arrays = list[NDArray[np.float32]]


class Exported:
    """The graphs of a folder, run by onnxruntime on one thread, for motions of some frames."""

    def __init__(self, folder: Path, frames: int):
        self.frames = frames
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self.graphs = {path.stem: onnxruntime.InferenceSession(path, options) for path in folder.glob("*.onnx")}

    def run(self, graph: str, **inputs: Tensor | NDArray[np.float32]) -> Arrays:
        return self.graphs[graph].run(None, {name: np.asarray(value) for name, value in inputs.items()})

    def sample(self, words: Tensor | NDArray[np.float32], noise: Tensor) -> NDArray[np.float32]:
        mask, guidance = np.ones((len(words), self.frames), bool), np.float32(GUIDANCE)
        return self.run("prior", noise=noise[:, None], text=words, mirrored=words, mask=mask, guidance=guidance)[0][
            :, 0
        ]


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Of processor time, the median; the first call is not counted."""
    work()
    took = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return round(1000 * statistics.median(took), 2)


def off(found: Arrays, expected: tuple[Tensor, Tensor]) -> dict[str, float]:
    """How far joints are from where they should be, millimetres."""
    there = forward_kinematics(torch.from_numpy(found[0]), torch.from_numpy(found[1]), CANONICAL)[1]
    away = (there - forward_kinematics(*expected, CANONICAL)[1]).norm(dim=-1) * 1000
    return {"off_mm_mean": float(f"{away.mean():.2g}"), "off_mm_most": float(f"{away.max():.2g}")}


def angle(found: NDArray[np.float32], expected: Tensor) -> dict[str, float]:
    """Between latents, degrees, at most; and the largest difference of a number."""
    cosine = torch.nn.functional.cosine_similarity(torch.from_numpy(found).double(), expected.double()).clamp(-1, 1)
    apart = np.abs(found - expected.numpy()).max()
    return {"off_degrees": float(f"{cosine.acos().rad2deg().max():.2g}"), "off_most": float(f"{apart:.2g}")}


def measure(model: MotionCLIP, exported: Exported, rounds: int) -> dict[str, dict[str, float]]:
    """Errors for all sentences, and times for one, of each graph and of all together."""
    network, frames = model.network.autoencoder, model.num_frames(SECONDS)
    tokens = [torch.tensor(model.text_encoder.tokenizer.encode(text).ids) for text in SENTENCES]
    ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    mask = torch.ones(len(SENTENCES), frames, dtype=torch.bool)
    noise = torch.randn(1, model.config.num_coefficients, generator=torch.Generator().manual_seed(SEED))
    noise = noise.expand(len(SENTENCES), -1).contiguous()
    words = model.embed_text(SENTENCES)
    drawn = model.sample(words, SECONDS, guidance=GUIDANCE, seed=SEED)
    decoded = network.decode(drawn, mask)
    window = Batch(*canonicalize(decoded.sixd, decoded.root), mask)
    code = network.encode(window)
    made = model.decode(drawn, SECONDS)
    motion = torch.stack([each.rotations for each in made]), torch.stack([each.root for each in made])

    def all_of_it(count: int) -> Arrays:
        meant = exported.run("text", ids=ids[:count])[1]
        return decode(exported.sample(meant, noise[:count]), meant)

    def decode(latent: Tensor | NDArray[np.float32], meant: Tensor | NDArray[np.float32]) -> Arrays:
        return exported.run("decoder", latent=latent, mask=mask[: len(latent)], words=meant)

    def encode(count: int) -> Arrays:
        return exported.run("encoder", sixd=window.sixd[:count], root=window.root[:count], mask=mask[:count])

    everything = len(SENTENCES)
    return {
        "text": angle(exported.run("text", ids=ids)[1], words)
        | {"ms": milliseconds(lambda: exported.run("text", ids=tokens[0][None]), rounds)},
        "prior": angle(exported.sample(words, noise), drawn)
        | {"ms": milliseconds(lambda: exported.sample(words[:1], noise[:1]), rounds)},
        "encoder": angle(encode(everything)[0], code) | {"ms": milliseconds(lambda: encode(1), rounds)},
        "decoder": off(decode(drawn, words), motion)
        | {"ms": milliseconds(lambda: decode(drawn[:1], words[:1]), rounds)},
        "words to motion": off(all_of_it(everything), motion) | {"ms": milliseconds(lambda: all_of_it(1), rounds)},
    }


def torch_times(model: MotionCLIP, rounds: int) -> dict[str, float]:
    """Milliseconds of processor time of the same, for one sentence."""
    network, frames = model.network.autoencoder, model.num_frames(SECONDS)
    words = model.embed_text(SENTENCES[:1])
    drawn, mask = model.sample(words, SECONDS, guidance=GUIDANCE, seed=SEED), torch.ones(1, frames, dtype=torch.bool)
    decoded = network.decode(drawn, mask)
    return {
        "text": milliseconds(lambda: model.embed_text(SENTENCES[:1]), rounds),
        "prior": milliseconds(lambda: model.sample(words, SECONDS, guidance=GUIDANCE, seed=SEED), rounds),
        "encoder": milliseconds(lambda: network.encode(Batch(decoded.sixd, decoded.root, mask)), rounds),
        "decoder": milliseconds(lambda: model.decode(drawn, SECONDS), rounds),
    }


def main(rounds: int = 9, folder: Path | None = None) -> None:
    """Measure, print and write to results/.

    Args:
        rounds: how often each time is taken.
        folder: graphs of the shipped model in fp32; exported anew if none.
    """
    torch.set_num_threads(1)
    model = motionclip.load()
    report: dict[str, object] = {
        "command": "python benchmarks/export_onnx.py",
        "commit": commit(),
        "machine": machine(),
    }
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        whole, half, small = folder or Path(temporary) / "fp32", Path(temporary) / "fp16", Path(temporary) / "int8"
        if folder is None:
            with torch.inference_mode(False):
                export_onnx(model, whole)
        half.mkdir()
        small.mkdir()
        for graph in whole.glob("*.onnx"):
            halve(graph, half / graph.name)
            quantize(graph, small / graph.name)
        report["torch_ms"] = torch_times(model, rounds)
        for name, place in (("fp32", whole), ("fp16", half), ("int8", small)):
            sizes = {path.stem: round(path.stat().st_size / 1e6, 1) for path in sorted(place.glob("*.onnx"))}
            report[name] = {"megabytes": sizes} | measure(model, Exported(place, model.num_frames(SECONDS)), rounds)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    tyro.cli(main)
