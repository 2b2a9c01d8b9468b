"""The motion that is shown, changed by words."""

from __future__ import annotations

from collections.abc import Callable

import viser

from motionclip.applications.compose import compose
from motionclip.applications.edit import edit, restyle
from motionclip.motion import Motion
from motionclip.studio.visitor import Visitor


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
