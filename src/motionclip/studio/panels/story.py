"""Several sentences, one after the other, as one motion."""

from __future__ import annotations

import viser

from motionclip.applications.storyboard import Shot, storyboard
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.server.limits import MAX_STORY_SECONDS
from motionclip.studio.visitor import Visitor
from motionclip.studio.work import Job

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
