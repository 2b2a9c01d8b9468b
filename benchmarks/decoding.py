"""What each step of decoding does to motion, on `val`: all of them, then each one left out.

    python benchmarks/decoding.py

Prints the figures and writes benchmarks/results/decoding.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
import tyro

import motionclip
from motionclip.applications.evaluate.clips import Clips, distance, evenly
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.metrics.physics import Physics, physics
from motionclip.motion import Motion
from val_split import STORES, described, time_of, write_rows

OUT = Path(__file__).parent / "results" / "decoding.json"
CLIPS, SECONDS = 100, 2.0
#: The steps that can be left out, each with the function that does nothing in its place.
STEPS: dict[str, tuple[str, Callable[..., object]]] = {
    "smoothing": ("motionclip.model.network.smooth", lambda values, lengths: values),
    "limit of heading": ("motionclip.model.postprocessing.limit_root_rotation_rate", lambda rotations, fps: rotations),
    "limit of limbs": ("motionclip.model.postprocessing.limit_joint_rotation_rate", lambda rotations, fps: rotations),
    "path from standing feet": ("motionclip.model.postprocessing.foot_locked_root", lambda feet, root, contacts: root),
    "legs that hold feet": ("motionclip.model.postprocessing.move_ankles", lambda rotations, *place: rotations),
}


@dataclass(frozen=True)
class Row:
    """Figures of one way to decode on one data set; those of the recordings have no error.

    Attributes:
        dataset: whose clips they are.
        left_out: the step of decoding that is left out; ``nothing``, or ``recorded`` for the clips themselves.
        mpjpe_mm: error of the clips through the auto-encoder, root at the origin.
        physics: of motions that are drawn for the words of the clips.
    """

    dataset: str
    left_out: str
    mpjpe_mm: float | None
    physics: Physics


def main(data: tuple[Path, ...] = STORES, model: str = "base") -> None:
    """Figures of the data sets of some stores."""
    network = motionclip.load(model)
    windows = WindowSet([Store.open(path) for path in data], "val", {}, 21)
    rows: list[Row] = []
    for dataset in described(windows):
        for row in dataset_rows(network, Clips(windows, dataset, round(SECONDS * network.config.fps))):
            print(row)
            rows.append(row)
    write_rows(rows, OUT)


def dataset_rows(model: motionclip.MotionCLIP, clips: Clips) -> Iterator[Row]:
    """The recordings, all steps, and each one left out."""
    chosen = [clip for clip in evenly(len(clips), CLIPS) if clips.num_frames(clip) >= 4]
    recorded = clips.motions(chosen, model.config.fps)
    yield Row(clips.dataset, "recorded", None, physics(recorded))
    for step in ("nothing", *STEPS):
        with without(step):
            decoded = [model.decode(model.encode([motion]), time_of(motion))[0] for motion in recorded]
            drawn = [
                motionclip.text_to_motion(model, clips.texts[clip], seconds=time_of(motion), seed=clip)
                for clip, motion in zip(chosen, recorded, strict=True)
            ]
        yield Row(clips.dataset, step, mean_error_mm(decoded, recorded), physics(drawn))


@contextmanager
def without(step: str) -> Iterator[None]:
    """Decoding without one of its steps."""
    if step not in STEPS:
        yield
        return
    with mock.patch(*STEPS[step]):
        yield


def mean_error_mm(made: list[Motion], true: list[Motion]) -> float:
    """Mean over motions of the mean distance of their joints, root at the origin."""
    return 1000 * torch.stack([distance(*pair) for pair in zip(made, true, strict=True)]).mean().item()


if __name__ == "__main__":
    tyro.cli(main)
