"""Retargets every file of both data sets, measures each, and renders a contact sheet.

    python scripts/check_retarget.py --data .data --out .data/retarget_check

writes ``figures.csv`` (one row per file), ``summary.md`` and ``sheet.png`` (30 clips of both sets).
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import tyro

from motionclip.data.bandai_namco import bandai_namco_source
from motionclip.data.clip import Item
from motionclip.data.cmu import cmu_source
from motionclip.data.prepare import RefusedClip
from motionclip.errors import MotionClipError
from motionclip.motion import CANONICAL, Motion, canonicalize_heading, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import detect_family, retarget, retarget_report, sole_points
from motionclip.render import contact_sheet

# Clips that show one clear thing each, then a random choice of the rest.
SHOWN = (
    *("dataset-1_walk_normal_001", "dataset-1_kick_normal_001", "dataset-1_dance-short_normal_001"),
    *("dataset-2_raise-up-right-hand_normal_001", "dataset-2_wave-left-hand_normal_001", "dataset-2_run_normal_001"),
    *("dataset-1_bow_normal_001", "dataset-2_walk_elderly_001"),
    *("01_01", "02_01", "05_02", "06_02", "13_11", "35_01", "49_06", "60_01", "131_01"),
)


@dataclass(frozen=True)
class FileFigures:
    """The measurements of one file: angles in degrees, lengths in metres, times in milliseconds.

    Attributes:
        bone_error_mean, bone_error_max: limb directions, source against target.
        floor: height at which the feet rest; ideally 0.
        lowest_sole: the 1 % quantile over time of the lowest sole point.
        flips: sudden rotations of the target that its source does not have.
        source_jumps: frames in which a source joint turns by more than 60 degrees.
        knees_forward, elbows_backward: share of frames in which one bends the wrong way by over 10 degrees.
        pelvis_height: median over time.
        ms_per_100_frames: time that ``retarget`` takes.
    """

    key: str
    family: str
    frames: int
    fps: float
    bone_error_mean: float
    bone_error_max: float
    floor: float
    lowest_sole: float
    flips: int
    source_jumps: int
    knees_forward: float
    elbows_backward: float
    pelvis_height: float
    ms_per_100_frames: float


def measure(item: Item) -> FileFigures | RefusedClip:
    """Reads and retargets one file; returns its measurements, or why there are none."""
    torch.set_num_threads(1)
    try:
        source = item.read().motion
        start = time.perf_counter()
        target = retarget(source)
        elapsed = (time.perf_counter() - start) * 1e5 / source.num_frames
    except MotionClipError as error:
        return RefusedClip(item.key, str(error))
    report = retarget_report(source, target)
    return FileFigures(
        key=item.key,
        family=detect_family(source.skeleton)[0].name,
        frames=source.num_frames,
        fps=source.fps,
        bone_error_mean=report.limb_mean,
        bone_error_max=report.limb_max,
        floor=report.foot_height,
        lowest_sole=float(torch.quantile(sole_points(target)[..., 1].min(dim=-1).values, 0.01)),
        flips=report.flips,
        source_jumps=_jumps(source),
        knees_forward=_bent(target, ("left_hip", "right_hip"), ("left_knee", "right_knee"), -1.0),
        elbows_backward=_bent(target, ("left_shoulder", "right_shoulder"), ("left_elbow", "right_elbow"), 1.0),
        pelvis_height=float(target.root[:, 1].median()),
        ms_per_100_frames=elapsed,
    )


def _jumps(source: Motion) -> int:
    world = source.world[0]
    return int((rot.geodesic_angle(world[:-1], world[1:]) > 1.05).any(dim=-1).sum())


def _bent(target: Motion, upper: tuple[str, str], lower: tuple[str, str], forward: float) -> float:
    """Returns the share of frames in which a hinge bends against ``forward`` times +Z by over 10 degrees."""
    world, positions = target.world
    worst = torch.zeros(target.num_frames, dtype=torch.bool)
    for first, second in zip(upper, lower, strict=True):
        start, middle = CANONICAL.index(first), CANONICAL.index(second)
        end = CANONICAL.children[middle][0]
        bone = (positions[:, end] - positions[:, middle]) / CANONICAL.offsets[end].norm()
        local = (world[:, start].mT @ bone[..., None])[..., 0]
        worst |= forward * local[:, 2] < -0.17
    return float(worst.float().mean())


def summarize(rows: list[FileFigures], refused: list[RefusedClip]) -> str:
    """Returns a Markdown table by skeleton family, then the files with extreme values."""
    lines = [
        "| family | files | frames | bone error mean / max | floor max | lowest sole min | flips | ms / 100 frames |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for family in sorted({row.family for row in rows}):
        own = [row for row in rows if row.family == family]
        speeds = sorted(row.ms_per_100_frames for row in own)
        lines.append(
            f"| {family} | {len(own)} | {sum(row.frames for row in own)} "
            f"| {max(row.bone_error_mean for row in own):.5f} / {max(row.bone_error_max for row in own):.4f} "
            f"| {max(abs(row.floor) for row in own):.4f} | {min(row.lowest_sole for row in own):.3f} "
            f"| {sum(row.flips for row in own)} | {speeds[len(speeds) // 2]:.1f} |"
        )
    lines += ["", f"Refused: {len(refused)}", *(f"- {item.key}: {item.reason}" for item in refused)]
    for name in ("flips", "source_jumps", "knees_forward", "elbows_backward"):
        lines += ["", f"Most {name}:", *_extremes(rows, name, largest=True)]
    for name in ("lowest_sole", "pelvis_height"):
        lines += ["", f"Least {name}:", *_extremes(rows, name, largest=False)]
    return "\n".join(lines) + "\n"


def _extremes(rows: list[FileFigures], name: str, largest: bool) -> list[str]:
    ordered = sorted(rows, key=lambda row: getattr(row, name), reverse=largest)
    return [f"- {row.key}: {getattr(row, name):.3f}" for row in ordered[:8]]


def draw(items: Iterable[Item], path: Path) -> None:
    """Saves a contact sheet of retargeted clips, each turned to face +Z at its start."""
    motions, titles = [], []
    for item in items:
        motion = retarget(item.read().motion)
        motions.append(resample(canonicalize_heading(motion.frames(0, min(motion.num_frames, 1200))), 30.0))
        titles.append(item.key)
    contact_sheet(motions, titles, columns=3).save(path)


def main(
    data: Path = Path(".data"), out: Path = Path(".data/retarget_check"), processes: int = 2, clips: int = 30
) -> None:
    """Check the retargeting.

    Args:
        data: folder that holds ``cmu`` and ``dataset``.
        out: folder for the results.
        processes: number of files that are measured at once.
        clips: number of clips on the contact sheet.
    """
    items = [*bandai_namco_source(data / "dataset").items, *cmu_source(data / "cmu").items]
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        results = list(pool.map(measure, items, chunksize=16))
    rows = [result for result in results if isinstance(result, FileFigures)]
    refused = [result for result in results if isinstance(result, RefusedClip)]
    with (out / "figures.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(FileFigures)])
        table.writeheader()
        table.writerows(asdict(row) for row in rows)
    (out / "summary.md").write_text(summarize(rows, refused), encoding="utf-8")
    done = {row.key for row in rows}
    shown = [item for item in items if item.key in SHOWN and item.key in done]
    others = [item for item in items if item.key not in SHOWN and item.key in done]
    draw([*shown, *random.Random(0).sample(others, max(0, min(clips - len(shown), len(others))))], out / "sheet.png")
    print((out / "summary.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    tyro.cli(main)
