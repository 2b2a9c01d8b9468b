"""The map in the scene: a board beside the body, with a ball for each motion that can be clicked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.studio.collection import Map, Spot

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
