"""The scene of one browser: the body on a ground that moves along beneath it."""

from __future__ import annotations

import numpy as np
import viser

from motionclip.body import Body
from motionclip.studio.poses import Poses

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
