"""What is always seen: what goes on, takes to choose from, undo and redo, and the looks of the page."""

from __future__ import annotations

from html import escape
from typing import TypeVar

import viser

from motionclip.studio.client import ClientSession
from motionclip.studio.takes import TakeHistory

T = TypeVar("T")

_NO_TAKE, _UNDO, _REDO = "nothing yet", "Undo", "Redo"


def set_value(field: viser.GuiInputHandle[T], value: T) -> None:
    """Shows another value in a field."""
    field.value = value  # type: ignore[misc]  # viser's property has a setter that mypy does not see


def add_status(session: ClientSession) -> None:
    """Adds the line that says what goes on, the takes, undo and redo, and the dark look."""
    gui = session.client.gui
    status = gui.add_html("")
    stop = gui.add_button("Stop", icon=viser.Icon.PLAYER_STOP, visible=False)
    choice = gui.add_button_group("Choose", ("1",), visible=False)
    takes = gui.add_dropdown("Take", (_NO_TAKE,), hint="What was made in this page; choose one to go back to it.")
    history = gui.add_button_group("History", (_UNDO, _REDO))
    dark = gui.add_checkbox("Dark", session.is_dark, hint="Key: D. Ctrl-K lists all keys.")

    def refresh() -> None:
        pending = session.pending
        names = tuple(f"{number}: {take.title}" for number, take in enumerate(session.history.takes, 1)) or (_NO_TAKE,)
        if tuple(takes.options) != names:
            takes.options = names
        set_value(takes, names[max(session.history.index, 0)])
        stop.visible = bool(pending)
        numbers = tuple(str(number + 1) for number in range(len(session.lineup))) or ("1",)
        if tuple(choice.options) != numbers:
            choice.options = numbers
        choice.visible = bool(session.lineup)
        set_value(dark, session.is_dark)
        text = escape(_status(session, pending))
        status.content = f'<div style="padding: 0 0.9em 0.5em; font-size: 0.85em; line-height: 1.4">{text}</div>'

    @takes.on_update
    def _(event: viser.GuiEvent[viser.GuiDropdownHandle[str]]) -> None:
        if event.client is not None and takes.value != _NO_TAKE:  # chosen by the user, not set by refresh
            number = int(takes.value.partition(":")[0])
            session.navigate(lambda history: history.go_to(number - 1))

    @dark.on_update
    def _(event: viser.GuiEvent[viser.GuiCheckboxHandle]) -> None:
        if event.client is not None:
            session.toggle_dark()

    choice.on_click(lambda _: session.choose(int(choice.value) - 1))
    history.on_click(lambda _: session.navigate(TakeHistory.undo if history.value == _UNDO else TakeHistory.redo))
    stop.on_click(lambda _: session.cancel_jobs())
    session.on_change(refresh)
    refresh()


def _status(session: ClientSession, pending: tuple[str, ...]) -> str:
    if pending:
        more = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
        return f"At work: {pending[0]}{more} …"
    if session.lineup:
        return f"{len(session.lineup)} takes, the best first: click a body, or choose its number."
    if session.shown is None:
        left = len(session.shared.left_takes)
        more = f" File brings back the {left} of the page before." if left else ""
        return f"Say what the person does, and press Enter.{more}"
    motion = session.shown.motion
    return f"{session.shown.title} · {motion.duration:.1f} s, {motion.num_frames} frames at {motion.fps:g}/s"
