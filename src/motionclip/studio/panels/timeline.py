"""The timeline below the body: a ruler with blocks that are dragged, steps, a playhead, play, scrub, speed, loop."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import viser

from motionclip.motion import CANONICAL
from motionclip.motion.contacts import foot_contacts, runs
from motionclip.studio.arrange import blocks, can_be_dragged, rearranged
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.panels.controls import set_value
from motionclip.studio.script import listen
from motionclip.studio.takes import MAX_SPEED, MIN_SPEED, WORDS, Take

#: Pixels: margin of the panel to the edges of the scene, its least width, and what the window's borders take of it.
_MARGIN, _LEAST_WIDTH = 15, 470
#: Frames between two moves of slider and playhead while time runs.
_STEP = 3
#: Seconds between two marks of the ruler, and how many marks there are at most.
_MARKS, _MOST_MARKS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0), 14
#: Margins with which the ruler lies over the track of viser's slider: right of its label, left of its number.
_INSET = "4px 66px 0 120px"
_TRACK = "position:relative;height:{height}px;margin:3px 0"
_NAME = "position:absolute;right:100%;width:100px;margin-right:10px;font-size:11px;line-height:{height}px;opacity:0.65"
_BAR = "position:absolute;top:0;bottom:0;left:{left:.2f}%;width:{width:.2f}%;overflow:hidden;white-space:nowrap;"
_BLOCK = "background:{colour};color:#fff;border-radius:4px;padding:1px 8px;font-size:11px;box-sizing:border-box;"
#: A block that can be dragged: its edges are seen as grips.
_GRIPS = "cursor:grab;touch-action:none;border-left:3px solid #fff8;border-right:3px solid #fff8;"
_BLOCKS = ("#228be6", "#845ef7")  # what the whole body does, and the rest
_STEP_BAR = "background:{colour};border-radius:2px;"
_COLOURS = {"left": "#e0803c", "right": "#4a9d72"}


def add_timeline(session: ClientSession) -> None:
    """Adds a panel below the body, as wide as the scene."""
    gui, player = session.client.gui, session.player
    panel = gui.add_panel()
    with panel.add_tab("Timeline", viser.Icon.CLOCK_PLAY):
        ruler = gui.add_html("")
        frame = gui.add_slider("Frame", 0, 1, 1, 0, disabled=True)
        play = gui.add_button("Play", icon=viser.Icon.PLAYER_PLAY, disabled=True)
        with gui.add_folder("Speed and loop", expand_by_default=False):
            speed = gui.add_slider("Speed", MIN_SPEED, MAX_SPEED, 0.25, player.speed)
            loop = gui.add_checkbox("Loop", player.loop)
    panel.float(x=_MARGIN, y=-_MARGIN, width=_LEAST_WIDTH)
    drawn: list[tuple[Take, str]] = []
    width = [_LEAST_WIDTH]

    def fit(_: object = None) -> None:
        wanted = max(_LEAST_WIDTH, session.client.camera.image_width - 2 * _MARGIN)
        if wanted != width[0]:
            width[0] = wanted
            panel.set_width(wanted)

    def refresh_button() -> None:
        label = "Pause" if player.playing else "Play"
        if play.label != label:
            play.label = label
            play.icon = viser.Icon.PLAYER_PAUSE if player.playing else viser.Icon.PLAYER_PLAY

    def show_frame() -> None:
        if not player.playing or player.frame % _STEP == 0:
            set_value(frame, player.frame)
            show_ruler()
        refresh_button()

    def show_ruler() -> None:
        take = session.shown
        if take is None:
            return
        if not drawn or drawn[0][0] is not take:
            drawn[:] = [(take, tracks(take))]
        ruler.content = with_playhead(drawn[0][1], player.frame / max(player.frames - 1, 1))

    def refresh() -> None:
        last = max(player.frames - 1, 1)
        if frame.max != last:
            set_value(frame, min(frame.value, last))
            frame.max = last
        frame.disabled = play.disabled = session.shown is None
        fit()  # the page may have told its size before this listened
        show_ruler()
        refresh_button()

    @frame.on_update
    def _(event: viser.GuiEvent[viser.GuiSliderHandle[int]]) -> None:
        if event.client is not None:  # moved by the user, not by show_frame
            now, was_playing = int(frame.value), player.playing
            player.seek(now)
            refresh_button()
            if was_playing:  # a move of the playing slider may reach the page after the user's: the frame is told again
                set_value(frame, now - 1 if now else 1)
                set_value(frame, now)

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

    def on_told(numbers: list[float]) -> None:
        number, start, end = int(numbers[0]), numbers[1], numbers[2]
        if number < 0:
            player.seek(round(start * player.fps))
            refresh_button()
        elif session.shown is not None:
            drag(session, session.shown, number, start, end)

    listen(gui, "timeline", on_told)
    session.client.camera.on_update(fit)
    session.on_frame(show_frame)
    session.on_change(refresh)


def drag(session: ClientSession, take: Take, number: int, start: float, end: float) -> None:
    """Has a take made in which a block is elsewhere, or of another length."""

    def work(job: Job) -> Take:
        motion, parts, under = rearranged(session.model, take, number, start, end, job.progress)
        return session.new_take(take.title, motion, parts, under)

    session.run(f"{take.title}, rearranged", work, session.add)


def tracks(take: Take) -> str:
    """Returns the ruler of a take as HTML: seconds, what is done and was asked, when each foot is on the ground."""
    seconds, parts = take.motion.duration, blocks(take)
    rows = {part.row: "" for part in parts}
    for number, part in enumerate(parts):
        style, mark = _BLOCK.format(colour=_BLOCKS[part.row != WORDS]), ""
        if can_be_dragged(take, part):
            style, mark = style + _GRIPS, f' data-part="{number}"'
        rows[part.row] += _bar(part.start, part.end, seconds, style, part.title, mark=mark)
    drawn = [_row("", _marks(seconds), 14), *(_row(name, content, 20) for name, content in rows.items())]
    for side, on_ground in _feet(take).items():
        style, name = _STEP_BAR.format(colour=_COLOURS[side]), f"{side} foot on the ground"
        spans = (
            _bar(start / take.motion.fps, end / take.motion.fps, seconds, style, "", name) for start, end in on_ground
        )
        drawn.append(_row(f"{side.capitalize()} foot", "".join(spans), 10))
    return f'<div data-seconds="{seconds:.4f}" style="cursor:pointer;user-select:none">{"".join(drawn)}</div>'


def with_playhead(shown: str, share: float) -> str:
    """Returns the ruler with a line at a share of its width."""
    place = f"position:absolute;top:0;bottom:0;left:{100 * share:.2f}%;width:2px"
    line = f"{place};background:#e2483d;border-radius:1px;pointer-events:none"
    return f'<div style="position:relative;margin:{_INSET}">{shown}<div style="{line}"></div></div>'


def _marks(seconds: float) -> str:
    apart = next((step for step in _MARKS if seconds / step <= _MOST_MARKS), _MARKS[-1])
    marks = np.arange(0.0, seconds - 0.2 * apart, apart)  # one at the end would not have room
    style = "position:absolute;left:{:.2f}%;font-size:10px;opacity:0.65;border-left:1px solid;padding-left:3px"
    return "".join(f'<span style="{style.format(100 * mark / seconds)}">{mark:g} s</span>' for mark in marks)


def _row(name: str, content: str, height: int) -> str:
    named = f'<div style="{_NAME.format(height=height)}">{name}</div>'
    return f'<div style="{_TRACK.format(height=height)}">{named}{content}</div>'


def _bar(start: float, end: float, seconds: float, style: str, text: str, hint: str = "", mark: str = "") -> str:
    place = _BAR.format(left=100 * start / seconds, width=max(100 * (end - start) / seconds, 0.3))
    return f'<div{mark} style="{place}{style}" title="{escape(hint or text)}">{escape(text)}</div>'


def _feet(take: Take) -> dict[str, Sequence[tuple[int, int]]]:
    """Returns for each side the frames, from and to, in which the foot or its toes are on the ground."""
    import torch

    places = torch.from_numpy(take.poses.positions)
    touching = foot_contacts(places, take.poses.fps, skeleton=CANONICAL)  # ankle and toes, left then right
    return {side: tuple(runs(touching[:, 2 * n : 2 * n + 2].any(1))) for n, side in enumerate(_COLOURS)}
