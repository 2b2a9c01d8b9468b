"""Bodies on a floor, drawn into one image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.motion import CANONICAL
from motionclip.render import raster
from motionclip.render.camera import Camera

Colour = tuple[float, float, float]
_FLOOR_SEEN = 0.7  # of the camera's distance: a floor that is seen from farther away fades farther out


@dataclass(frozen=True)
class Look:
    """Colours (red, green, blue in [0, 1]) and light of an image.

    Attributes:
        background: what the floor fades into.
        dark_tile: every other half-metre tile of the floor.
        light_tile: the tiles between.
        light: direction towards the light, seen from the camera: right, up, backwards.
        reach: distance in metres at which the floor has faded, at least.
    """

    background: Colour = (0.973, 0.976, 0.980)
    dark_tile: Colour = (0.860, 0.872, 0.886)
    light_tile: Colour = (0.925, 0.933, 0.942)
    light: tuple[float, float, float] = (-0.45, 1.0, 0.55)
    reach: float = 7.0


class Scene:
    """Draws bodies of one mesh. Holds the buffers of one image size; not for two threads at once.

    Args:
        faces: (F, 3) vertex indices.
        width: pixels.
        height: pixels.
        look: colours and light.
    """

    def __init__(self, faces: NDArray[np.int32], width: int, height: int, look: Look):
        self.width, self.height, self.look = width, height, look
        self._faces = faces
        fine = (raster.SUPERSAMPLING * height, raster.SUPERSAMPLING * width)
        self._depth, self._value = np.zeros(fine, np.float32), np.zeros(fine, np.float32)
        self._owner = np.zeros(fine, np.int32)

    def ground(self, camera: Camera, centre: tuple[float, float]) -> NDArray[np.float32]:
        """The empty floor (H, W, 3), clearest at ``centre`` (x, z in metres)."""
        eye, axes, focal = self._lens(camera)
        tones = np.array([self.look.background, self.look.dark_tile, self.look.light_tile], np.float32)
        place = np.array(centre, np.float32)
        distance = float(np.linalg.norm(camera.eye - [centre[0], 0, centre[1]]))
        reach = max(self.look.reach, _FLOOR_SEEN * distance)
        return raster.ground(self.height, self.width, eye, axes, focal, place, reach, tones)

    def draw(
        self, image: NDArray[np.float32], vertices: NDArray[np.float32], colours: NDArray[np.float32], camera: Camera
    ) -> None:
        """Draws N bodies with their shadows onto the image, in place.

        Args:
            image: (H, W, 3) in [0, 1].
            vertices: (N, V, 3) metres.
            colours: (N, 3) in [0, 1].
            camera: where it is seen from.
        """
        self.draw_shadows(image, vertices, camera)
        self.draw_bodies(image, vertices, colours, camera)

    def draw_shadows(self, image: NDArray[np.float32], vertices: NDArray[np.float32], camera: Camera) -> None:
        """Darkens the floor below N bodies (N, V, 3), in place."""
        eye, axes, focal = self._lens(camera)
        light = self._light(camera)
        for body in vertices:
            corner = raster.shadow_corner(body, light)
            raster.darken(image, raster.shadow_map(body, light, corner), corner, eye, axes, focal)

    def draw_bodies(
        self, image: NDArray[np.float32], vertices: NDArray[np.float32], colours: NDArray[np.float32], camera: Camera
    ) -> None:
        """`draw` without shadows, for images without a floor."""
        eye, axes, focal = self._lens(camera)
        light = self._light(camera)
        fine_focal, fine_height, fine_width = np.float32(raster.SUPERSAMPLING * focal), *self._depth.shape
        for number, body in enumerate(vertices):
            screen = raster.project(body, eye, axes, fine_focal, fine_width, fine_height)
            brightness = raster.shade(raster.vertex_normals(body, self._faces), light, axes)
            raster.fill(screen, brightness, self._faces, number, self._depth, self._value, self._owner)
        raster.resolve(image, self._depth, self._value, self._owner, colours)

    def _light(self, camera: Camera) -> NDArray[np.float32]:
        """(3,) unit, towards the light, in the world."""
        towards = np.array(self.look.light) @ camera.axes
        return (towards / np.linalg.norm(towards)).astype(np.float32)

    def _lens(self, camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32], np.float32]:
        """Eye (3,), axes (3, 3) and focal length in pixels, as the rasteriser takes them."""
        focal = np.float32(self.height / 2 / np.tan(camera.field_of_view / 2))
        return camera.eye.astype(np.float32), camera.axes.astype(np.float32), focal


def to_bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A image in [0, 1] as 8-bit values."""
    return (image * 255 + 0.5).astype(np.uint8)


