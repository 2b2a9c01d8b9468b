"""Retargets every clip of any sources, measures each, and renders a contact sheet.

    python scripts/check_retarget.py cmu:.data/cmu bandai_namco:.data/dataset --out .data/retarget_check

writes ``figures.csv`` (one row per clip), ``summary.md`` (a table by kind of skeleton, and extremes) and ``sheet.png``
(a few clips of each kind).
"""

from __future__ import annotations

import csv
import random
import time
import warnings
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import tyro

from motionclip.data.clip import Item
from motionclip.data.prepare import RefusedClip
from motionclip.data.sources import open_source
from motionclip.errors import MotionClipError
from motionclip.motion import CANONICAL, Motion, canonicalize_heading, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import find_humanoid, retarget, retarget_report, sole_points
from motionclip.render import contact_sheet

#: Frames of a clip on the contact sheet, at most.
SHOWN_FRAMES = 1200


@dataclass(frozen=True)
class ClipFigures:
    """The measurements of one clip: angles in degrees, lengths in metres, times in milliseconds.

    Attributes:
        kind: data set and skeleton.
        limb_mean, limb_max: limb directions, source against target.
        trunk_mean, trunk_max: the same of the lines of hips and shoulders, and from the hips to shoulders and head.
        heading_max: largest angle between where source and target face.
        feet_turned: share of frames in which a foot points over 60 degrees away from the source's.
        floor: height at which the feet rest; ideally 0.
        lowest_sole: the 1 % quantile over time of the lowest sole point.
        flips: sudden rotations of the target that its source does not have.
        source_jumps: frames in which a source joint turns by more than 60 degrees.
        knees_forward, elbows_backward: share of frames in which one bends the wrong way by over 10 degrees.
        pelvis_height: median over time.
        ms_per_100_frames: time that ``retarget`` takes.
    """

    key: str
    kind: str
    frames: int
    fps: float
    limb_mean: float
    limb_max: float
    trunk_mean: float
    trunk_max: float
    heading_max: float
    feet_turned: float
    floor: float
    lowest_sole: float
    flips: int
    source_jumps: int
    knees_forward: float
    elbows_backward: float
    pelvis_height: float
    ms_per_100_frames: float


