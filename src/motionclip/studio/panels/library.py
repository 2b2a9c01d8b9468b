"""The map of the library, and what in it is near."""

from __future__ import annotations

from functools import partial

import viser

from motionclip.studio.client import Visitor
from motionclip.studio.library import Map, Neighbour, Spot
from motionclip.studio.scene import Board

_TOP = 6
#: Metres that the camera steps aside, so that body and board are both seen.
_ASIDE = 1.1


class Library:
    """A switch for the board, and the nearest motions as buttons.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        self._board = Board(visitor.client, self._open)
        self._mapped: tuple[object, ...] | None = None
        gui = visitor.client.gui
        self._map = gui.add_checkbox("Map of the library", False, hint="Each ball is a motion: click it to see it.")
        near = gui.add_button("Nearest to what is shown", icon=viser.Icon.TARGET)
        self._words = gui.add_text("Words", "", hint="What is done in the motions to be found.")
        fit = gui.add_button("Nearest to the words", icon=viser.Icon.SEARCH)
        self._folder = gui.add_folder("Found")
        self._found: list[viser.GuiButtonHandle] = []
        self._map.on_update(lambda _: self._switch())
        near.on_click(lambda _: self._find_near())
        fit.on_click(lambda _: self._find(self._words.value))
        visitor.on_change(self._refresh)

    def _switch(self) -> None:
        self._visitor.stage.look(_ASIDE if self._map.value else 0.0)
        if not self._map.value:
            self._board.hide()
            self._mapped = None
        self._refresh()

    def _refresh(self) -> None:
        """The map of a session changes with its takes; that of a library is drawn once."""
        takes = () if self._visitor.house.library is not None else self._visitor.session.takes
        if self._map.value and self._mapped != takes:
            self._mapped = takes
            self._visitor.do("map", lambda job: self._visitor.collection.map(), self._show_map)

    def _show_map(self, shown: Map) -> None:
        if self._map.value:
            self._board.show(shown)

    def _find_near(self) -> None:
        if self._visitor.shown is None:
            self._visitor.tell("No motion", "make one first, or read a file")
        else:
            motion = self._visitor.shown.motion
            self._visitor.do("neighbours", lambda job: self._visitor.collection.neighbours(motion, _TOP), self._list)

    def _find(self, words: str) -> None:
        self._visitor.do("neighbours", lambda job: self._visitor.collection.neighbours(words, _TOP), self._list)

    def _list(self, found: list[Neighbour]) -> None:
        for button in self._found:
            button.remove()
        if not found:
            self._visitor.tell("Nothing is near", "there are no other motions to compare with")
        with self._folder:
            self._found = [self._visitor.client.gui.add_button(f"{one.cosine:.2f}  {one.spot.title}") for one in found]
        for button, one in zip(self._found, found, strict=True):
            button.on_click(partial(self._open_clicked, one.spot))

    def _open_clicked(self, spot: Spot, _: object) -> None:
        self._open(spot)

    def _open(self, spot: Spot) -> None:
        visitor = self._visitor
        visitor.do(spot.title, lambda job: visitor.take(spot.title, spot.open()), visitor.look_at)
