"""The map of the library, and the motions that are nearest to a text or to what is shown."""

from __future__ import annotations

import viser

from motionclip.applications.text_to_motion import Source
from motionclip.studio.board import LibraryMap, SmallBody
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.library import LatentMap, MapPoint, Neighbour
from motionclip.studio.script import listen
from motionclip.studio.takes import Poses, poses_of

#: Neighbours that are listed.
_TOP = 6
#: Metres by which the camera goes aside, and back, to see the map.
_CAMERA_ASIDE, _CAMERA_BACK = 1.1, 0.9


def add_library(session: ClientSession) -> None:
    """Adds a switch for the map, and the nearest motions as buttons."""
    gui = session.client.gui
    mapped: tuple[object, ...] | None = None  # the takes that the map shows; None while it is hidden
    results: list[viser.GuiButtonHandle] = []
    switch = gui.add_checkbox(
        "Map of the library", False, hint="Each ball is a motion: the mouse over it shows it small, a click large."
    )
    near_shown = gui.add_button("Nearest to what is shown", icon=viser.Icon.TARGET)
    words = gui.add_text("Words", "", hint="What is done in the motions to be found.")
    near_words = gui.add_button("Nearest to the words", icon=viser.Icon.SEARCH)
    folder = gui.add_folder("Found")

    def open_point(point: MapPoint) -> None:
        session.run(point.title, lambda job: session.new_take(point.title, point.open()), session.preview)

    board = LibraryMap(session.client, open_point)
    add_preview(session, board)

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


def add_preview(session: ClientSession, board: LibraryMap) -> None:
    """Has the motion of the ball under the mouse named, and done by a small body."""
    small = SmallBody(session.client, session.shared.body)
    hovered: int | None = None
    opening = False

    def on_told(numbers: list[float]) -> None:
        nonlocal hovered
        found = board.point_at(numbers[0], numbers[1])
        if found != hovered:
            hovered = found
            small.stop()
            look(board.name(found))

    def look(point: MapPoint | None) -> None:
        nonlocal opening
        if point is None or opening:  # what is being opened will see that the mouse has moved on
            return
        opening, number = True, hovered

        def work(job: Job) -> Poses:
            nonlocal opening
            opening = False
            return poses_of(session.shared.body.fitted(point.open()))

        def show(poses: Poses) -> None:
            if hovered == number and number is not None:
                small.play(poses, board.place(number))

        session.run(f"a look at {point.title}", work, show)

    listen(session.client.gui, "hover", on_told)
    session.on_tick(small.tick)
