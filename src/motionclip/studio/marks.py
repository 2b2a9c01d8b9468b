"""What a page draws to direct by: a path's curve and discs, handles of pinned joints, ghosts of kept poses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot
from motionclip.studio.scene import add_skin
from motionclip.studio.takes import Poses

#: Colours of the path's curve and discs, and of pins.
_CURVE, _DISC, _PIN = (214, 60, 52), (235, 96, 82), (255, 170, 60)
#: Metres: of a disc across and high, above the floor, of the handles, and of a pin's ball.
_RADIUS, _HEIGHT, _ABOVE, _HANDLE, _BALL = 0.09, 0.012, 0.012, 0.3, 0.035
#: Opacity of a pose that is kept, and metres of its label above the head's joint.
_GHOST, _OVER_HEAD = 0.35, 0.3
#: Cosine of half the angle below which a handle counts as not turned.
_STILL = 0.9998


class PathMarks:
    """Draws a path on the floor, with a handle at each point by which it is dragged.

    Args:
        client: one browser.
        on_change: called when a point was dragged.
    """

    def __init__(self, client: viser.ClientHandle, on_change: Callable[[], None]):
        self._scene, self._on_change = client.scene, on_change
        self._handles: list[viser.TransformControlsHandle] = []
        self._curve: viser.SplineCatmullRomHandle | None = None
        self._made = 0

    @property
    def points(self) -> list[tuple[float, float]]:
        """(x, z) of the points, metres in the world."""
        return [(float(handle.position[0]), float(handle.position[2])) for handle in self._handles]

    def show(self, points: list[tuple[float, float]]) -> None:
        """Shows a path in place of the one before; none without points."""
        for handle in self._handles:
            handle.remove()
        self._handles = [self._add(x, z) for x, z in points]
        self._draw()

    def _add(self, x: float, z: float) -> viser.TransformControlsHandle:
        self._made += 1  # names of their own: a handle that is removed may still be dragged in the page
        name = f"/world/path/{self._made}"
        handle = self._scene.add_transform_controls(
            name,
            scale=_HANDLE,
            active_axes=(True, False, True),
            disable_rotations=True,
            depth_test=False,
            position=(x, _ABOVE, z),
        )
        self._scene.add_cylinder(
            f"{name}/disc", _RADIUS, _HEIGHT, _DISC, wxyz=(0.7071, 0.7071, 0.0, 0.0), cast_shadow=False
        )

        @handle.on_update
        def _(event: viser.TransformControlsEvent) -> None:
            self._draw()
            self._on_change()

        return handle

    def _draw(self) -> None:
        if self._curve is not None:
            self._curve.remove()
            self._curve = None
        if len(self._handles) > 1:
            places = np.array([(x, _ABOVE, z) for x, z in self.points])
            self._curve = self._scene.add_spline_catmull_rom(
                "/world/path/curve", places, thickness=0.025, color=_CURVE, segments=24 * len(places)
            )


class PinMarks:
    """Draws a handle for each pinned joint, by which it is dragged and turned."""

    def __init__(self, client: viser.ClientHandle):
        self._scene = client.scene
        self._handles: list[viser.TransformControlsHandle] = []
        self._made = 0

    def add(self, joint: str, place: NDArray[np.float64], at: float) -> None:
        """Adds a handle of a joint at a place (3,), for a second."""
        self._made += 1
        name = f"/world/pin/{self._made}"
        handle = self._scene.add_transform_controls(name, scale=_HANDLE, depth_test=False, position=tuple(place))
        self._scene.add_icosphere(f"{name}/ball", _BALL, _PIN, cast_shadow=False)
        self._scene.add_label(f"{name}/name", f"{joint.replace('_', ' ')}, {at:.2f} s")
        self._handles.append(handle)

    def clear(self) -> None:
        """Removes all handles."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def place(self, number: int) -> tuple[float, float, float]:
        """Where a handle is, metres in the world."""
        x, y, z = self._handles[number].position
        return float(x), float(y), float(z)

    def turned(self, number: int, direction: NDArray[np.float64]) -> tuple[float, float, float] | None:
        """Returns a direction (3,) as a handle has turned it; None if it was not turned."""
        w, x, y, z = self._handles[number].wxyz
        if abs(w) > _STILL:
            return None
        matrix = rot.quat_to_matrix(torch.tensor([x, y, z, w], dtype=torch.float64))
        a, b, c = (matrix @ torch.from_numpy(direction)).tolist()
        return a, b, c


class PoseMarks:
    """Draws a body that is seen through for each pose that is kept.

    Args:
        client: one browser.
        body: is drawn.
    """

    def __init__(self, client: viser.ClientHandle, body: Body):
        self._scene, self._body = client.scene, body
        self._frames: list[viser.FrameHandle] = []
        self._made = 0

    def add(self, poses: Poses, frame: int) -> None:
        """Adds the pose of a frame, with its second over the head."""
        self._made += 1
        name = f"/world/pose/{self._made}"
        self._frames.append(self._scene.add_frame(name, show_axes=False))
        ghost = add_skin(self._scene, f"{name}/body", self._body, opacity=_GHOST)
        for bone, quat, place in zip(ghost.bones, poses.quats[frame], poses.positions[frame], strict=True):
            bone.wxyz, bone.position = quat, place
        above = poses.positions[frame, CANONICAL.index("head")] + np.array([0.0, _OVER_HEAD, 0.0])
        self._scene.add_label(f"{name}/name", f"pose, {frame / poses.fps:.2f} s", position=above)

    def clear(self) -> None:
        """Draws none any more. They are hidden: viser's page fails when a skin is removed."""
        for frame in self._frames:
            frame.visible = False
        self._frames.clear()


def joint_names() -> tuple[str, ...]:
    """Joints that are pinned, those that are pinned most first."""
    first = ("right_hand", "left_hand", "right_foot", "left_foot", "head", "pelvis")
    return (*first, *(name for name in CANONICAL.names if name not in first))
