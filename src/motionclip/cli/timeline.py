"""The picture of what is done when in some motions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.applications.recognize import NONE, Recognition
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.render import portraits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 11.0, 1.9  # inches, of all and of a motion
_POSES, _PIXELS = 10, 150
_NONE_COLOUR = "0.85"
_LETTER = 0.0105  # width of a letter as a share of the axes


def draw_timelines(titles: Sequence[str], motions: Sequence[Motion], found: Sequence[Recognition], path: Path) -> None:
    """Write a picture of each motion's poses above coloured stretches, one for each run of its timeline."""
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(run.label for recognition in found for run in recognition.timeline))
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(found) + 0.3), layout="constrained")
    rows = figure.subplots(2 * len(found), 1, squeeze=False, height_ratios=[1.0, 0.35] * len(found))[:, 0]
    colours = _colours(labels)
    for number, (title, motion, recognition) in enumerate(zip(titles, motions, found, strict=True)):
        _draw_poses(rows[2 * number], motion, title)
        _draw_runs(rows[2 * number + 1], recognition, colours)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _colours(labels: Sequence[str]) -> Mapping[str, object]:
    from matplotlib import colormaps

    palette = colormaps["tab20"]
    named = [label for label in labels if label != NONE]
    # dark shades first, then their pale twins
    order = [*range(0, 20, 2), *range(1, 20, 2)]
    return {label: palette(order[number % 20]) for number, label in enumerate(named)} | {NONE: _NONE_COLOUR}


def _draw_poses(axes: Axes, motion: Motion, title: str) -> None:
    """Poses at the middles of equal stretches of time."""
    frames = [int((number + 0.5) / _POSES * motion.num_frames) for number in range(_POSES)]
    for number, picture in enumerate(portraits(motion, frames, size=_PIXELS)):
        axes.imshow(picture, extent=(number, number + 1, 0, 1), aspect="auto", interpolation="antialiased")
    axes.set(xlim=(0, _POSES), ylim=(0, 1))
    axes.set_title(title, loc="left", fontsize=9)
    axes.axis("off")


def _draw_runs(axes: Axes, found: Recognition, colours: Mapping[str, object]) -> None:
    for run in found.timeline:
        length = run.end - run.start
        axes.barh(0, length, left=run.start, height=1, color=colours[run.label], edgecolor="white")
        letters = int(length / found.seconds / _LETTER)
        text = run.label if len(run.label) <= letters else run.label[: letters - 1] + "…"
        if letters >= 4:
            axes.text(run.start + length / 2, 0, text, ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, found.seconds), ylim=(-0.5, 0.5), yticks=[])
    axes.tick_params(labelsize=8)
    axes.set_xlabel("seconds", fontsize=8)
