"""The map of the library, and the motions that are nearest to a text or to what is shown."""

from __future__ import annotations

import viser

from motionclip.applications.text_to_motion import Source
from motionclip.studio.client import ClientSession
from motionclip.studio.library import LatentMap, MapPoint, Neighbour
from motionclip.studio.scene import LibraryMap

#: Neighbours that are listed.
_TOP = 6
#: Metres by which the camera goes aside, and back, to see the map.
_CAMERA_ASIDE, _CAMERA_BACK = 1.1, 0.9


def add_library(session: ClientSession) -> None:
    """Adds a switch for the map, and the nearest motions as buttons."""
    gui = session.client.gui
    mapped: tuple[object, ...] | None = None  # the takes that the map shows; None while it is hidden
    results: list[viser.GuiButtonHandle] = []
    switch = gui.add_checkbox("Map of the library", False, hint="Each ball is a motion: click it to see it.")
    near_shown = gui.add_button("Nearest to what is shown", icon=viser.Icon.TARGET)
    words = gui.add_text("Words", "", hint="What is done in the motions to be found.")
    near_words = gui.add_button("Nearest to the words", icon=viser.Icon.SEARCH)
    folder = gui.add_folder("Found")

    def open_point(point: MapPoint) -> None:
        session.run(point.title, lambda job: session.new_take(point.title, point.open()), session.preview)

    board = LibraryMap(session.client, open_point)

    def refresh() -> None:
        """Draws the map anew where it has changed: that of a page does with its takes, that of a library never."""
        nonlocal mapped
        takes = () if session.shared.library is not None else session.history.takes
        if switch.value and mapped != takes:
            mapped = takes
            session.run("map", lambda job: session.collection.map(), show_map)

    def show_map(found: LatentMap) -> None:
        if switch.value:  # it may have been switched off meanwhile
            board.show(found)

    @switch.on_update
    def _(_: object) -> None:
        nonlocal mapped
        session.scene.aim_camera(*(_CAMERA_ASIDE, _CAMERA_BACK) if switch.value else (0.0, 0.0))
        if not switch.value:
            board.hide()
            mapped = None
        refresh()

    def find(query: Source) -> None:
        session.run("neighbours", lambda job: session.collection.neighbours(query, _TOP), show_results)

    def show_results(found: list[Neighbour]) -> None:
        for button in results:
            button.remove()
        if not found:
            session.notify("Nothing is near", "there are no other motions to compare with")
        with folder:
            results[:] = [gui.add_button(f"{one.cosine:.2f}  {one.point.title}") for one in found]
        for button, one in zip(results, found, strict=True):
            button.on_click(lambda _, point=one.point: open_point(point))  # type: ignore[misc]

    @near_shown.on_click
    def _(_: object) -> None:
        shown = session.shown_or_notify("No motion")
        if shown is not None:
            find(shown.motion)

    near_words.on_click(lambda _: find(words.value))
    session.on_change(refresh)
