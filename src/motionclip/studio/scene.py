"""The map in the scene: a board beside the body, with a ball for each motion that can be clicked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.studio.library import Map, Spot
from motionclip.studio.session import Poses

# A motion as a page draws it: where each joint of the body is in every frame.


# The scene of one browser: the body on a ground that moves along beneath it.


_BODY_COLOUR = (88, 142, 208)
_PAPER, _CELL, _SECTION = (236, 239, 243), (208, 214, 222), (172, 180, 192)
#: Where the camera stands, and what it looks at: metres from the body's place on the ground.
EYE, TARGET = (1.9, 1.5, 3.4), (0.0, 0.82, 0.0)
#: Half the side of the ground, metres: further than the grid can be seen.
_REACH = 60.0


class Stage:
    """Draws poses. The camera stands still and the ground moves, so that a user may turn the camera meanwhile.

    Args:
        client: one browser.
        body: what is drawn; stands in its rest pose until the first ``pose``.
    """

    def __init__(self, client: viser.ClientHandle, body: Body):
        self._client = client
        scene = client.scene
        scene.set_up_direction("+y")
        self._world = scene.add_frame("/world", show_axes=False)
        scene.add_grid(
            "/world/ground",
            2 * _REACH,
            2 * _REACH,
            plane="xz",
            cell_color=_CELL,
            section_color=_SECTION,
            cell_size=0.5,
            section_size=1.0,
            fade_distance=14.0,
            shadow_opacity=0.25,
            plane_color=_PAPER,
            plane_opacity=0.6,
        )
        joints, rest = body.skeleton.num_joints, body.skeleton.rest_positions.double().numpy()
        upright = np.tile((1.0, 0.0, 0.0, 0.0), (joints, 1))
        self._skin = scene.add_mesh_skinned(
            "/world/body",
            body.vertices.numpy(),
            body.faces.numpy(),
            bone_wxyzs=upright,
            bone_positions=rest,
            skin_weights=body.weights.numpy(),
            color=_BODY_COLOUR,
        )
        self._set(upright, rest - np.array([0.0, body.sole, 0.0]), np.zeros(2))
        self.look()

    def pose(self, poses: Poses, frame: int) -> None:
        """Shows one frame."""
        self._set(poses.quats[frame], poses.positions[frame], poses.path[frame])

    def look(self, aside: float = 0.0) -> None:
        """Puts the camera where it began, or some metres aside, to the left of the body."""
        shift = np.array([-aside, 0.0, aside])
        self._client.camera.position = np.array(EYE) + shift
        self._client.camera.look_at = np.array(TARGET) - np.array([aside, 0.0, 0.0])

    def _set(self, quats: np.ndarray, positions: np.ndarray, place: np.ndarray) -> None:
        with self._client.atomic():
            self._world.position = (-place[0], 0.0, -place[1])
            for bone, quat, position in zip(self._skin.bones, quats, positions, strict=True):
                bone.wxyz, bone.position = quat, position


#: Where the board stands, which way it is turned, radians about the vertical, and half its size, metres.
PLACE, TURN, HALF = (-2.6, 1.35, 0.3), 0.45, (1.3, 1.0)
_BALL, _CHOSEN = (255, 255, 255), (255, 170, 60)
_BOARD = (64, 74, 92)
#: Balls from which on they are small.
_MANY = 60


class Board:
    """Shows a map, or nothing.

    Args:
        client: one browser.
        choose: is told which spot was clicked.
    """

    def __init__(self, client: viser.ClientHandle, choose: Callable[[Spot], None]):
        self._scene, self._choose = client.scene, choose
        self._frame: viser.FrameHandle | None = None

    def hide(self) -> None:
        """Takes the board away."""
        if self._frame is not None:
            self._frame.remove()
            self._frame = None

    def show(self, shown: Map) -> None:
        """Shows a map in place of the one before."""
        self.hide()
        turn = (float(np.cos(TURN / 2)), 0.0, float(np.sin(TURN / 2)), 0.0)
        self._frame = self._scene.add_frame("/board", show_axes=False, position=PLACE, wxyz=turn)
        size = (2 * HALF[0] + 0.3, 2 * HALF[1] + 0.3, 0.02)
        self._scene.add_box("/board/back", _BOARD, size, position=(0.0, 0.0, -0.06), cast_shadow=False)
        if shown.spots:
            self._balls(shown)

    def _balls(self, shown: Map) -> None:
        vertices, faces = ball()
        count = len(shown.spots)
        balls = self._scene.add_batched_meshes_simple(
            "/board/balls",
            vertices * (0.018 if count > _MANY else 0.035),
            faces,
            batched_wxyzs=np.tile((1.0, 0.0, 0.0, 0.0), (count, 1)),
            batched_positions=on_board(shown.places),
            batched_colors=np.tile(np.array(_BALL, np.uint8), (count, 1)),
            lod="off",
            cast_shadow=False,
        )

        @balls.on_click
        def _(event: viser.SceneNodePointerEvent[viser.BatchedMeshHandle]) -> None:
            number = event.instance_index
            if number is not None and number < count:
                colours = np.tile(np.array(_BALL, np.uint8), (count, 1))
                colours[number] = _CHOSEN
                balls.batched_colors = colours
                self._choose(shown.spots[number])


def on_board(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places (N, 2) in [-1, 1] as positions (N, 3) on the board, metres."""
    return np.concatenate([places * np.array(HALF, np.float32), np.zeros((len(places), 1), np.float32)], axis=1)


def ball() -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """An octahedron that is divided once, on the unit sphere: vertices (V, 3) and faces (F, 3)."""
    corners = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    triangles = np.array(corners, np.float32)[np.array(faces)]  # (8, 3, 3)
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    fine = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    vertices = fine.reshape(-1, 3)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices, np.arange(len(vertices), dtype=np.uint32).reshape(-1, 3)
