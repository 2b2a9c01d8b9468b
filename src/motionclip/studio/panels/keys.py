"""Keys, which are also in the list of commands that Ctrl-K opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from viser import _messages as messages

from motionclip.studio.client import ClientSession
from motionclip.studio.takes import TakeHistory

Modifier = Literal["cmd/ctrl", "cmd/ctrl+shift"]


def add_keys(session: ClientSession) -> None:
    """Adds the keys of a page; while one types in a field they are the field's."""
    gui, player = session.client.gui, session.player

    def key(
        label: str, action: Callable[[], None], hotkey: messages.HotkeyKey, modifier: Modifier | None = None
    ) -> None:
        gui.add_command(label, hotkey=hotkey, modifier=modifier).on_trigger(lambda _: action())

    key("Play or pause", player.toggle, "space")
    key("One frame on", lambda: player.step(1), "arrowright")
    key("One frame back", lambda: player.step(-1), "arrowleft")
    key("First frame", lambda: player.seek(0), "home")
    key("Last frame", lambda: player.seek(player.frames - 1), "end")
    key("Undo", lambda: session.navigate(TakeHistory.undo), "Z", "cmd/ctrl")
    key("Redo", lambda: session.navigate(TakeHistory.redo), "Z", "cmd/ctrl+shift")
    key("Forget this take", lambda: session.navigate(TakeHistory.remove), "delete")
    key("Dark or light", session.toggle_dark, "D")
