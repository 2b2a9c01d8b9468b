"""A pinhole camera, its framing of points, and the cameras of films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.motion import Motion, heading

Array = NDArray[np.float64]

# Openings in radians, vertical and horizontal: a long lens, so that what is near or at the side is not distorted.
_TALLEST, _WIDEST = 0.42, 0.62


@dataclass(frozen=True, eq=False)
class Camera:
    """Where images are taken from. World: metres, Y up.

    Attributes:
        eye: (3,) position, metres.
        axes: (3, 3) unit rows: the image's right, its up, and backwards (away from what is seen).
        field_of_view: vertical opening angle, radians.
    """

    eye: Array
    axes: Array
    field_of_view: float

    def moved(self, offset: Array) -> Camera:
        """The same view from a place ``offset`` (3,) metres away."""
        return replace(self, eye=self.eye + offset)


def view_axes(azimuth: float, elevation: float) -> Array:
    """Axes of a camera that looks at the origin.

    Args:
        azimuth: direction from the origin to the camera, radians: 0 is +Z, positive turns towards +X.
        elevation: height of the camera over the horizon, radians.

    Returns:
        (3, 3) unit rows right, up, backwards.
    """
    sin_a, cos_a, sin_e, cos_e = np.sin(azimuth), np.cos(azimuth), np.sin(elevation), np.cos(elevation)
    return np.array(
        [
            [cos_a, 0.0, -sin_a],
            [-sin_a * sin_e, cos_e, -cos_a * sin_e],
            [sin_a * cos_e, sin_e, cos_a * cos_e],
        ]
    )


def framing(points: Array, axes: Array, aspect: float, padding: float) -> Camera:
    """The nearest camera of a given direction that sees all points.

    In camera axes a point (x, y, z) is inside the right and left border of a camera at (cx, cy, d) when
    |x - cx| <= (d - z) t with t = tan(half the opening). The smallest d for both borders is
    (max(x + z t) + max(-x + z t)) / 2 t, likewise for y; the larger of the two is taken.

    Args:
        points: (N, 3) metres.
        axes: (3, 3) rows right, up, backwards.
        aspect: width / height of the image.
        padding: metres that must stay visible around every point.
    """
    x, y, z = (points @ axes.T).T
    vertical = min(np.tan(_TALLEST / 2), np.tan(_WIDEST / 2) / aspect)
    across, distance_x = _fit(x, z, vertical * aspect, padding)
    along, distance_y = _fit(y, z, vertical, padding)
    distance = max(distance_x, distance_y, float(z.max()) + 2 * padding)
    return Camera(np.array([across, along, distance]) @ axes, axes, 2 * float(np.arctan(vertical)))


def _fit(x: Array, z: Array, slope: float, padding: float) -> tuple[float, float]:
    """Centre and distance of the camera for one image direction."""
    high, low = float((x + z * slope).max()) + padding, float((z * slope - x).max()) + padding
    return (high - low) / 2, (high + low) / (2 * slope)


# Cameras of films: they see all of the bodies all the time

CameraMode = Literal["follow", "still"]

FLESH = 0.17  # metres from the joints to what must still be in the image
_ELEVATION = 0.21  # radians
_AZIMUTH = -0.60  # radians to the side of where the body faces: a three-quarter view, facing right
_HEAD = 0.24  # metres from the head joint to the top of the skull
_SMOOTHING = 0.5  # seconds over which a following camera averages the root path


def facing_azimuth(*motions: Motion) -> float:
    """Azimuth in radians of a three-quarter view of where the bodies face on average."""
    yaw = torch.cat([heading(motion) for motion in motions]).double()
    return float(torch.atan2(yaw.sin().mean(), yaw.cos().mean())) + _AZIMUTH


def outline(motion: Motion) -> Array:
    """Points (T, J + 2, 3) that an image must show: joints, the top of the head and the floor below the root."""
    positions = motion.positions.detach().double().numpy()
    head = motion.skeleton.index("head")
    up = motion.world[0][:, head].detach().double().numpy()[:, :, 1]
    floor = positions[:, 0] * [1, 0, 1]
    return np.concatenate([positions, positions[:, [head]] + _HEAD * up[:, None], floor[:, None]], axis=1)


def place_cameras(
    scenes: Sequence[Sequence[Motion]], aspect: float, mode: CameraMode, azimuths: Sequence[float]
) -> list[list[Camera]]:
    """For each scene one camera a frame, the same object while it stays where it is.

    All scenes are seen from equally far, so that bodies of one size have one size in images side by side.

    Args:
        scenes: the motions, of equal length, that are seen together.
        aspect: width / height of an image.
        mode: "follow" moves with the bodies, "still" frames their whole paths.
        azimuths: world direction that each scene's camera looks from, radians (0: from +Z, pi/2: from +X).
    """
    turned = [view_axes(azimuth, _ELEVATION) for azimuth in azimuths]
    paths = [_path(scene, mode) for scene in scenes]
    seen = [
        (outline(motion) - path[:, None]).reshape(-1, 3) @ axes.T
        for scene, path, axes in zip(scenes, paths, turned, strict=True)
        for motion in scene
    ]
    shared = framing(np.concatenate(seen), np.eye(3), aspect, FLESH)
    cameras = []
    for path, axes in zip(paths, turned, strict=True):
        camera = Camera(shared.eye @ axes + path[0], axes, shared.field_of_view)
        still = mode == "still"
        cameras.append([camera] * len(path) if still else [camera.moved(place - path[0]) for place in path])
    return cameras


def _path(scene: Sequence[Motion], mode: CameraMode) -> Array:
    """What the camera keeps to, (T, 3) metres on the floor: the middle of the bodies, without their quick turns."""
    roots = np.mean([motion.root.detach().double().numpy() for motion in scene], axis=0) * [1, 0, 1]
    if mode == "still":
        return np.broadcast_to(roots.mean(axis=0), roots.shape)
    return _smooth(roots, _SMOOTHING * scene[0].fps)


def _smooth(path: Array, sigma: float) -> Array:
    """The path (T, 3) under a Gaussian window of ``sigma`` frames, continued beyond its ends point by point."""
    reach = max(1, int(3 * sigma))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    window /= window.sum()
    longer = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.stack([np.convolve(longer[:, axis], window, mode="valid") for axis in range(3)], axis=1)
