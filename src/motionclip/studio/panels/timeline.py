"""The timeline: play, scrub, speed, loop."""

from __future__ import annotations

import viser

from motionclip.studio.panels.values import set_value
from motionclip.studio.player import FASTEST, SLOWEST
from motionclip.studio.visitor import Visitor

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
