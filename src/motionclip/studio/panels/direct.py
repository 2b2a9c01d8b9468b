"""Directing: a path on the floor, joints pinned by their handles, poses that are kept, and tracks of body parts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import viser
from numpy.typing import NDArray

import motionclip
from motionclip import Pin, PoseAt, RootPath
from motionclip.applications import DEFAULT_SECONDS
from motionclip.applications.direct import Constraint
from motionclip.applications.direct.pin import POINTING
from motionclip.applications.text_to_motion import Source
from motionclip.applications.tracks import PARTS
from motionclip.motion import CANONICAL
from motionclip.serving import MAX_STORY_SECONDS
from motionclip.studio.arrange import TRACK_ROWS, with_tracks
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.marks import PathMarks, PinMarks, PoseMarks, joint_names
from motionclip.studio.takes import Part, Poses, Take

#: Points of a path when it is laid, and at most; pins and poses at most.
_FIRST_POINTS, _MOST_POINTS, _MOST_PINS = 5, 24, 16
#: Metres ahead of the path that is laid where nothing travels, and from its last point to one more.
_AHEAD, _FURTHER = 3.0, 0.8
#: Metres that a motion travels before its own way is the path.
_TRAVELS = 1.0
#: How the body faces along a path, degrees from it.
_FACINGS = {"along": 0.0, "backwards": 180.0, "left side ahead": -90.0, "right side ahead": 90.0, "free": None}
#: Seconds of a track.
_TRACK_SECONDS = 2.0
_ASKED = "Asked"


def add_direct(session: ClientSession) -> None:
    """Adds the fields of a motion under constraints, and of a track."""
    gui = session.client.gui
    words = gui.add_text("Words", "a person walks", hint="What is done; the motion that is shown, if empty.")
    seconds = gui.add_number("Seconds", DEFAULT_SECONDS, min=0.5, max=MAX_STORY_SECONDS, step=0.5)
    seed = gui.add_number("Seed", 0, min=0, step=1)
    asked = Asked(session)
    make = gui.add_button("Direct", icon=viser.Icon.ROUTE, color="blue")
    answer = gui.add_html("")
    with gui.add_folder("A part of the body"):
        add_track(session)

    @make.on_click
    def _(_: object) -> None:
        text, length, number = words.value.strip(), float(seconds.value), int(seed.value)
        shown = session.shown
        constraints = asked.constraints()
        if not text and shown is None:
            session.notify("Nothing to direct", "say what is done, or show a motion")
            return
        source: Source = text if shown is None or text else shown.motion
        title = text if shown is None or text else f"{shown.title}, directed"
        given = length if text else None

        def work(job: Job) -> Take:
            made = motionclip.direct(
                session.model, source, constraints, seed=number, on_step=job.progress, seconds=given
            )
            answer.content = _errors(constraints, made.errors)
            return session.new_take(title, made.motion, parts_of(constraints))

        session.run(title, work, session.add)


class Asked:
    """What is asked of the next motion: fields, and marks in the scene."""

    def __init__(self, session: ClientSession):
        self._session = session
        self._path, self._pins = PathMarks(session.client, self._list), PinMarks(session.client)
        self._ghosts = PoseMarks(session.client, session.shared.body)
        self._pinned: list[tuple[str, float, NDArray[np.float64] | None]] = []  # joint, second, where it points
        self._poses: list[PoseAt] = []
        gui = session.client.gui
        with gui.add_folder("Path"):
            self._facing = gui.add_dropdown("Facing", tuple(_FACINGS))
            lay = gui.add_button("Lay a path", icon=viser.Icon.ROUTE, hint="Drag its discs over the floor.")
            points = gui.add_button_group("Points", ("One more", "One fewer", "None"))
        with gui.add_folder("At the playhead"):
            self._joint = gui.add_dropdown("Joint", joint_names())
            pin = gui.add_button("Pin the joint", icon=viser.Icon.PIN, hint="Drag its handle; turn it to point it.")
            pose = gui.add_button("Keep the pose", icon=viser.Icon.MAN, hint="The motion goes through it again.")
            clear = gui.add_button("Forget pins and poses", icon=viser.Icon.TRASH)
        self._listed = gui.add_html("")
        lay.on_click(lambda _: self._path.show(self._first_path()))
        points.on_click(lambda _: self._change_points(points.value))
        pin.on_click(lambda _: self._add_pin())
        pose.on_click(lambda _: self._add_pose())
        clear.on_click(lambda _: self._clear())

    def constraints(self) -> list[Constraint]:
        """Returns what is asked now."""
        found: list[Constraint] = []
        if len(self._path.points) > 1:
            found.append(RootPath(self._path.points, facing=_FACINGS[self._facing.value]))
        for number, (joint, at, pointing) in enumerate(self._pinned):
            turned = None if pointing is None else self._pins.turned(number, pointing)
            found.append(Pin(joint, _above_floor(self._pins.place(number)), at, direction=turned))
        return [*found, *self._poses]

    def _first_path(self) -> list[tuple[float, float]]:
        """The way of the motion that is shown, if it goes anywhere; else a line ahead."""
        shown = self._session.shown
        if shown is not None:
            ground = shown.poses.path[:: max((len(shown.poses.path) - 1) // (_FIRST_POINTS - 1), 1)]
            if np.linalg.norm(np.diff(ground, axis=0), axis=1).sum() > _TRAVELS:
                return [(float(x), float(z)) for x, z in ground]
        return [(0.0, _AHEAD * step / (_FIRST_POINTS - 1)) for step in range(_FIRST_POINTS)]

    def _change_points(self, what: str) -> None:
        points = self._path.points
        if what == "One more" and 1 < len(points) < _MOST_POINTS:
            (x, z), (before_x, before_z) = points[-1], points[-2]
            share = _FURTHER / max(float(np.hypot(x - before_x, z - before_z)), 1e-3)
            points.append((x + share * (x - before_x), z + share * (z - before_z)))
        elif what == "One fewer" and len(points) > 2:
            points.pop()
        elif what == "None":
            points = []
        self._path.show(points)

    def _add_pin(self) -> None:
        shown, joint = self._session.shown_or_notify("Nothing to pin"), self._joint.value
        if shown is None or not self._has_room():
            return
        frame = self._session.player.frame
        at = frame / shown.poses.fps
        self._pins.add(joint, shown.poses.positions[frame, CANONICAL.index(joint)], at)
        self._pinned.append((joint, at, pointing_at(shown.poses, frame, joint)))
        self._session.player.playing = False
        self._list()

    def _add_pose(self) -> None:
        shown = self._session.shown_or_notify("No pose to keep")
        if shown is None or not self._has_room():
            return
        frame = self._session.player.frame
        at = frame / shown.poses.fps
        self._poses.append(PoseAt.of(at, shown.motion, at))
        self._ghosts.add(shown.poses, frame)
        self._list()

    def _has_room(self) -> bool:
        if len(self._pinned) + len(self._poses) < _MOST_PINS:
            return True
        self._session.notify("Enough is asked", f"expected at most {_MOST_PINS} pins and poses")
        return False

    def _clear(self) -> None:
        self._pins.clear()
        self._ghosts.clear()
        self._pinned.clear()
        self._poses.clear()
        self._list()

    def _list(self) -> None:
        lines = [f"{joint.replace('_', ' ')} at {at:.2f} s" for joint, at, _ in self._pinned]
        self._listed.content = _small([*lines, *(each.title for each in self._poses)])


def pointing_at(poses: Poses, frame: int, joint: str) -> NDArray[np.float64] | None:
    """Returns where (3,) a joint points in a frame; None for one that points nowhere."""
    if joint not in POINTING:
        return None
    turner, axis = POINTING[joint]
    w, *imaginary = poses.quats[frame, CANONICAL.index(turner)]
    vector, direction = np.array(imaginary), np.array(axis)
    across = 2 * np.cross(vector, direction)
    return direction + w * across + np.cross(vector, across)


def _above_floor(place: tuple[float, float, float]) -> tuple[float, float, float]:
    return place[0], max(place[1], 0.0), place[2]


def parts_of(constraints: Sequence[Constraint]) -> list[Part]:
    """Returns what was asked at moments, for the timeline."""
    parts = []
    for each in constraints:
        if isinstance(each, Pin):
            parts.append(Part(each.joint.replace("_", " "), each.start, each.last, _ASKED))
        elif isinstance(each, PoseAt):
            parts.append(Part("pose", each.seconds, each.seconds, _ASKED))
    return parts


def _errors(constraints: Sequence[Constraint], errors: Sequence[float]) -> str:
    pairs = zip(constraints, errors, strict=True)
    return _small([f"{each.title}: {100 * error:.1f} cm off" for each, error in pairs])


def _small(lines: Sequence[str]) -> str:
    text = "<br>".join(map(escape, lines))
    return text and f'<div style="margin: 0.4em 0.9em; font-size: 0.85em; line-height: 1.5">{text}</div>'


def add_track(session: ClientSession) -> None:
    """Adds what a part of the body does for a while, over the motion that is shown."""
    gui = session.client.gui
    part = gui.add_dropdown("Part", tuple(PARTS), initial_value="right_arm")
    words = gui.add_text("Does", "a person waves with the right hand")
    length = gui.add_number("For s", _TRACK_SECONDS, min=0.8, max=MAX_STORY_SECONDS, step=0.1)
    lay = gui.add_button("From the playhead on", icon=viser.Icon.LAYERS_INTERSECT)

    @lay.on_click
    def _(_: object) -> None:
        shown, text = session.shown_or_notify("Nothing to lay it over"), words.value.strip()
        if shown is None:
            return
        start = session.player.frame / shown.poses.fps
        end = min(start + float(length.value), shown.motion.duration)
        name = part.value
        row = next(row for row, moved in TRACK_ROWS.items() if moved == name)

        def work(job: Job) -> Take:
            below = shown.motion if shown.under is None else shown.under
            parts = (*shown.parts, Part(text, start, end, row))
            return session.new_take(shown.title, with_tracks(session.model, below, parts), parts, below)

        session.run(f"{row.lower()}: {text}", work, session.add)
