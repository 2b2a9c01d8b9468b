"""`motionclip prepare`: from a data set to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tyro

if TYPE_CHECKING:
    from rich.table import Table

    from motionclip.data.prepare import PrepareReport

#: Refused clips that are printed; all of them are in report.json.
_SHOWN = 20


def prepare(
    source: tyro.conf.Positional[str],
    out: Path,
    frames: int = 0,
    shard: str | None = None,
    workers: int = 0,
    overwrite: bool = False,
) -> None:
    """Put a data set onto the canonical skeleton at 30 frames per second, ready for training.

    A run that was stopped goes on where it was when the same command is given again. On a cluster, give the same
    command with --shard 1/n to n/n, at the same time or not, and then once without --shard: that puts the parts
    together, and makes those that are missing.

    Args:
        source: cmu:DIR, bandai_namco:DIR, amass:DIR[,babel=DIR][,humanml3d=PATH][,split=amass|babel|humanml3d],
            folder:DIR, synthetic, synthetic:COUNT, or a folder whose kind is found out.
        out: folder of the store to make.
        frames: pictures to draw for every two seconds of a clip, for text encoders that see pictures; a store that is there
            already and has none gets them.
        shard: do only this share of the work, written as i/n.
        workers: processes to use; 0 means one per core.
        overwrite: replace a store that is already there.
    """
    from motionclip.cli.console import counted, say
    from motionclip.data.prepare import prepare as prepare_store
    from motionclip.data.prepare import prepare_shard
    from motionclip.data.shards import Shard
    from motionclip.data.sources import open_source

    share = None if shard is None else Shard.parse(shard)
    found = open_source(source)
    say(f"source {found.spec}: {len(found.items)} clips", *found.notes)
    with counted("preparing") as progress:
        if share is not None:
            prepare_shard(found, out, share, frames=frames, workers=workers, overwrite=overwrite, progress=progress)
            say(f"shard {share} is done; when all are, the same command without --shard puts them together")
            return
        report = prepare_store(found, out, frames=frames, workers=workers, overwrite=overwrite, progress=progress)
    say(_table(report, out), *_refusals(report, out))


def _table(report: PrepareReport, out: Path) -> Table:
    from rich.table import Table

    from motionclip.data.store import Store

    errors = report.retargeting
    mean = sum(clip.mean_deg for clip in errors) / len(errors)
    worst = max(errors, key=lambda clip: clip.max_deg)
    low, high = min(clip.foot_height_m for clip in errors), max(clip.foot_height_m for clip in errors)
    flipped = [clip for clip in errors if clip.flips]
    splits = ", ".join(f"{name} {count}" for name, count in report.splits.items())
    table = Table(title=f"store {out}", show_header=False)
    table.add_row("clips", f"{report.clips} ({splits})")
    table.add_row("length", f"{report.minutes:.1f} minutes, {report.frames} frames")
    table.add_row("captions", f"{report.captions}, {report.texts} distinct sentences")
    table.add_row("refused", str(len(report.refused)))
    if pictures := Store.open(out).pictures:
        table.add_row(
            "pictures", f"{pictures.count} of {pictures.size} x {pictures.size}, {pictures.bytes / 1e6:.1f} MB"
        )
    table.add_row("bone direction error", f"mean {mean:.2f}°, largest {worst.max_deg:.1f}° ({worst.key})")
    table.add_row("lowest sole", f"{100 * low:.1f} to {100 * high:.1f} cm over the floor")
    table.add_row("flips between frames", f"{sum(clip.flips for clip in flipped)} in {len(flipped)} clips")
    return table


def _refusals(report: PrepareReport, out: Path) -> list[str]:
    lines = [f"refused {refusal.key}: {refusal.reason}" for refusal in report.refused[:_SHOWN]]
    more = len(report.refused) - _SHOWN
    return [*lines, f"and {more} more: see {out / 'report.json'}"] if more > 0 else lines