# The skeleton as something to draw: a ball for each joint and a tapering bar for each bone.


Array = NDArray[np.float64]
Mesh = tuple[Array, NDArray[np.int64]]

_BALL, _BAR, _SKULL = 0.030, 0.022, 0.085  # radii in metres
_ROUND, _RINGS = 10, 7  # sides of a bar, and rings of a ball


@cache
def stick_figure() -> Body:
    """The canonical skeleton as a mesh that is skinned like any body: each ball and bar moves with one joint."""
    rest = CANONICAL.rest_positions.double().numpy()
    head = CANONICAL.index("head")
    parts = [(_ball(place, _BALL), joint) for joint, place in enumerate(rest)]
    parts += [(_bar(rest[above], rest[joint]), above) for joint, above in enumerate(CANONICAL.parents) if above >= 0]
    for joint, tip in CANONICAL.end_sites:
        end = rest[joint] + np.array(tip)
        parts += (
            [(_bar(rest[joint], end), joint)] if joint != head else [(_ball((rest[joint] + end) / 2, _SKULL), joint)]
        )
    return _joined(parts)


def _joined(parts: list[tuple[Mesh, int]]) -> Body:
    """One body of meshes, each of which moves with the joint beside it."""
    starts = np.cumsum([0, *(len(vertices) for (vertices, _), _ in parts)])
    faces = np.concatenate([corners + start for ((_, corners), _), start in zip(parts, starts[:-1], strict=True)])
    weights = torch.zeros(int(starts[-1]), CANONICAL.num_joints)
    for (_, joint), start, stop in zip(parts, starts[:-1], starts[1:], strict=True):
        weights[start:stop, joint] = 1
    vertices = np.concatenate([mesh[0] for mesh, _ in parts])
    return Body(torch.from_numpy(vertices).float(), weights, torch.from_numpy(faces), CANONICAL)


def _ball(centre: Array, radius: float) -> Mesh:
    heights = np.cos(np.linspace(0, np.pi, _RINGS))
    return _turned_shape(centre + [0, 1, 0] * (radius * heights)[:, None], np.eye(3), radius * np.sqrt(1 - heights**2))


def _bar(start: Array, end: Array) -> Mesh:
    """From one joint to the next, thickest near its start, so that one sees where a bone leads."""
    along = (end - start) / np.linalg.norm(end - start)
    side = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    side /= np.linalg.norm(side)
    shares = np.array([1.0, 0.85, 0.2, 0.0])
    frame = np.stack([side, along, np.cross(side, along)])
    return _turned_shape(start + shares[:, None] * (end - start), frame, _BAR * np.array([0.0, 0.6, 1.0, 0.0]))


def _turned_shape(centres: Array, frame: Array, radii: Array) -> Mesh:
    """Rings (N,) of given centres and radii about ``frame``'s second row, joined; from the far end to the near one."""
    turns = np.arange(_ROUND) * (2 * np.pi / _ROUND)
    circle = np.cos(turns)[:, None] * frame[0] - np.sin(turns)[:, None] * frame[2]
    vertices = (centres[:, None] + radii[:, None, None] * circle).reshape(-1, 3)
    here = np.arange(_ROUND * (len(radii) - 1))
    beside = here + 1 - _ROUND * (here % _ROUND == _ROUND - 1)
    below, across = here + _ROUND, beside + _ROUND
    faces = np.concatenate([np.stack([here, below, across], 1), np.stack([here, across, beside], 1)])
    return vertices, faces
