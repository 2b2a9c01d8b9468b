"""What is always seen: what goes on, undo and redo, and the takes."""

from __future__ import annotations

from html import escape

import viser

from motionclip.studio.panels.values import set_value
from motionclip.studio.session import Session
from motionclip.studio.visitor import Visitor

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
