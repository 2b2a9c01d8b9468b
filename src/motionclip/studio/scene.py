"""What a page draws: the body on its ground, or several side by side, and the map of the library beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.studio.library import LatentMap, MapPoint
from motionclip.studio.takes import Poses

#: Where the camera stands, and what it looks at: metres from the body's place on the ground.
EYE, TARGET = (1.5, 1.2, 2.75), (0.0, 0.42, 0.0)
_BODY_COLOUR, _ACCENT = (88, 142, 208), (58, 110, 180)
#: Metres between bodies that are compared, and how much farther away the camera goes for each.
_APART, _BACK = 1.1, 0.55
#: Half the side of the ground, metres: further than the grid can be seen.
_GROUND_HALF = 60.0

#: Where the map stands, its turn about the vertical, radians, and half its width and height, metres.
MAP_POSITION, MAP_TURN, MAP_HALF = (-2.6, 1.35, 0.3), 0.45, (1.3, 1.0)
Colour = tuple[int, int, int]
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


@dataclass(frozen=True)
class Ground:
    """Colours of the ground.

    Attributes:
        plane: between the lines.
        cell: lines at every half metre.
        section: lines at every metre.
    """

    plane: Colour
    cell: Colour
    section: Colour


LIGHT = Ground((236, 239, 243), (208, 214, 222), (172, 180, 192))
DARK = Ground((38, 43, 51), (58, 65, 76), (84, 93, 107))


def set_theme(gui: viser.GuiApi, *, dark: bool) -> None:
    """Has a page, or every new one, look dark or light."""
    gui.configure_theme(dark_mode=dark, show_logo=False, show_share_button=False, brand_color=_ACCENT)


class BodyScene:
    """Draws poses. The camera stands still and the ground moves, so that a user may turn the camera meanwhile.

    Args:
        client: one browser.
        body: drawn in its rest pose until the first call of ``pose``.
        on_choose: called with the number of a body that was clicked, where there are several.
    """

    def __init__(self, client: viser.ClientHandle, body: Body, on_choose: Callable[[int], None]):
        self._client, self._body, self._on_choose = client, body, on_choose
        scene = client.scene
        scene.set_up_direction("+y")
        self._world = scene.add_frame("/world", show_axes=False)
        self._ground = scene.add_grid(
            "/world/ground",
            2 * _GROUND_HALF,
            2 * _GROUND_HALF,
            plane="xz",
            cell_color=LIGHT.cell,
            section_color=LIGHT.section,
            cell_size=0.5,
            section_size=1.0,
            fade_distance=14.0,
            shadow_opacity=0.25,
            plane_color=LIGHT.plane,
            plane_opacity=0.6,
        )
        self._bodies = 0  # of which this is the last
        self._skins, self._clickable = [self._add_skin(0)], 0
        self._labels: list[viser.LabelHandle] = []
        self._count = 1
        self._rest_body(self._skins[0])
        self.aim_camera()

    def set_body(self, body: Body) -> None:
        """Draws another body from now on."""
        if body is self._body:
            return
        for skin in self._skins:  # as in show_bodies, they are not removed
            skin.visible = False
        self._body, self._count = body, 1
        self._bodies += 1
        self._skins, self._clickable = [self._add_skin(0)], 0
        self._rest_body(self._skins[0])
        for label in self._labels:
            label.visible = False

    def _add_skin(self, number: int) -> viser.MeshSkinnedHandle:
        body = self._body
        joints = body.skeleton.num_joints
        return self._client.scene.add_mesh_skinned(
            f"/world/body{self._bodies}_{number}",
            body.vertices.numpy(),
            body.faces.numpy(),
            bone_wxyzs=np.tile((1.0, 0.0, 0.0, 0.0), (joints, 1)),
            bone_positions=body.skeleton.rest_positions.double().numpy(),
            skin_weights=body.weights.numpy(),
            color=_BODY_COLOUR,
            side="double",  # characters have capes and hair of one layer
        )

    def _rest_body(self, skin: viser.MeshSkinnedHandle) -> None:
        rest = self._body.skeleton.rest_positions.double().numpy() - np.array([0.0, self._body.sole, 0.0])
        for bone, position in zip(skin.bones, rest, strict=True):
            bone.position = position

    def show_bodies(self, count: int) -> None:
        """Has so many bodies side by side, with numbers that can be clicked if there are several."""
        if count == self._count:
            return
        self._count = count
        while len(self._skins) < count:
            self._skins.append(self._add_skin(len(self._skins)))
        while count > 1 and self._clickable < count:
            self._skins[self._clickable].on_click(partial(self._choose, self._clickable))
            self._clickable += 1
        while count > 1 and len(self._labels) < count:
            number = len(self._labels)
            self._labels.append(self._client.scene.add_label(f"/label{number}", str(number + 1)))
        # hidden and not removed: viser's page fails at a click after the removal of what could be clicked
        for number, skin in enumerate(self._skins):
            skin.visible = number < count
        for label, x in zip(self._labels, [*_places(count), *[0.0] * len(self._labels)], strict=False):
            label.position = (x, 2.0, 0.0)
        for number, label in enumerate(self._labels):
            label.visible = 1 < count > number
        self.aim_camera(back=_BACK * (count - 1))

    def _choose(self, number: int, _: object) -> None:
        self._on_choose(number)

    def set_dark(self, dark: bool) -> None:
        """Has the page look dark or light."""
        set_theme(self._client.gui, dark=dark)
        ground = DARK if dark else LIGHT
        self._ground.plane_color = ground.plane
        self._ground.cell_color, self._ground.section_color = ground.cell, ground.section

    def pose(self, shown: Sequence[Poses], frame: int) -> None:
        """Shows one frame of as many motions as there are bodies; one that is over stands in its last pose."""
        frames = [min(frame, len(poses.quats) - 1) for poses in shown]
        centre = np.mean([poses.path[number] for poses, number in zip(shown, frames, strict=True)], axis=0)
        with self._client.atomic():
            self._world.position = (-centre[0], 0.0, -centre[1])
            for skin, poses, number, x in zip(self._skins, shown, frames, _places(len(shown)), strict=False):
                aside = np.array([x, 0.0, 0.0])
                for bone, quat, place in zip(skin.bones, poses.quats[number], poses.positions[number], strict=True):
                    bone.wxyz, bone.position = quat, place + aside

    def aim_camera(self, aside: float = 0.0, back: float = 0.0) -> None:
        """Puts the camera where it began, or some metres aside, to the left of the body, or farther back."""
        away = np.array(EYE) - np.array(TARGET)
        eye = np.array(EYE) + back * away / np.linalg.norm(away)
        self._client.camera.position = eye + np.array([-aside, 0.0, aside])
        self._client.camera.look_at = np.array(TARGET) - np.array([aside, 0.0, 0.0])


def _places(count: int) -> NDArray:
    """Where bodies stand side by side, metres to the left."""
    return _APART * (np.arange(count) - (count - 1) / 2)


class LibraryMap:
    """Draws a map as an upright board beside the body, with a ball for each motion that can be clicked.

    Args:
        client: one browser.
        on_choose: called with the point that was clicked.
    """

    def __init__(self, client: viser.ClientHandle, on_choose: Callable[[MapPoint], None]):
        self._scene, self._on_choose = client.scene, on_choose
        self._frame: viser.FrameHandle | None = None

    def hide(self) -> None:
        """Removes the map."""
        if self._frame is not None:
            self._frame.remove()
            self._frame = None

    def show(self, shown: LatentMap) -> None:
        """Shows a map in place of the one before."""
        self.hide()
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
            self._scene.add_label(f"/map/action{number}", action, position=middle)
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
