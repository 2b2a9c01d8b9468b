"""A pinhole camera, and how to place it so that a movement fills the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Openings in radians, vertical and horizontal: a long lens, so that what is near or at the side is not distorted.
_TALLEST, _WIDEST = 0.42, 0.62


@dataclass(frozen=True, eq=False)
class Camera:
    """Where pictures are taken from. World: metres, Y up.

    Attributes:
        eye: (3,) position, metres.
        axes: (3, 3) unit rows: the picture's right, its up, and backwards (away from what is seen).
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
        aspect: width / height of the picture.
        padding: metres that must stay visible around every point.
    """
    x, y, z = (points @ axes.T).T
    vertical = min(np.tan(_TALLEST / 2), np.tan(_WIDEST / 2) / aspect)
    across, distance_x = _fit(x, z, vertical * aspect, padding)
    along, distance_y = _fit(y, z, vertical, padding)
    distance = max(distance_x, distance_y, float(z.max()) + 2 * padding)
    return Camera(np.array([across, along, distance]) @ axes, axes, 2 * float(np.arctan(vertical)))


def _fit(x: Array, z: Array, slope: float, padding: float) -> tuple[float, float]:
    """Centre and distance of the camera for one picture direction."""
    high, low = float((x + z * slope).max()) + padding, float((z * slope - x).max()) + padding
    return (high - low) / 2, (high + low) / (2 * slope)
