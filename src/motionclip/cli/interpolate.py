"""`motionclip interpolate`: motions between two motions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE


def interpolate(
    a: tyro.conf.Positional[str],
    b: tyro.conf.Positional[str],
    /,
    out: Path = Path("steps"),
    steps: int = 5,
    path: Literal["sphere", "straight"] = "sphere",
    seconds: float | None = None,
    model: str = "base",
    tower_weights: Path | None = None,
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
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        seed: another seed gives other motions of the same words.
        guidance: above 1 follows the words more closely, with less variety.
        formats: what to write for each step.
    """
    from motionclip.applications.interpolate import interpolate as between
    from motionclip.cli.console import say
    from motionclip.cli.results import save_motion, write_sheet
    from motionclip.cli.sources import read_sources
    from motionclip.formats import check_writable
    from motionclip.model.pipeline import load

    suffixes = [name.lstrip(".") for name in formats]
    for suffix in suffixes:
        check_writable(out / f"step_1.{suffix}")
    start, end = read_sources([a, b])
    network = load(model, tower_weights=tower_weights)
    motions = between(network, start, end, steps, path=path, seconds=seconds, seed=seed, guidance=guidance)
    for number, motion in enumerate(motions, 1):
        for suffix in suffixes:
            save_motion(motion, out / f"step_{number}.{suffix}")
            say(out / f"step_{number}.{suffix}")
    titles = [f"{100 * step / (steps - 1):.0f} %" for step in range(steps)]
    titles[0], titles[-1] = f"{titles[0]}: {a}", f"{titles[-1]}: {b}"
    write_sheet(motions, titles, out / "steps.png", columns=3, cell=(480, 144))
    say(out / "steps.png")
