"""Options that change a motion without words: its part, its direction, its speed, what follows, and its loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

import motionclip
from motionclip.applications import DEFAULT_OVERLAP
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
        from motionclip.motion import crop, mirror
        from motionclip.motion.retarget import on_canonical
        from motionclip.motion.retime import change_speed, hold, reverse

        if self.crop is not None:
            motion = crop(motion, *_numbers("--crop", self.crop))
        if self.reverse:
            motion = reverse(motion)
        if self.mirror:
            motion = mirror(on_canonical(motion))
        if self.speed:
            curve = [_numbers("--speed", text) for text in self.speed]
            if len(curve) == 1 and len(curve[0]) == 1:
                curve = [(0.0, *curve[0])]
            motion = change_speed(motion, [(second, factor) for second, factor in map(_pair, curve)])
        # from the last to the first, so that the seconds are those of the motion before any of them
        for at, seconds in sorted((_pair(_numbers("--hold", text)) for text in self.hold), reverse=True):
            motion = hold(motion, at, seconds)
        for path in self.then:
            motion = _joined(motion, motionclip.read_motion(path))
        return motion


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


def _joined(first: Motion, second: Motion) -> Motion:
    """Returns both motions as one on the canonical skeleton, at the rate of the first."""
    from motionclip.applications.transitions import blend_motions
    from motionclip.motion import resample
    from motionclip.motion.retarget import on_canonical

    before, after = on_canonical(first), resample(on_canonical(second), first.fps)
    shared = min(round(DEFAULT_OVERLAP * first.fps), before.num_frames // 2, after.num_frames // 2)
    return blend_motions(before, after, shared)


#: Cycles of a loop, 0 for none.
Cycles = Annotated[
    int, arg(metavar="N", help="Only a cycle that runs into its own start, so many times; its displacement is told.")
]


def looped(motion: Motion, cycles: int) -> Motion:
    """Returns the cycle of a motion so many times, and says how it goes on."""
    from motionclip.applications.loop import make_loop, repeat

    loop = make_loop(motion)
    x, z = loop.displacement
    degrees = loop.turn * 57.29578
    say(
        f"a loop of {loop.motion.duration:.2f} s: {x:.3f} m to its left and {z:.3f} m ahead a cycle, turned by "
        f"{degrees:.1f} degrees, joints {loop.gap_cm:.1f} cm from where the last frames lead"
    )
    return repeat(loop, cycles)
