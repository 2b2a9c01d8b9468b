"""`motionclip prepare`: from a data set to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.cli.options import AboutSource, optional

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.data.prepare import PrepareReport

#: Refused clips that are printed; all of them are in report.json.
_SHOWN = 20


def prepare(
    source: tyro.conf.Positional[str],
    out: Path,
    frames: int = 0,
    body: Annotated[Path | None, optional(Path, "FILE", default="the default body")] = None,
    window_captions: Annotated[Path | None, optional(Path, "FILE.jsonl")] = None,
    workers: int = 0,
    overwrite: bool = False,
    *,
    about: AboutSource,
) -> None:
    """Put a data set onto the canonical skeleton at 30 frames per second, ready for training.

    A run that was stopped goes on where it was when the same command is given again.

    Args:
        source: cmu:DIR, bandai_namco:DIR, amass:DIR[,babel=DIR][,humanml3d=PATH][,split=amass|babel|humanml3d],
            folder:DIR[,val=PATTERN][,test=PATTERN], synthetic, synthetic:COUNT, or a folder whose kind is found out.
        out: folder of the store to make.
        frames: frames to render for every two seconds of a clip, for image encoders; a store that is there already and
            has none gets them.
        body: .npz or .pkl of an SMPL, SMPL-H or SMPL-X model to render, instead of the default body.
        window_captions: JSON lines with sentences about short spans of the clips: clip, start, end (seconds), texts,
            and optionally set, label and quality; `shipped` is ours about CMU, ACCAD and KayKit.
        workers: processes to use; 0 means one per core if there is work for more than a few seconds, else one.
        overwrite: replace a store that is already there.
    """
    from motionclip.cli.console import say, track
    from motionclip.data.prepare import prepare as prepare_store
    from motionclip.data.sources import open_source
    from motionclip.data.window_captions import SHIPPED, shipped_captions, with_window_captions

    opened = open_source(source, about.known())
    if window_captions is not None:
        path = shipped_captions() if str(window_captions) == SHIPPED else window_captions
        opened = with_window_captions(opened, path)
    say(f"source {opened.spec}: {len(opened.items)} clips", *opened.notes)
    with track("preparing") as progress:
        report = prepare_store(
            opened, out, frames=frames, body=body, workers=workers, overwrite=overwrite, progress=progress
        )
    say(_table(report, out))
    say(*(f"refused {clip.key}: {clip.reason}" for clip in report.refused[:_SHOWN]))
    if len(report.refused) > _SHOWN:
        say(f"and {len(report.refused) - _SHOWN} more: see {out / 'report.json'}")


def _table(report: PrepareReport, out: Path) -> Table:
    from rich.table import Table

    from motionclip.cli.console import plain
    from motionclip.data.store import Store

    errors = report.retargeting
    limbs, trunks = (sum(getattr(c, name) for c in errors) / len(errors) for name in ("mean_deg", "trunk_mean_deg"))
    limb, trunk = max(errors, key=lambda clip: clip.max_deg), max(errors, key=lambda clip: clip.trunk_max_deg)
    heading = max(errors, key=lambda clip: clip.heading_max_deg)
    low, high = min(clip.foot_height_m for clip in errors), max(clip.foot_height_m for clip in errors)
    untrusted = sum(not clip.rest_pose_used for clip in errors)
    flipped = [clip for clip in errors if clip.flips]
    splits = ", ".join(f"{name} {count}" for name, count in report.splits.items())
    table = Table(title=plain(f"store {out}"), show_header=False)
    table.add_row("clips", f"{report.clips} ({splits})")
    table.add_row("length", f"{report.minutes:.1f} minutes, {report.frames} frames")
    table.add_row("captions", f"{report.captions}, {report.texts} distinct sentences")
    table.add_row("refused", str(len(report.refused)))
    if rendered := Store.open(out).rendered_frames:
        size = f"{rendered.size} x {rendered.size}, {rendered.bytes / 1e6:.1f} MB"
        table.add_row("rendered frames", f"{rendered.count} of {size}")
    table.add_row("limb direction error", plain(f"mean {limbs:.2f}°, largest {limb.max_deg:.1f}° ({limb.key})"))
    table.add_row(
        "trunk direction error", plain(f"mean {trunks:.2f}°, largest {trunk.trunk_max_deg:.1f}° ({trunk.key})")
    )
    table.add_row("heading error", plain(f"largest {heading.heading_max_deg:.1f}° ({heading.key})"))
    table.add_row("lowest sole", f"{100 * low:.1f} to {100 * high:.1f} cm over the floor")
    table.add_row("rest pose is none", f"{untrusted} clips; their joints are turned as their positions show")
    table.add_row("flips between frames", f"{sum(clip.flips for clip in flipped)} in {len(flipped)} clips")
    return table
