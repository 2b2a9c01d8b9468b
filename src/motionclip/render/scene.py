"""Bodies on a floor, drawn into one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionclip.render import raster
from motionclip.render.camera import Camera

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """Colours (red, green, blue in [0, 1]) and light of a picture.

    Attributes:
        background: what the floor fades into.
        dark_tile: every other half-metre tile of the floor.
        light_tile: the tiles between.
        light: direction towards the light, seen from the camera: right, up, backwards.
        reach: distance in metres at which the floor has faded.
    """

    background: Colour = (0.973, 0.976, 0.980)
    dark_tile: Colour = (0.860, 0.872, 0.886)
    light_tile: Colour = (0.925, 0.933, 0.942)
    light: tuple[float, float, float] = (-0.45, 1.0, 0.55)
    reach: float = 7.0


class Scene:
    """Draws bodies of one mesh. Holds the buffers of one picture size; not for two threads at once.

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
        return raster.ground(self.height, self.width, eye, axes, focal, place, self.look.reach, tones)

    def draw(
        self, picture: NDArray[np.float32], vertices: NDArray[np.float32], colours: NDArray[np.float32], camera: Camera
    ) -> None:
        """Draws N bodies with their shadows onto the picture, in place.

        Args:
            picture: (H, W, 3) in [0, 1].
            vertices: (N, V, 3) metres.
            colours: (N, 3) in [0, 1].
            camera: where it is seen from.
        """
        self.draw_shadows(picture, vertices, camera)
        self.draw_bodies(picture, vertices, colours, camera)

    def draw_shadows(self, picture: NDArray[np.float32], vertices: NDArray[np.float32], camera: Camera) -> None:
        """Darkens the floor below N bodies (N, V, 3), in place."""
        eye, axes, focal = self._lens(camera)
        light = self._light(camera)
        for body in vertices:
            corner = raster.shadow_corner(body, light)
            raster.darken(picture, raster.shadow_map(body, light, corner), corner, eye, axes, focal)

    def draw_bodies(
        self, picture: NDArray[np.float32], vertices: NDArray[np.float32], colours: NDArray[np.float32], camera: Camera
    ) -> None:
        """`draw` without shadows, for pictures without a floor."""
        eye, axes, focal = self._lens(camera)
        light = self._light(camera)
        fine_focal, fine_height, fine_width = np.float32(raster.SUPERSAMPLING * focal), *self._depth.shape
        for number, body in enumerate(vertices):
            screen = raster.project(body, eye, axes, fine_focal, fine_width, fine_height)
            brightness = raster.shade(raster.vertex_normals(body, self._faces), light, axes)
            raster.fill(screen, brightness, self._faces, number, self._depth, self._value, self._owner)
        raster.resolve(picture, self._depth, self._value, self._owner, colours)

    def _light(self, camera: Camera) -> NDArray[np.float32]:
        """(3,) unit, towards the light, in the world."""
        towards = np.array(self.look.light) @ camera.axes
        return (towards / np.linalg.norm(towards)).astype(np.float32)

    def _lens(self, camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32], np.float32]:
        """Eye (3,), axes (3, 3) and focal length in pixels, as the rasteriser takes them."""
        focal = np.float32(self.height / 2 / np.tan(camera.field_of_view / 2))
        return camera.eye.astype(np.float32), camera.axes.astype(np.float32), focal


def to_bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture in [0, 1] as 8-bit values."""
    return (picture * 255 + 0.5).astype(np.uint8)
