"""New motions: of a text, of the motion that is shown, between two motions, and of several texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from itertools import accumulate, pairwise
from typing import Any

import viser

import motionclip
from motionclip import Motion, Shot
from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_SECONDS, DEFAULT_TAKES
from motionclip.applications.familiarity import Familiarity, familiarity
from motionclip.applications.long import is_long, shots_of
from motionclip.errors import MotionError
from motionclip.serving import MAX_STORY_SECONDS
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.panels.complete import add_completion
from motionclip.studio.takes import Part, Take

#: Motions from A to B, both among them.
_STEPS = 21
#: Takes that stand side by side.
_MOST_TAKES = 5
#: Texts and seconds of the first shots of a story, and shots at most.
_FIRST_SHOTS, _SHOT_SECONDS = ("a person walks", "a person waves with both hands", "a person runs"), 3.0
_MAX_SHOTS = 12


def add_make(session: ClientSession) -> None:
    """Adds the fields of a text that becomes a motion."""
    gui, model = session.client.gui, session.model
    with gui.add_form(None) as form:
        words = gui.add_text("Words", "a person walks", hint="What the person does. Enter makes it.")
        seconds = gui.add_number("Seconds", DEFAULT_SECONDS, min=0.5, max=MAX_STORY_SECONDS, step=0.5)
        takes = gui.add_slider("Takes", 1, _MOST_TAKES, 1, 1, hint="Several stand side by side, the best first.")
        seed = gui.add_number("Seed", 0, min=0, step=1, hint="Another seed gives another motion of the same words.")
        guidance = gui.add_slider(
            "Guidance", 0.0, 4.0, 0.25, DEFAULT_GUIDANCE, hint="Above 1 follows the words more closely."
        )
        make = gui.add_button("Make", icon=viser.Icon.RUN, color="blue")
    note = gui.add_html("")
    make.on_click(lambda _: form.submit())

    @form.on_submit
    def _(_: object) -> None:
        text, length, count = words.value, float(seconds.value), takes.value
        how: dict[str, Any] = {"seconds": length, "seed": int(seed.value), "guidance": guidance.value}
        shots = shots_of(text)

        def work(job: Job) -> list[Take]:
            if count > 1:
                drawn = motionclip.candidates(model, text, count=max(DEFAULT_TAKES, 2 * count), keep=count, **how)
                made = [session.new_take(text, each.motion, _parts([text], [length])) for each in drawn]
            elif is_long(model, text, length):
                motion = motionclip.long_motion(model, text, on_piece=job.progress, **how)
                made = [session.new_take(text, motion, _parts(shots, [length / len(shots)] * len(shots)))]
            else:
                motion = motionclip.text_to_motion(model, text, **how)
                made = [session.new_take(text, motion, _parts([text], [length]))]
            job.progress()
            note.content = _warning(familiarity(model, shots))
            return made

        session.run(text, work, lambda made: session.add(made[0]) if count == 1 else session.compare(made))


def _parts(texts: Sequence[str], seconds: Sequence[float]) -> list[Part]:
    """Returns the parts of a take in which each text has its seconds, one after the other."""
    ends = [0.0, *accumulate(seconds)]
    return [Part(text, start, end) for text, (start, end) in zip(texts, pairwise(ends), strict=True)]


def _warning(found: Sequence[Familiarity]) -> str:
    """Returns what is to be said of how words are read and of those that are far from what is known, as HTML."""
    unknown = " ".join(f"{each.note}." for each in found if each.note)
    return unknown and f'<div style="margin: 0.6em 0.9em; font-size: 0.85em; color: #c77f1a">{escape(unknown)}</div>'


def add_edit(session: ClientSession) -> None:
    """Adds latent arithmetic, styles, and the two halves of the body, for the motion that is shown."""
    gui, model = session.client.gui, session.model
    minus = gui.add_text("Minus", "", hint="What is taken away, such as: a person walks")
    plus = gui.add_text("Plus", "", hint="What is put in its place, such as: a person walks like an old man")
    strength = gui.add_slider("Strength", 0.0, 2.0, 0.1, 1.0, hint="1 for all of the change, more to exaggerate.")
    change = gui.add_button("Change", icon=viser.Icon.WAND)
    gui.add_divider()
    style = gui.add_text("Style", "elderly", hint="A style by name, such as youthful or sad, or: like a robot")
    change_style = gui.add_button("Change the style", icon=viser.Icon.MOOD_SMILE)
    gui.add_divider()
    half = gui.add_text("Half", "wave with both hands", hint="What one half of the body does.")
    upper = gui.add_button("Upper body does that", icon=viser.Icon.HAND_STOP)
    lower = gui.add_button("Legs do that", icon=viser.Icon.SHOE)
    with gui.add_folder("Go on, or fill a gap", expand_by_default=False):
        add_completion(session)

    def edit_shown(title: str, edit: Callable[[Motion], Motion]) -> None:
        shown = session.shown_or_notify("Nothing to change")
        if shown is not None:
            session.make(title, lambda job: edit(shown.motion))

    @change.on_click
    def _(_: object) -> None:
        less, more, share = minus.value.strip() or None, plus.value.strip() or None, strength.value
        title = " ".join([f"less “{less}”"] * bool(less) + [f"plus “{more}”"] * bool(more)) or "change"
        edit_shown(title, lambda base: motionclip.edit(model, base, minus=less, plus=more, strength=share))

    @change_style.on_click
    def _(_: object) -> None:
        name, share = style.value.strip(), strength.value
        edit_shown(f"style: {name}", lambda base: motionclip.restyle(model, base, name, strength=share))

    @upper.on_click
    def _(_: object) -> None:
        text = half.value
        edit_shown(f"upper body: {text}", lambda base: motionclip.compose(model, text, base))

    @lower.on_click
    def _(_: object) -> None:
        text = half.value
        edit_shown(f"legs: {text}", lambda base: motionclip.compose(model, base, text))


def add_blend(session: ClientSession) -> None:
    """Adds two motions, and a slider through those between them."""
    gui = session.client.gui
    ends: dict[str, Take] = {}
    between: list[Take] = []
    buttons = {
        end: gui.add_button(f"{end}: what is shown", icon=viser.Icon.TARGET_ARROW, hint=f"Makes it {end}.")
        for end in "AB"
    }
    slider = gui.add_slider("A to B", 0, 100, 100 // (_STEPS - 1), 0, disabled=True)
    keep = gui.add_button("Keep what is shown", icon=viser.Icon.DEVICE_FLOPPY)

    def set_end(end: str, _: object) -> None:
        shown = session.shown_or_notify("Nothing to blend")
        if shown is None:
            return
        ends[end] = shown
        buttons[end].label = f"{end}: {shown.title}"
        if len(ends) == 2:
            slider.disabled = True
            session.run("from A to B", partial(interpolate, ends["A"].motion, ends["B"].motion), show)

    def interpolate(a: Motion, b: Motion, _: Job) -> list[Take]:
        motions = motionclip.interpolate(session.model, a, b, _STEPS)
        shares = [100 * step // (_STEPS - 1) for step in range(_STEPS)]
        return [session.new_take(f"{share} % from A to B", m) for share, m in zip(shares, motions, strict=True)]

    def show(takes: list[Take]) -> None:
        between[:] = takes
        slider.disabled = False
        preview()

    def preview() -> None:
        if between:
            session.preview(between[round(slider.value / 100 * (_STEPS - 1))], keep_time=True)

    for end, button in buttons.items():
        button.on_click(partial(set_end, end))
    slider.on_update(lambda event: preview() if event.client is not None else None)

    @keep.on_click
    def _(_: object) -> None:
        if session.shown is not None and session.shown is not session.history.current:
            session.add(session.shown)


def add_story(session: ClientSession) -> None:
    """Adds rows of words and seconds that become one motion."""
    gui = session.client.gui
    rows: list[tuple[viser.GuiTextHandle, viser.GuiNumberHandle[float]]] = []
    folder = gui.add_folder("Shots")
    more = gui.add_button("One more", icon=viser.Icon.PLUS)
    fewer = gui.add_button("One fewer", icon=viser.Icon.MINUS)
    make = gui.add_button("Make the story", icon=viser.Icon.MOVIE, color="blue")

    def add_row(words: str) -> None:
        if len(rows) < _MAX_SHOTS:
            with folder:
                text = gui.add_text(f"Shot {len(rows) + 1}", words)
                seconds = gui.add_number("Seconds", _SHOT_SECONDS, min=0.5, max=MAX_STORY_SECONDS, step=0.5)
            rows.append((text, seconds))

    for words in _FIRST_SHOTS:
        add_row(words)
    more.on_click(lambda _: add_row(""))

    @fewer.on_click
    def _(_: object) -> None:
        if len(rows) > 1:
            for handle in rows.pop():
                handle.remove()

    @make.on_click
    def _(_: object) -> None:
        texts = [(text.value.strip(), float(seconds.value)) for text, seconds in rows if text.value.strip()]

        def work(job: Job) -> Take:
            total = sum(seconds for _, seconds in texts)
            if total > MAX_STORY_SECONDS:
                raise MotionError(f"a story of {total:g} s; expected at most {MAX_STORY_SECONDS:g}")
            shots = [Shot(text, seconds) for text, seconds in texts]
            motion = motionclip.storyboard(session.model, shots, on_piece=job.progress)
            parts = _parts(*zip(*texts, strict=True))
            return session.new_take(f"story of {len(texts)} shots", motion, parts)

        session.run(f"story of {len(texts)} shots", work, session.add)
