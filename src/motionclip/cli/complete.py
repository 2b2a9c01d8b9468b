"""`motionclip complete`: gaps filled, motions continued."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.motion import Motion


def complete(
    file: tyro.conf.Positional[Path],
    /,
    gaps: tuple[str, ...] = (),
    extend: float | None = None,
    before: bool = False,
    text: str | None = None,
    out: Path = Path("complete.bvh"),
    picture: Path | None = None,
    model: str = "base",
    tower_weights: Path | None = None,
    seed: int | None = None,
    guidance: float = DEFAULT_GUIDANCE,
) -> None:
    """Fill gaps of a motion, or continue it; all other frames stay as they are.

    Args:
        file: a motion file (.bvh .amc .npz) of any length.
        gaps: spans to make anew in seconds, such as 2:3 or 2:3 7.5:8.
        extend: seconds to go on for, in place of gaps.
        before: with --extend, begin that much earlier in place of going on.
        text: what is done in the unseen frames, in words; whatever the seen ones suggest if nothing is said.
        out: the file to write, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png).
        picture: where to write a picture (.png), rows for what is before each gap, in it, and after it.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        seed: each number gives another way to do it; the likeliest if nothing is said.
        guidance: above 1 follows the words more closely.
    """
    from motionclip.applications import complete as application
    from motionclip.cli.console import counted, say
    from motionclip.cli.results import save_motion
    from motionclip.errors import MotionError
    from motionclip.formats import check_writable, read_motion
    from motionclip.model.pipeline import load

    if bool(gaps) == (extend is not None) or (before and extend is None):
        raise MotionError(
            "expected --gaps START:STOP ..., or --extend SECONDS (with --before, if it is to begin earlier)"
        )
    spans = read_gaps(gaps)
    check_writable(out)
    given = read_motion(file)
    network = load(model, tower_weights=tower_weights)
    with counted("steps") as on_step:
        if extend is None:
            made = application.fill(network, given, spans, text=text, seed=seed, guidance=guidance, on_step=on_step)
        else:
            made = application.extend(
                network, given, extend, before=before, text=text, seed=seed, guidance=guidance, on_step=on_step
            )
            spans = [(0.0, extend) if before else (made.duration - extend, made.duration)]
    save_motion(made, out)
    say(f"{out}: {made.duration:.2f} s")
    if picture is not None:
        _draw(made, sorted(spans), picture)
        say(picture)


def read_gaps(listed: Sequence[str]) -> list[tuple[float, float]]:
    """Gaps as ``START:STOP`` in seconds.

    Raises:
        MotionError: if one is not two numbers.
    """
    from motionclip.errors import MotionError

    gaps = []
    for gap in listed:
        try:
            start, stop = map(float, gap.split(":"))
        except ValueError:
            raise MotionError(f"gap {gap!r}; expected two numbers of seconds, such as 2:3.5") from None
        gaps.append((start, stop))
    return gaps


def _draw(motion: Motion, gaps: Sequence[tuple[float, float]], picture: Path) -> None:
    """A sheet of film strips: up to two seconds before each gap, the gap, up to two seconds after."""
    from motionclip.cli.results import write_sheet
    from motionclip.motion import crop

    strips, titles = [], []
    for start, stop in gaps:
        spans = [
            ("seen", max(start - 2, 0), start),
            ("made", start, stop),
            ("seen", stop, min(stop + 2, motion.duration)),
        ]
        shown = [(kind, first, last) for kind, first, last in spans if last - first > 1.5 / motion.fps]
        strips += [crop(motion, first, last) for _, first, last in shown]
        titles += [f"{kind}, {first:.4g} to {last:.4g} s" for kind, first, last in shown]
    write_sheet(strips, titles, picture, columns=1, cell=(700, 144), poses=10)
