"""What a page draws: the body on its ground, and the map of the library beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.studio.library import LatentMap, MapPoint
from motionclip.studio.takes import Poses

#: Where the camera stands, and what it looks at: metres from the body's place on the ground.
EYE, TARGET = (1.9, 1.5, 3.4), (0.0, 0.82, 0.0)
_BODY_COLOUR = (88, 142, 208)
_GROUND_COLOUR, _CELL_COLOUR, _SECTION_COLOUR = (236, 239, 243), (208, 214, 222), (172, 180, 192)
#: Half the side of the ground, metres: further than the grid can be seen.
_GROUND_HALF = 60.0

#: Where the map stands, its turn about the vertical, radians, and half its width and height, metres.
MAP_POSITION, MAP_TURN, MAP_HALF = (-2.6, 1.35, 0.3), 0.45, (1.3, 1.0)
_POINT_COLOUR, _CHOSEN_COLOUR = (255, 255, 255), (255, 170, 60)
_BOARD_COLOUR = (64, 74, 92)
#: Radius of a ball of the map, metres, and of one of more than so many balls.
_RADIUS, _SMALL_RADIUS, _MANY = 0.035, 0.018, 60


class BodyScene:
    """Draws poses. The camera stands still and the ground moves, so that a user may turn the camera meanwhile.

    Args:
        client: one browser.
        body: drawn in its rest pose until the first call of ``pose``.
    """

    def __init__(self, client: viser.ClientHandle, body: Body):
        self._client = client
        scene = client.scene
        scene.set_up_direction("+y")
        self._world = scene.add_frame("/world", show_axes=False)
        scene.add_grid(
            "/world/ground",
            2 * _GROUND_HALF,
            2 * _GROUND_HALF,
            plane="xz",
            cell_color=_CELL_COLOUR,
            section_color=_SECTION_COLOUR,
            cell_size=0.5,
            section_size=1.0,
            fade_distance=14.0,
            shadow_opacity=0.25,
            plane_color=_GROUND_COLOUR,
            plane_opacity=0.6,
        )
        joints, rest = body.skeleton.num_joints, body.skeleton.rest_positions.double().numpy()
        identity = np.tile((1.0, 0.0, 0.0, 0.0), (joints, 1))
        self._skin = scene.add_mesh_skinned(
            "/world/body",
            body.vertices.numpy(),
            body.faces.numpy(),
            bone_wxyzs=identity,
            bone_positions=rest,
            skin_weights=body.weights.numpy(),
            color=_BODY_COLOUR,
        )
        self._set(identity, rest - np.array([0.0, body.sole, 0.0]), np.zeros(2))
        self.aim_camera()

    def pose(self, poses: Poses, frame: int) -> None:
        """Shows one frame."""
        self._set(poses.quats[frame], poses.positions[frame], poses.path[frame])

    def aim_camera(self, aside: float = 0.0) -> None:
        """Puts the camera where it began, or some metres aside, to the left of the body."""
        self._client.camera.position = np.array(EYE) + np.array([-aside, 0.0, aside])
        self._client.camera.look_at = np.array(TARGET) - np.array([aside, 0.0, 0.0])

    def _set(self, quats: NDArray, positions: NDArray, centre: NDArray) -> None:
        with self._client.atomic():
            self._world.position = (-centre[0], 0.0, -centre[1])
            for bone, quat, position in zip(self._skin.bones, quats, positions, strict=True):
                bone.wxyz, bone.position = quat, position


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
        balls = self._scene.add_batched_meshes_simple(
            "/map/balls",
            vertices * (_SMALL_RADIUS if count > _MANY else _RADIUS),
            faces,
            batched_wxyzs=np.tile((1.0, 0.0, 0.0, 0.0), (count, 1)),
            batched_positions=on_board(shown.positions),
            batched_colors=np.tile(np.array(_POINT_COLOUR, np.uint8), (count, 1)),
            lod="off",
            cast_shadow=False,
        )

        @balls.on_click
        def _(event: viser.SceneNodePointerEvent[viser.BatchedMeshHandle]) -> None:
            number = event.instance_index
            if number is not None and number < count:
                colours = np.tile(np.array(_POINT_COLOUR, np.uint8), (count, 1))
                colours[number] = _CHOSEN_COLOUR
                balls.batched_colors = colours
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
