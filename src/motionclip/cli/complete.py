"""`motionclip complete`: gaps filled, motions continued."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.motion import Motion


from typing import Literal


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
    encoder_weights: Path | None = None,
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
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        seed: each number gives another way to do it; the likeliest if nothing is said.
        guidance: above 1 follows the words more closely.
    """
    from motionclip.applications import complete as application
    from motionclip.cli.console import counted, save_motion, say
    from motionclip.errors import MotionError
    from motionclip.io import check_writable, read_motion
    from motionclip.model.pipeline import load

    if bool(gaps) == (extend is not None) or (before and extend is None):
        raise MotionError(
            "expected --gaps START:STOP ..., or --extend SECONDS (with --before, if it is to begin earlier)"
        )
    spans = read_gaps(gaps)
    check_writable(out)
    given = read_motion(file)
    network = load(model, encoder_weights=encoder_weights)
    with counted("steps") as on_step:
        if extend is None:
            made = application.complete(network, given, spans, text=text, seed=seed, guidance=guidance, on_step=on_step)
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
    from motionclip.cli.console import write_sheet
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


# `motionclip reconstruct`: a motion through the auto-encoder and back.


def reconstruct(
    file: tyro.conf.Positional[Path],
    /,
    out: Path = Path("reconstructed.bvh"),
    picture: Path | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
) -> None:
    """Encode a motion and decode it again: what the model keeps of it.

    Args:
        file: a motion file (.bvh .amc .npz) of any length.
        out: the file to write, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png).
        picture: where to write a picture of both (.png), a row for every four seconds.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
    """
    from motionclip.applications.reconstruct import reconstruct as make
    from motionclip.cli.console import counted, save_motion, say
    from motionclip.cli.render import draw_comparison
    from motionclip.io import check_writable, read_motion
    from motionclip.model.pipeline import load

    check_writable(out)
    given = read_motion(file)
    network = load(model, encoder_weights=encoder_weights)
    with counted("pieces") as on_piece:
        made = make(network, given, on_piece=on_piece)
    save_motion(made, out)
    say(f"{out}: {made.duration:.2f} s")
    if picture is not None:
        draw_comparison(given, made, picture)
        say(picture)


# `motionclip interpolate`: motions between two motions.


def interpolate(
    a: tyro.conf.Positional[str],
    b: tyro.conf.Positional[str],
    /,
    out: Path = Path("steps"),
    steps: int = 5,
    path: Literal["sphere", "straight"] = "sphere",
    seconds: float | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    formats: tuple[str, ...] = ("bvh",),
) -> None:
    """Make motions that lead from one to another, and a picture of all.

    Args:
        a: words in quotes or a motion file (.bvh .amc .npz): where to start.
        b: the same: where to end.
        out: folder for step_1, step_2, ... and steps.png.
        steps: how many motions, both ends among them.
        path: sphere, in equal angles of the latents, or straight, in equal steps of what the decoder sees.
        seconds: length of each motion; the longest given motion's, or 4, if nothing is said.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        seed: another seed gives other motions of the same words.
        guidance: above 1 follows the words more closely, with less variety.
        formats: what to write for each step.
    """
    from motionclip.applications.interpolate import interpolate as between
    from motionclip.cli.console import read_sources, save_motion, say, write_sheet
    from motionclip.io import check_writable
    from motionclip.model.pipeline import load

    suffixes = [name.lstrip(".") for name in formats]
    for suffix in suffixes:
        check_writable(out / f"step_1.{suffix}")
    start, end = read_sources([a, b])
    network = load(model, encoder_weights=encoder_weights)
    motions = between(network, start, end, steps, path=path, seconds=seconds, seed=seed, guidance=guidance)
    for number, motion in enumerate(motions, 1):
        for suffix in suffixes:
            save_motion(motion, out / f"step_{number}.{suffix}")
            say(out / f"step_{number}.{suffix}")
    titles = [f"{100 * step / (steps - 1):.0f} %" for step in range(steps)]
    titles[0], titles[-1] = f"{titles[0]}: {a}", f"{titles[-1]}: {b}"
    write_sheet(motions, titles, out / "steps.png", columns=3, cell=(480, 144))
    say(out / "steps.png")
