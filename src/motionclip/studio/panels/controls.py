"""What is always seen: what goes on, undo and redo, the takes, and the timeline."""

from __future__ import annotations

from html import escape
from typing import TypeVar

import viser

from motionclip.studio.client import ClientSession
from motionclip.studio.takes import MAX_SPEED, MIN_SPEED, TakeHistory

T = TypeVar("T")

#: Width of the timeline, pixels.
_TIMELINE_WIDTH = 470
#: Frames between two moves of the slider while time runs.
_SLIDER_STEP = 3
_NO_TAKE, _UNDO, _REDO = "nothing yet", "Undo", "Redo"


def set_value(field: viser.GuiInputHandle[T], value: T) -> None:
    """Shows another value in a field."""
    field.value = value  # type: ignore[misc]  # viser's property has a setter that mypy does not see


def add_status(session: ClientSession) -> None:
    """Adds the line that says what goes on, the takes, and undo and redo."""
    gui = session.client.gui
    status = gui.add_html("")
    stop = gui.add_button("Stop", icon=viser.Icon.PLAYER_STOP, visible=False)
    takes = gui.add_dropdown("Take", (_NO_TAKE,), hint="What was made in this page; choose one to go back to it.")
    history = gui.add_button_group("History", (_UNDO, _REDO))

    def refresh() -> None:
        pending = session.pending
        names = tuple(f"{number}: {take.title}" for number, take in enumerate(session.history.takes, 1)) or (_NO_TAKE,)
        if tuple(takes.options) != names:
            takes.options = names
        set_value(takes, names[max(session.history.index, 0)])
        stop.visible = bool(pending)
        text = escape(_status(session, pending))
        status.content = f'<div style="padding: 0 0.9em 0.5em; font-size: 0.85em; line-height: 1.4">{text}</div>'

    @takes.on_update
    def _(event: viser.GuiEvent[viser.GuiDropdownHandle[str]]) -> None:
        if event.client is not None and takes.value != _NO_TAKE:  # chosen by the user, not set by refresh
            number = int(takes.value.partition(":")[0])
            session.navigate(lambda history: history.go_to(number - 1))

    history.on_click(lambda _: session.navigate(TakeHistory.undo if history.value == _UNDO else TakeHistory.redo))
    stop.on_click(lambda _: session.cancel_jobs())
    session.on_change(refresh)
    refresh()


def _status(session: ClientSession, pending: tuple[str, ...]) -> str:
    if pending:
        more = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
        return f"At work: {pending[0]}{more} …"
    if session.shown is None:
        return "Say what the person does, and press Make."
    motion = session.shown.motion
    return f"{session.shown.title} · {motion.duration:.1f} s, {motion.num_frames} frames at {motion.fps:g}/s"


def add_timeline(session: ClientSession) -> None:
    """Adds a panel below the body: play, scrub, speed, loop."""
    gui, player = session.client.gui, session.player
    panel = gui.add_panel()
    with panel.add_tab("Timeline", viser.Icon.CLOCK_PLAY):
        frame = gui.add_slider("Frame", 0, 1, 1, 0, disabled=True)
        play = gui.add_button("Play", icon=viser.Icon.PLAYER_PLAY, disabled=True)
        speed = gui.add_slider("Speed", MIN_SPEED, MAX_SPEED, 0.25, player.speed)
        loop = gui.add_checkbox("Loop", player.loop)
    panel.float(x=15, y=-15, width=_TIMELINE_WIDTH)

    def refresh_button() -> None:
        label = "Pause" if player.playing else "Play"
        if play.label != label:
            play.label = label
            play.icon = viser.Icon.PLAYER_PAUSE if player.playing else viser.Icon.PLAYER_PLAY

    def show_frame() -> None:
        if not player.playing or player.frame % _SLIDER_STEP == 0:
            set_value(frame, player.frame)
        refresh_button()

    def refresh() -> None:
        last = max(player.frames - 1, 1)
        if frame.max != last:
            set_value(frame, min(frame.value, last))
            frame.max = last
        frame.disabled = play.disabled = session.shown is None
        refresh_button()

    @frame.on_update
    def _(event: viser.GuiEvent[viser.GuiSliderHandle[int]]) -> None:
        if event.client is not None:  # moved by the user, not by show_frame
            player.seek(int(frame.value))
            refresh_button()

    @play.on_click
    def _(_: object) -> None:
        player.toggle()
        refresh_button()

    @speed.on_update
    def _(_: object) -> None:
        player.speed = speed.value

    @loop.on_update
    def _(_: object) -> None:
        player.loop = loop.value

    session.on_frame(show_frame)
    session.on_change(refresh)
