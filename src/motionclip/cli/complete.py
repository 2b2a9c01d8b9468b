"""`motionclip complete`, `reconstruct` and `interpolate`: motions made from motions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.cli.console import save_motion, say, track, write_sheet
from motionclip.cli.options import (
    Formats,
    Guidance,
    Model,
    MotionFile,
    OutFile,
    Picture,
    Seconds,
    Seed,
    TextOrFile,
    check_picture,
    optional,
    read_source,
)
from motionclip.errors import MotionError
from motionclip.io import check_writable
from motionclip.seeds import check_seed

if TYPE_CHECKING:
    from motionclip.motion import Motion

#: Seconds of a row in the picture of a reconstruction, and the most rows of one: a minute and a half.
_ROW_SECONDS, _MAX_ROWS = 4.0, 24


def complete(
    file: MotionFile,
    /,
    *,
    gaps: Annotated[tuple[str, ...], arg(metavar="START:STOP ...", help_behavior_hint="(optional)")] = (),
    extend: Annotated[float | None, optional(float, "SECONDS")] = None,
    before: bool = False,
    text: Annotated[str | None, optional(str, "TEXT", default="what the seen frames suggest")] = None,
    out: OutFile = Path("complete.bvh"),
    picture: Picture = None,
    seed: Annotated[int | None, optional(int, "N", default="the most likely way")] = None,
    guidance: Guidance = DEFAULT_GUIDANCE,
    options: Model,
) -> None:
    """Fill gaps of a motion, or continue it; all other frames stay as they are.

    Args:
        gaps: Spans to make anew, in seconds, such as 2:3 or 2:3 7.5:8.
        extend: Seconds to add, instead of --gaps.
        before: With --extend, add them before the first frame instead of after the last.
        text: What the person does in the new frames.
        picture: Also draw the motion before, in and after each gap.
        seed: Random seed: each number gives another way to do it.
    """
    if bool(gaps) == (extend is not None) or (before and extend is None):
        raise MotionError("expected --gaps START:STOP ..., or --extend SECONDS (with --before, to add them in front)")
    spans = read_gaps(gaps)
    check_seed(seed or 0)
    check_writable(out)
    check_picture(picture)
    given, model = motionclip.read_motion(file), options.load()
    with track("steps") as on_step:
        if extend is None:
            made = motionclip.complete(model, given, spans, text=text, seed=seed, guidance=guidance, on_step=on_step)
        else:
            made = motionclip.extend(
                model, given, extend, before=before, text=text, seed=seed, guidance=guidance, on_step=on_step
            )
            spans = [(0.0, extend) if before else (made.duration - extend, made.duration)]
    save_motion(made, out)
    say(f"{out}: {made.duration:.2f} s")
    if picture is not None:
        _draw_gaps(made, sorted(spans), picture)
        say(picture)


def read_gaps(listed: Sequence[str]) -> list[tuple[float, float]]:
    """Returns gaps, given as ``START:STOP``, in seconds.

    Raises:
        MotionError: if one is not two numbers.
    """
    gaps = []
    for gap in listed:
        try:
            start, stop = map(float, gap.split(":"))
        except ValueError:
            raise MotionError(f"gap {gap!r}; expected two numbers of seconds, such as 2:3.5") from None
        gaps.append((start, stop))
    return gaps


def _draw_gaps(motion: Motion, gaps: Sequence[tuple[float, float]], picture: Path) -> None:
    """Writes film strips: up to two seconds before each gap, the gap, up to two seconds after."""
    from motionclip.motion import crop

    strips, titles = [], []
    for start, stop in gaps:
        spans = (
            ("seen", max(start - 2, 0), start),
            ("made", start, stop),
            ("seen", stop, min(stop + 2, motion.duration)),
        )
        for kind, first, last in spans:
            if last - first > 1.5 / motion.fps:
                strips.append(crop(motion, first, last))
                titles.append(f"{kind}, {first:.4g} to {last:.4g} s")
    write_sheet(strips, titles, picture, columns=1, cell=(700, 144), poses=10)


def reconstruct(
    file: MotionFile,
    /,
    *,
    out: OutFile = Path("reconstructed.bvh"),
    picture: Picture = None,
    options: Model,
) -> None:
    """Encode a motion and decode it again: what the model keeps of it.

    Args:
        picture: Also draw both side by side, a row for every four seconds.
    """
    check_writable(out)
    check_picture(picture)
    given, model = motionclip.read_motion(file), options.load()
    with track("pieces") as on_piece:
        made = motionclip.reconstruct(model, given, on_piece=on_piece)
    save_motion(made, out)
    say(f"{out}: {made.duration:.2f} s")
    if picture is not None:
        _draw_comparison(given, made, picture)
        say(picture)


def _draw_comparison(given: Motion, made: Motion, picture: Path) -> None:
    """Writes film strips: given on the left, made on the right, a row for every four seconds."""
    from motionclip.motion import crop

    last = min(given.duration, made.duration)
    starts = [row * _ROW_SECONDS for row in range(_MAX_ROWS) if row * _ROW_SECONDS < last - 1 / made.fps]
    rows = [(start, min(start + _ROW_SECONDS, last)) for start in starts]
    strips = [crop(motion, start, end) for start, end in rows for motion in (given, made)]
    titles = [f"{which}, {start:g} to {end:.4g} s" for start, end in rows for which in ("given", "made")]
    write_sheet(strips, titles, picture, cell=(440, 144))


def interpolate(
    a: TextOrFile,
    b: TextOrFile,
    /,
    *,
    out: Annotated[Path, arg(metavar="DIR")] = Path("steps"),
    steps: Annotated[int, arg(metavar="N")] = 5,
    path: Literal["sphere", "straight"] = "sphere",
    seconds: Seconds = None,
    formats: Formats = ("bvh",),
    seed: Seed = 0,
    guidance: Guidance = DEFAULT_GUIDANCE,
    options: Model,
) -> None:
    """Make motions that lead from one motion to another.

    Args:
        out: Folder for step_1, step_2, ... and steps.png.
        steps: Number of motions, both ends included.
        path: `sphere` takes equal angles between the latents, `straight` equal steps of the decoder's input.
    """
    suffixes = [name.lstrip(".") for name in formats]
    for suffix in suffixes:
        check_writable(out / f"step_1.{suffix}")
    start, end = read_source(a), read_source(b)
    motions = motionclip.interpolate(
        options.load(), start, end, steps, path=path, seconds=seconds, seed=seed, guidance=guidance
    )
    for number, motion in enumerate(motions, 1):
        for suffix in suffixes:
            save_motion(motion, out / f"step_{number}.{suffix}")
            say(out / f"step_{number}.{suffix}")
    titles = [f"{100 * step / (steps - 1):.0f} %" for step in range(steps)]
    titles[0], titles[-1] = f"{titles[0]}: {a}", f"{titles[-1]}: {b}"
    write_sheet(motions, titles, out / "steps.png", columns=3, cell=(480, 144))
    say(out / "steps.png")
