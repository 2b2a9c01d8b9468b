"""The map of the library beside the body: a ball for each motion, its name and a small body under the mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.studio.library import LatentMap, MapPoint
from motionclip.studio.scene import Colour, add_skin
from motionclip.studio.takes import Poses

#: Where the map stands, its turn about the vertical, radians, and half its width and height, metres.
MAP_POSITION, MAP_TURN, MAP_HALF = (-2.6, 1.35, 0.3), 0.45, (1.3, 1.0)
_POINT_COLOUR, _CHOSEN_COLOUR = (148, 158, 174), (255, 255, 255)
_BOARD_COLOUR = (44, 52, 66)
#: Of the most frequent actions, in order: Okabe and Ito's, which the colour-blind tell apart, too.
_ACTION_COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (70, 130, 220),
    (213, 94, 0),
    (204, 121, 167),
)
#: Radius of a ball of the map, metres, and of one of more than so many balls.
_RADIUS, _SMALL_RADIUS, _MANY = 0.035, 0.018, 60
#: Metres of a label above and in front of the middle of its balls.
_LABEL_ABOVE = 0.08
#: Pixels from a ball within which the mouse is on it.
_NEAR = 14.0
#: Size of the small body against the large one, and where it stands from its ball: metres right, up, to the front.
_SMALL, _SMALL_ASIDE = 0.4, (0.15, -0.35, 0.25)


class LibraryMap:
    """Draws a map as an upright board beside the body, with a ball for each motion that can be clicked.

    Args:
        client: one browser.
        on_choose: called with the point that was clicked.
    """

    def __init__(self, client: viser.ClientHandle, on_choose: Callable[[MapPoint], None]):
        self._client, self._scene, self._on_choose = client, client.scene, on_choose
        self._frame: viser.FrameHandle | None = None
        self._shown: LatentMap | None = None
        self._name: viser.LabelHandle | None = None

    def hide(self) -> None:
        """Removes the map."""
        if self._frame is not None:
            self._frame.remove()
            self._frame = self._shown = self._name = None

    def show(self, shown: LatentMap) -> None:
        """Shows a map in place of the one before."""
        self.hide()
        self._shown = shown
        turn = (float(np.cos(MAP_TURN / 2)), 0.0, float(np.sin(MAP_TURN / 2)), 0.0)
        self._frame = self._scene.add_frame("/map", show_axes=False, position=MAP_POSITION, wxyz=turn)
        size = (2 * MAP_HALF[0] + 0.3, 2 * MAP_HALF[1] + 0.3, 0.02)
        self._scene.add_box("/map/board", _BOARD_COLOUR, size, position=(0.0, 0.0, -0.06), cast_shadow=False)
        if shown.points:
            self._add_balls(shown)

    def _add_balls(self, shown: LatentMap) -> None:
        vertices, faces = ball()
        count = len(shown.points)
        places = on_board(shown.positions)
        colours = np.tile(np.array(_POINT_COLOUR, np.uint8), (count, 1))
        for number, (action, members) in enumerate(shown.groups(len(_ACTION_COLOURS))):
            colours[members] = _ACTION_COLOURS[number]
            middle = np.median(places[members], axis=0) + np.array([0.0, _LABEL_ABOVE, _LABEL_ABOVE])
            self._scene.add_label(f"/map/action{number}", action, position=middle, anchor="bottom-center")
        balls = self._scene.add_batched_meshes_simple(
            "/map/balls",
            vertices * (_SMALL_RADIUS if count > _MANY else _RADIUS),
            faces,
            batched_wxyzs=np.tile((1.0, 0.0, 0.0, 0.0), (count, 1)),
            batched_positions=places,
            batched_colors=colours,
            lod="off",
            cast_shadow=False,
        )

        @balls.on_click
        def _(event: viser.SceneNodePointerEvent[viser.BatchedMeshHandle]) -> None:
            number = event.instance_index
            if number is not None and number < count:
                with_chosen = colours.copy()
                with_chosen[number] = _CHOSEN_COLOUR
                balls.batched_colors = with_chosen
                self._on_choose(shown.points[number])

    def point_at(self, x: float, y: float) -> int | None:
        """Returns the number of the ball at a place of the picture: shares of its width and, from above, its height."""
        if self._shown is None or not self._shown.points:
            return None
        camera = self._client.camera
        size = np.array([camera.image_width, camera.image_height])
        away = np.linalg.norm(pixels(camera, in_scene(self._shown.positions)) - size * [x, y], axis=1)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= _NEAR else None

    def name(self, number: int | None) -> MapPoint | None:
        """Writes the title of a point beside its ball, or none, and returns the point."""
        if self._name is not None:
            self._name.remove()
            self._name = None
        if number is None or self._shown is None or number >= len(self._shown.points):
            return None
        point = self._shown.points[number]
        place = on_board(self._shown.positions)[number] + np.array([0.0, -_LABEL_ABOVE, 2 * _LABEL_ABOVE])
        label = self._shown.labels[number]
        self._name = self._scene.add_label(
            "/map/name", f"{point.title} ({label})" if label else point.title, position=place, anchor="top-center"
        )
        return point

    def place(self, number: int) -> NDArray[np.float64]:
        """Returns where in the scene (3,) the ball of a point is, metres."""
        assert self._shown is not None
        return in_scene(self._shown.positions)[number]


class SmallBody:
    """A body that plays a motion in front of the map.

    Args:
        client: one browser.
        body: is drawn small.
    """

    def __init__(self, client: viser.ClientHandle, body: Body):
        self._client, self._body = client, body
        self._skin: viser.MeshSkinnedHandle | None = None
        self._poses: Poses | None = None
        self._place, self._time = np.zeros(3), 0.0

    def play(self, poses: Poses, place: NDArray[np.float64]) -> None:
        """Plays a motion over and over, beside a place (3,) in the scene."""
        if self._skin is None:
            self._skin = add_skin(self._client.scene, "/preview", self._body, _SMALL)
        self._poses, self._place, self._time = poses, place + turned(np.array([_SMALL_ASIDE]))[0], 0.0
        self.tick(0.0)
        self._skin.visible = True

    def stop(self) -> None:
        """Takes the body away."""
        self._poses = None
        if self._skin is not None:
            self._skin.visible = False

    def tick(self, seconds: float) -> None:
        """Lets time pass."""
        poses, skin = self._poses, self._skin
        if poses is None or skin is None:
            return
        self._time += seconds
        frame = int(self._time * poses.fps) % len(poses.quats)
        x, z = poses.path[frame]
        with self._client.atomic():
            for bone, quat, joint in zip(skin.bones, poses.quats[frame], poses.positions[frame], strict=True):
                bone.wxyz, bone.position = quat, self._place + _SMALL * (joint - np.array([x, 0.0, z]))


def pixels(camera: viser.CameraHandle, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns where places (N, 3) of the scene are in a camera's picture (N, 2), pixels to the right and down."""
    forward = (camera.look_at - camera.position) / np.linalg.norm(camera.look_at - camera.position)
    right = np.cross(forward, camera.up_direction)
    right /= np.linalg.norm(right)
    away = places - camera.position
    scale = camera.image_height / 2 / np.tan(camera.fov / 2) / (away @ forward)
    across = np.stack([away @ right, away @ -np.cross(right, forward)], axis=1)
    return np.array([camera.image_width, camera.image_height]) / 2 + scale[:, None] * across


def turned(places: NDArray) -> NDArray[np.float64]:
    """Returns directions (N, 3) of the board as those of the scene."""
    x, y, z = np.asarray(places, np.float64).T
    cosine, sine = np.cos(MAP_TURN), np.sin(MAP_TURN)
    return np.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=1)


def in_scene(positions: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns map positions (N, 2) as places (N, 3) of the scene, metres."""
    return np.array(MAP_POSITION) + turned(on_board(positions))


def on_board(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns map positions (N, 2) in [-1, 1] as positions (N, 3) relative to the middle of the board, metres."""
    return np.pad(positions * np.array(MAP_HALF, np.float32), ((0, 0), (0, 1)))


def ball() -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Returns an octahedron that is divided once, on the unit sphere: vertices (V, 3) and faces (F, 3)."""
    corners = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    triangles = np.array(corners, np.float32)[np.array(faces)]  # (8, 3, 3)
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    fine = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    vertices = fine.reshape(-1, 3)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices, np.arange(len(vertices), dtype=np.uint32).reshape(-1, 3)
