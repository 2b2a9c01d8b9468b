"""What is always seen: what goes on, undo and redo, and the takes."""

from __future__ import annotations

from html import escape
from typing import TypeVar

import viser

from motionclip.studio.client import Visitor
from motionclip.studio.session import FASTEST, SLOWEST, Session

# Values of fields, set from here.


T = TypeVar("T")


def set_value(field: viser.GuiInputHandle[T], value: T) -> None:
    """Shows another value in a field."""
    field.value = value  # type: ignore[misc]  # viser's property has a setter that mypy does not see


# The timeline: play, scrub, speed, loop.


#: Width of the panel, pixels.
_WIDTH = 470
#: Frames between two moves of the slider while time runs.
_EVERY = 3


def add_timeline(visitor: Visitor) -> None:
    """Adds a panel of its own below the body."""
    gui, player = visitor.client.gui, visitor.player
    panel = gui.add_panel()
    with panel.add_tab("Timeline", viser.Icon.CLOCK_PLAY):
        frame = gui.add_slider("Frame", 0, 1, 1, 0, disabled=True)
        play = gui.add_button("Play", icon=viser.Icon.PLAYER_PLAY, disabled=True)
        speed = gui.add_slider("Speed", SLOWEST, FASTEST, 0.25, player.speed)
        loop = gui.add_checkbox("Loop", player.loop)
    panel.float(x=15, y=-15, width=_WIDTH)

    def show_time() -> None:
        if not player.playing or player.frame % _EVERY == 0:
            set_value(frame, player.frame)
        _show_button(play, player.playing)

    def refresh() -> None:
        last = max(player.frames - 1, 1)
        if frame.max != last:
            set_value(frame, min(frame.value, last))
            frame.max = last
        frame.disabled = play.disabled = visitor.shown is None
        _show_button(play, player.playing)

    @frame.on_update
    def _(event: viser.GuiEvent[viser.GuiSliderHandle[int]]) -> None:
        if event.client is not None:
            player.seek(int(frame.value))
            _show_button(play, player.playing)

    @play.on_click
    def _(_: object) -> None:
        player.toggle()
        _show_button(play, player.playing)

    @speed.on_update
    def _(_: object) -> None:
        player.speed = speed.value

    @loop.on_update
    def _(_: object) -> None:
        player.loop = loop.value

    visitor.on_time(show_time)
    visitor.on_change(refresh)


def _show_button(play: viser.GuiButtonHandle, playing: bool) -> None:
    label = "Pause" if playing else "Play"
    if play.label != label:
        play.label = label
        play.icon = viser.Icon.PLAYER_PAUSE if playing else viser.Icon.PLAYER_PLAY


_NONE, _UNDO, _REDO = "nothing yet", "Undo", "Redo"


def add_top(visitor: Visitor) -> None:
    """Adds the line of state and the history."""
    gui = visitor.client.gui
    state = gui.add_html("")
    stop = gui.add_button("Stop", icon=viser.Icon.PLAYER_STOP, visible=False)
    takes = gui.add_dropdown("Take", (_NONE,), hint="What was made in this page; choose one to go back to it.")
    history = gui.add_button_group("History", (_UNDO, _REDO))

    def refresh() -> None:
        session, waits = visitor.session, visitor.waits_for
        names = tuple(f"{number}: {take.title}" for number, take in enumerate(session.takes, 1)) or (_NONE,)
        if tuple(takes.options) != names:
            takes.options = names
        set_value(takes, names[max(session.place, 0)])
        stop.visible = bool(waits)
        state.content = _state(visitor, waits)

    @takes.on_update
    def _(event: viser.GuiEvent[viser.GuiDropdownHandle[str]]) -> None:
        if event.client is not None and takes.value != _NONE:
            place = int(takes.value.partition(":")[0]) - 1
            visitor.travel(lambda session: session.go_to(place))

    history.on_click(lambda _: visitor.travel(Session.undo if history.value == _UNDO else Session.redo))
    stop.on_click(lambda _: visitor.stop())
    visitor.on_change(refresh)
    refresh()


def _state(visitor: Visitor, waits: tuple[str, ...]) -> str:
    """One line: what is being done, or what is seen."""
    if waits:
        more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
        text = f"At work: {waits[0]}{more} …"
    elif visitor.shown is None:
        text = "Say what the person does, and press Make."
    else:
        motion = visitor.shown.motion
        text = f"{visitor.shown.title} · {motion.duration:.1f} s, {motion.num_frames} frames at {motion.fps:g}/s"
    return f'<div style="padding: 0 0.9em 0.5em; font-size: 0.85em; line-height: 1.4">{escape(text)}</div>'
