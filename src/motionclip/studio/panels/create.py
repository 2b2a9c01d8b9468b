"""Several sentences, one after the other, as one motion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import viser

from motionclip.applications.edit import compose, edit, restyle
from motionclip.applications.interpolate import interpolate
from motionclip.applications.storyboard import Shot, storyboard
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, DEFAULT_SECONDS, text_to_motion
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.serving import MAX_STORY_SECONDS
from motionclip.studio.client import Job, Visitor
from motionclip.studio.session import Take

# A sentence becomes a motion.


def add_make(visitor: Visitor) -> None:
    """Adds the fields of a sentence."""
    gui, model = visitor.client.gui, visitor.model
    text = gui.add_text("Words", "a person walks", multiline=True, hint="What the person does.")
    seconds = gui.add_slider("Seconds", 0.5, model.max_seconds, 0.5, min(DEFAULT_SECONDS, model.max_seconds))
    seed = gui.add_number("Seed", 0, min=0, step=1, hint="Another seed gives another motion of the same words.")
    guidance = gui.add_slider(
        "Guidance", 0.0, 4.0, 0.25, DEFAULT_GUIDANCE, hint="Above 1 follows the words more closely."
    )
    make = gui.add_button("Make", icon=viser.Icon.RUN, color="blue")

    @make.on_click
    def _(_: object) -> None:
        said, length, number, pull = text.value, seconds.value, int(seed.value), guidance.value
        visitor.make(said, lambda job: text_to_motion(model, said, seconds=length, seed=number, guidance=pull))


# The motion that is shown, changed by words.


def add_edit(visitor: Visitor) -> None:
    """Adds latent arithmetic, styles, and the two halves of the body."""
    gui, model = visitor.client.gui, visitor.model
    minus = gui.add_text("Minus", "", hint="What is taken away, such as: a person walks")
    plus = gui.add_text("Plus", "", hint="What is put in its place, such as: a person walks like an old man")
    strength = gui.add_slider("Strength", 0.0, 2.0, 0.1, 1.0, hint="1 for all of the change, more to exaggerate.")
    change = gui.add_button("Change", icon=viser.Icon.WAND)
    gui.add_divider()
    style = gui.add_text("Style", "elderly", hint="A style by name, such as youthful or sad, or: like a robot")
    dress = gui.add_button("Change the style", icon=viser.Icon.MOOD_SMILE)
    gui.add_divider()
    half = gui.add_text("Half", "wave with both hands", hint="What one half of the body does.")
    upper = gui.add_button("Upper body does that", icon=viser.Icon.HAND_STOP)
    lower = gui.add_button("Legs do that", icon=viser.Icon.SHOE)

    @change.on_click
    def _(_: object) -> None:
        less, more, share = minus.value.strip() or None, plus.value.strip() or None, strength.value
        title = " ".join([f"less “{less}”"] * bool(less) + [f"plus “{more}”"] * bool(more)) or "change"
        _of_shown(visitor, title, lambda base: edit(model, base, minus=less, plus=more, strength=share))

    @dress.on_click
    def _(_: object) -> None:
        how, share = style.value.strip(), strength.value
        _of_shown(visitor, f"style: {how}", lambda base: restyle(model, base, how, strength=share))

    @upper.on_click
    def _(_: object) -> None:
        does = half.value
        _of_shown(visitor, f"upper body: {does}", lambda base: compose(model, does, base))

    @lower.on_click
    def _(_: object) -> None:
        does = half.value
        _of_shown(visitor, f"legs: {does}", lambda base: compose(model, base, does))


def _of_shown(visitor: Visitor, title: str, change: Callable[[Motion], Motion]) -> None:
    """Has the motion that is shown changed."""
    shown = visitor.shown
    if shown is None:
        visitor.tell("Nothing to change", "make a motion first, or read a file")
    else:
        visitor.make(title, lambda job: change(shown.motion))


# From one motion to another.


#: Motions from A to B, both among them.
_STEPS = 21


class Blend:
    """Two motions and those between them.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        self._ends: dict[str, Take] = {}
        self._between: list[Take] = []
        gui = visitor.client.gui
        self._buttons = {
            end: gui.add_button(f"{end}: what is shown", icon=viser.Icon.TARGET_ARROW, hint=f"Makes it {end}.")
            for end in "AB"
        }
        self._slider = gui.add_slider("A to B", 0, 100, 100 // (_STEPS - 1), 0, disabled=True)
        keep = gui.add_button("Keep what is shown", icon=viser.Icon.DEVICE_FLOPPY)
        for end, button in self._buttons.items():
            button.on_click(partial(self._set, end))
        self._slider.on_update(lambda event: self._look() if event.client is not None else None)
        keep.on_click(lambda _: self._keep())

    def _set(self, end: str, _: object) -> None:
        shown, visitor = self._visitor.shown, self._visitor
        if shown is None:
            visitor.tell("Nothing to blend", "make a motion first, or read a file")
            return
        self._ends[end] = shown
        self._buttons[end].label = f"{end}: {shown.title}"
        if len(self._ends) == 2:
            self._slider.disabled = True
            visitor.do("from A to B", self._made, self._show)

    def _made(self, job: Job) -> list[Take]:
        a, b = self._ends["A"].motion, self._ends["B"].motion
        motions = interpolate(self._visitor.model, a, b, _STEPS)
        shares = [100 * step // (_STEPS - 1) for step in range(_STEPS)]
        return [self._visitor.take(f"{share} % from A to B", m) for share, m in zip(shares, motions, strict=True)]

    def _show(self, between: list[Take]) -> None:
        self._between = between
        self._slider.disabled = False
        self._look()

    def _look(self) -> None:
        if self._between:
            self._visitor.look_at(self._between[round(self._slider.value / 100 * (_STEPS - 1))], keep_time=True)

    def _keep(self) -> None:
        visitor = self._visitor
        if visitor.shown is not None and visitor.shown is not visitor.session.current:
            visitor.add(visitor.shown)


#: What the first rows say, and rows at most.
_FIRST, _MOST = ("a person walks", "a person waves with both hands", "a person runs"), 12
_SECONDS = 3.0


class Story:
    """Rows of words and seconds.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        gui = visitor.client.gui
        self._rows: list[tuple[viser.GuiTextHandle, viser.GuiNumberHandle[float]]] = []
        self._folder = gui.add_folder("Shots")
        for words in _FIRST:
            self._add(words)
        more = gui.add_button("One more", icon=viser.Icon.PLUS)
        fewer = gui.add_button("One fewer", icon=viser.Icon.MINUS)
        film = gui.add_button("Make the story", icon=viser.Icon.MOVIE, color="blue")
        more.on_click(lambda _: self._add(""))
        fewer.on_click(lambda _: self._remove())
        film.on_click(lambda _: self._film())

    def _add(self, words: str) -> None:
        if len(self._rows) < _MOST:
            gui = self._visitor.client.gui
            with self._folder:
                text = gui.add_text(f"Shot {len(self._rows) + 1}", words)
                seconds = gui.add_number("Seconds", _SECONDS, min=0.5, max=MAX_STORY_SECONDS, step=0.5)
            self._rows.append((text, seconds))

    def _remove(self) -> None:
        if len(self._rows) > 1:
            for handle in self._rows.pop():
                handle.remove()

    def _film(self) -> None:
        said = [(text.value.strip(), float(seconds.value)) for text, seconds in self._rows if text.value.strip()]
        model = self._visitor.model

        def work(job: Job) -> Motion:
            total = sum(seconds for _, seconds in said)
            if total > MAX_STORY_SECONDS:
                raise MotionError(f"a story of {total:g} s; expected at most {MAX_STORY_SECONDS:g}")
            return storyboard(model, [Shot(words, seconds) for words, seconds in said], on_piece=job.step)

        self._visitor.make(f"story of {len(said)} shots", work)
