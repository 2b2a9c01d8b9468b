"""The last changes, without words: speed, pauses, direction, sides, what follows, and loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import viser

import motionclip
from motionclip import Motion
from motionclip.applications.loop import repeat
from motionclip.motion import in_place
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.panels.controls import set_value
from motionclip.studio.takes import Take

#: Seconds of an easing from the playhead on to another speed.
_EASE = 0.5
_NO_TAKE = "nothing yet"


def add_retime(session: ClientSession) -> None:
    """Adds the fields of all that changes the motion that is shown without words."""
    gui = session.client.gui
    factor = gui.add_slider("Speed", 0.25, 4.0, 0.05, 1.5, hint="Above 1 is faster.")
    speed = gui.add_button_group("Change it", ("All", "From the playhead"))
    pause = gui.add_number("Pause s", 1.0, min=0.1, max=30.0, step=0.1)
    hold = gui.add_button("Hold the pose at the playhead", icon=viser.Icon.PLAYER_PAUSE)
    crop = gui.add_button_group("Keep", ("Up to the playhead", "From it on"))
    turn = gui.add_button_group("Turn", ("Backwards", "Mirror", "On the spot"))
    gui.add_divider()
    follow = gui.add_dropdown("Then", (_NO_TAKE,), hint="A take that follows, blended.")
    append = gui.add_button("Append it", icon=viser.Icon.PLUS)
    gui.add_divider()
    cycles = gui.add_number("Cycles", 1, min=1, max=32, step=1)
    on_spot = gui.add_checkbox("On the spot", False, hint="Without its path; the displacement is told below.")
    loop = gui.add_button("Make a loop", icon=viser.Icon.REPEAT)
    answer = gui.add_html("")

    def change(title: str, make: Callable[[Motion], Motion]) -> None:
        shown = session.shown_or_notify("Nothing to change")
        if shown is not None:
            session.make(f"{shown.title}, {title}", lambda job: make(shown.motion))

    def retimed(title: str, **how: Any) -> None:
        change(title, partial(_retimed, how))

    def playhead() -> float:
        return session.player.time

    @speed.on_click
    def _(_: object) -> None:
        rate, now = factor.value, playhead()
        curve = [(0.0, rate)] if speed.value == "All" else [(now, 1.0), (now + _EASE, rate)]
        retimed(f"{rate:g} x", speed=curve)

    @crop.on_click
    def _(_: object) -> None:
        now = playhead()
        retimed("cut", span=(0.0, now) if crop.value.startswith("Up") else (now, None))

    @turn.on_click
    def _(_: object) -> None:
        how = {"Backwards": "backwards", "Mirror": "mirrored", "On the spot": "on_spot"}[turn.value]
        retimed(turn.value.lower(), **{how: True})

    @append.on_click
    def _(_: object) -> None:
        number = takes().index(follow.value) if follow.value in takes() else -1
        if number >= 0:
            retimed("then", then=[session.history.takes[number].motion])

    @loop.on_click
    def _(_: object) -> None:
        shown, times, spot = session.shown_or_notify("Nothing to loop"), int(cycles.value), on_spot.value
        if shown is None:
            return

        def work(job: Job) -> Take:
            cycle = motionclip.make_loop(shown.motion)
            (x, z), degrees = cycle.displacement, math.degrees(cycle.turn)
            told = (
                f"A cycle of {cycle.motion.duration:.2f} s: {z:.2f} m ahead, {x:.2f} m to the left, turned by "
                f"{degrees:.0f} degrees; it closes within {cycle.gap_cm:.1f} cm."
            )
            answer.content = f'<div style="margin: 0.4em 0.9em; font-size: 0.85em">{told}</div>'
            motion = repeat(cycle, times)
            return session.new_take(f"{shown.title}, loop", in_place(motion) if spot else motion)

        session.run("loop", work, session.add)

    def takes() -> tuple[str, ...]:
        return tuple(f"{number}: {take.title}" for number, take in enumerate(session.history.takes, 1))

    def refresh() -> None:
        names = takes() or (_NO_TAKE,)
        if tuple(follow.options) != names:
            follow.options = names
            set_value(follow, names[-1])

    hold.on_click(lambda _: retimed("held", holds=[(playhead(), float(pause.value))]))
    session.on_change(refresh)


def _retimed(how: dict[str, Any], motion: Motion) -> Motion:
    return motionclip.retime(motion, **how)