def measure(item: Item) -> ClipFigures | RefusedClip:
    """Reads and retargets one clip; returns its measurements, or why there are none."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        clip = item.read()
        source = clip.motion
        start = time.perf_counter()
        target = retarget(source)
        elapsed = (time.perf_counter() - start) * 1e5 / source.num_frames
    except MotionClipError as error:
        return RefusedClip(item.key, str(error))
    report = retarget_report(source, target)
    return ClipFigures(
        key=item.key,
        kind=f"{clip.dataset}, {source.skeleton.num_joints} joints of {source.skeleton.names[0]}",
        frames=source.num_frames,
        fps=source.fps,
        limb_mean=report.limb_mean,
        limb_max=report.limb_max,
        trunk_mean=report.trunk_mean,
        trunk_max=report.trunk_max,
        heading_max=report.heading_max,
        feet_turned=_feet_turned(source, target),
        floor=report.foot_height,
        lowest_sole=float(torch.quantile(sole_points(target)[..., 1].min(dim=-1).values, 0.01)),
        flips=report.flips,
        source_jumps=_jumps(source),
        knees_forward=_bent(target, ("left_hip", "right_hip"), ("left_knee", "right_knee"), -1.0),
        elbows_backward=_bent(target, ("left_shoulder", "right_shoulder"), ("left_elbow", "right_elbow"), 1.0),
        pelvis_height=float(target.root[:, 1].median()),
        ms_per_100_frames=elapsed,
    )


def _feet_turned(source: Motion, target: Motion) -> float:
    here, there = find_humanoid(source.skeleton).joints, {name: CANONICAL.index(name) for name in CANONICAL.names}
    wrong = torch.zeros(source.num_frames, dtype=torch.bool)
    for ankle, foot in (("left_ankle", "left_foot"), ("right_ankle", "right_foot")):
        if foot in here:
            (a, b), (c, d) = (here[ankle], here[foot]), (there[ankle], there[foot])
            bones = source.positions[:, b] - source.positions[:, a], target.positions[:, d] - target.positions[:, c]
            wrong |= torch.cosine_similarity(*bones, dim=-1) < 0.5
    return float(wrong.float().mean())


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


def summarize(rows: list[ClipFigures], refused: list[RefusedClip]) -> str:
    """Returns a Markdown table by kind of skeleton, then the clips with extreme values."""
    lines = [
        "| skeleton | clips | limbs, mean / max | trunk, mean / max | heading max | feet turned | floor max "
        "| lowest sole min | flips | ms / 100 frames |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in sorted({row.kind for row in rows}):
        own = [row for row in rows if row.kind == kind]
        speeds = sorted(row.ms_per_100_frames for row in own)
        frames = sum(row.frames for row in own)
        limbs, trunks = (sum(getattr(row, f"{part}_mean") * row.frames for row in own) for part in ("limb", "trunk"))
        lines.append(
            f"| {kind} | {len(own)} "
            f"| {limbs / frames:.4f}° / {max(row.limb_max for row in own):.3f}° "
            f"| {trunks / frames:.4f}° / {max(row.trunk_max for row in own):.3f}° "
            f"| {max(row.heading_max for row in own):.3f}° | {max(row.feet_turned for row in own):.0%} "
            f"| {100 * max(abs(row.floor) for row in own):.1f} cm | {100 * min(row.lowest_sole for row in own):.0f} cm "
            f"| {sum(row.flips for row in own)} | {speeds[len(speeds) // 2]:.1f} |"
        )
    lines += ["", f"Refused: {len(refused)}", *(f"- {item.key}: {item.reason}" for item in refused)]
    for name in (
        "trunk_max",
        "heading_max",
        "feet_turned",
        "flips",
        "source_jumps",
        "knees_forward",
        "elbows_backward",
    ):
        lines += ["", f"Most {name}:", *_extremes(rows, name, largest=True)]
    for name in ("lowest_sole", "pelvis_height"):
        lines += ["", f"Least {name}:", *_extremes(rows, name, largest=False)]
    return "\n".join(lines) + "\n"


def _extremes(rows: list[ClipFigures], name: str, largest: bool) -> list[str]:
    ordered = sorted(rows, key=lambda row: getattr(row, name), reverse=largest)
    return [f"- {row.key}: {getattr(row, name):.3f}" for row in ordered[:8]]


def draw(items: Iterable[Item], path: Path) -> None:
    """Saves a contact sheet of retargeted clips, each turned to face +Z at its start."""
    motions, titles = [], []
    for item in items:
        motion = retarget(item.read().motion)
        motion = motion.frames(0, min(motion.num_frames, SHOWN_FRAMES))
        motions.append(resample(canonicalize_heading(motion), 30.0))
        titles.append(item.key)
    contact_sheet(motions, titles, columns=3).save(path)


def some_of_each(items: list[Item], rows: list[ClipFigures], count: int) -> list[Item]:
    """Returns the items of ``count`` rows of each kind, the same ones each time."""
    shown: set[str] = set()
    for kind in sorted({row.kind for row in rows}):
        own = [row.key for row in rows if row.kind == kind]
        shown.update(random.Random(0).sample(own, min(count, len(own))))
    return [item for item in items if item.key in shown]


def main(
    sources: tyro.conf.Positional[tuple[str, ...]],
    out: Path = Path(".data/retarget_check"),
    processes: int = 2,
    clips: int = 3,
) -> None:
    """Check the retargeting.

    Args:
        sources: as `motionclip prepare` takes them: cmu:DIR, bandai_namco:DIR, folder:DIR, ...
        out: folder for the results.
        processes: number of clips that are measured at once.
        clips: number of clips of each kind of skeleton on the contact sheet.
    """
    items = [item for source in sources for item in open_source(source).items]
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        results = list(pool.map(measure, items, chunksize=16))
    rows = [result for result in results if isinstance(result, ClipFigures)]
    refused = [result for result in results if isinstance(result, RefusedClip)]
    with (out / "figures.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(ClipFigures)])
        table.writeheader()
        table.writerows(asdict(row) for row in rows)
    (out / "summary.md").write_text(summarize(rows, refused), encoding="utf-8")
    warnings.simplefilter("ignore")
    draw(some_of_each(items, rows, clips), out / "sheet.png")
    print((out / "summary.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    tyro.cli(main)
