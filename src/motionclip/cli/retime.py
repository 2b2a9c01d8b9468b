"""Options that change a motion without words: its part, its direction, its speed, what follows, and its loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

import motionclip
from motionclip.cli.console import say
from motionclip.cli.options import optional
from motionclip.errors import MotionClipError

if TYPE_CHECKING:
    from motionclip.motion import Motion


@dataclass(frozen=True)
class RetimeOptions:
    """Changes without words, made in this order.

    Attributes:
        crop: Only the seconds from START to END.
        reverse: From its last frame to its first.
        mirror: Left and right exchanged.
        speed: Factor of its speed, such as 1.5, or a curve of seconds and factors, such as 0:1 2:0.5 3:1.
        hold: The pose at a second held for some more, such as 1.5:2; one or more.
        then: Motion files that follow, blended into each other.
    """

    crop: Annotated[str | None, optional(str, "START:END")] = None
    reverse: bool = False
    mirror: bool = False
    speed: Annotated[tuple[str, ...], arg(metavar="FACTOR|SECOND:FACTOR ...", help_behavior_hint="(optional)")] = ()
    hold: Annotated[tuple[str, ...], arg(metavar="AT:SECONDS ...", help_behavior_hint="(optional)")] = ()
    then: Annotated[tuple[Path, ...], arg(metavar="FILE ...", help_behavior_hint="(optional)")] = ()

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to change."""
        return self != RetimeOptions()

    def apply(self, motion: Motion) -> Motion:
        """Returns the motion, changed.

        Raises:
            MotionClipError: if an option is not of the form that its help says, or does not fit the motion.
        """
        curve = [_numbers("--speed", text) for text in self.speed]
        if len(curve) == 1 and len(curve[0]) == 1:
            curve = [(0.0, *curve[0])]
        return motionclip.retime(
            motion,
            span=None if self.crop is None else _pair(_numbers("--crop", self.crop)),
            backwards=self.reverse,
            mirrored=self.mirror,
            speed=[_pair(numbers) for numbers in curve],
            holds=[_pair(_numbers("--hold", text)) for text in self.hold],
            then=[motionclip.read_motion(path) for path in self.then],
        )


#: The options of `RetimeOptions` without a prefix.
Retime = Annotated[RetimeOptions, arg(name="")]


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, text.split(":")))
    except ValueError:
        raise MotionClipError(f"{option} {text}; expected numbers, such as 1.5 or 1:2.5") from None


def _pair(numbers: tuple[float, ...]) -> tuple[float, float]:
    if len(numbers) != 2:
        raise MotionClipError(f"{':'.join(f'{number:g}' for number in numbers)}; expected two numbers, such as 1:2.5")
    return numbers[0], numbers[1]


#: Cycles of a loop, 0 for none.
Cycles = Annotated[
    int, arg(metavar="N", help="Only a cycle that runs into its own start, so many times; its displacement is told.")
]


def looped(motion: Motion, cycles: int) -> Motion:
    """Returns the cycle of a motion so many times, and says how it goes on."""
    from motionclip.applications.loop import make_loop, repeat

    loop = make_loop(motion)
    x, z = loop.displacement
    degrees = math.degrees(loop.turn)
    say(
        f"a loop of {loop.motion.duration:.2f} s: {x:.3f} m to its left and {z:.3f} m ahead a cycle, turned by "
        f"{degrees:.1f} degrees, joints {loop.gap_cm:.1f} cm from where the last frames lead"
    )
    return repeat(loop, cycles)
