"""Motions as pictures, one for each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.render.camera import Camera
from motionclip.render.scene import Colour, Look, Scene, to_bytes
from motionclip.render.staging import CameraMode, facing_azimuth, place_cameras

BODY_COLOUR: Colour = (0.48, 0.66, 0.85)
_CHUNK = 64  # frames skinned at once


def render_frames(
    motion: Motion,
    size: int | tuple[int, int] = 256,
    *,
    body: Body | None = None,
    colour: Colour = BODY_COLOUR,
    camera: CameraMode = "follow",
    azimuth: float | None = None,
    look: Look | None = None,
) -> NDArray[np.uint8]:
    """Pictures of a body doing the motion, on a checkered floor (tiles of half a metre) at y = 0.

    Args:
        motion: on any skeleton that can be retargeted; on the body's own it is used as it is.
        size: pixels of a square picture, or (width, height).
        body: what is drawn; the default body if not given.
        colour: of the body; red, green and blue in [0, 1].
        camera: "follow" moves with the body, "still" frames the whole path.
        azimuth: world direction the camera looks from, radians (0: from +Z, pi/2: from +X); if not
            given, a three-quarter view of where the body faces on average.
        look: floor, background and light.

    Returns:
        (T, H, W, 3) uint8.

    Raises:
        MotionError: if the size is not positive.
    """
    body = body or default_body()
    motion = body.fitted(motion)
    width, height = (size, size) if isinstance(size, int) else size
    if width < 1 or height < 1:
        raise MotionError(f"pictures of {width} x {height} pixels; expected at least 1 x 1")
    direction = facing_azimuth(motion) if azimuth is None else azimuth
    (cameras,) = place_cameras([[motion]], width / height, camera, [direction])
    return np.stack(list(draw_frames([motion], cameras, (width, height), body, [colour], look or Look())))


def draw_frames(
    motions: Sequence[Motion],
    cameras: Sequence[Camera],
    size: tuple[int, int],
    body: Body,
    colours: Sequence[Colour],
    look: Look,
) -> Iterator[NDArray[np.uint8]]:
    """The pictures (H, W, 3) of one scene, one after the other: for films of any length.

    Args:
        motions: N motions of T frames on the body's skeleton.
        cameras: one for each frame.
        size: width and height, pixels.
        body: what each of them looks like.
        colours: one for each motion.
        look: floor, background and light.
    """
    scene = Scene(body.faces.numpy().astype(np.int32), *size, look)
    tints = np.array(colours, np.float32)
    middle = np.mean([motion.root[0].detach().double().numpy() for motion in motions], axis=0)
    for start in range(0, len(cameras), _CHUNK):
        stop = min(start + _CHUNK, len(cameras))
        posed = np.stack([pose_array(body, motion.frames(start, stop)) for motion in motions], axis=1)
        for frame, vertices in enumerate(posed, start):
            if frame == 0 or cameras[frame] is not cameras[frame - 1]:
                x, _, z = middle + cameras[frame].eye - cameras[0].eye
                empty = scene.ground(cameras[frame], (float(x), float(z)))
            picture = empty.copy()
            scene.draw(picture, vertices, tints, cameras[frame])
            yield to_bytes(picture)


def pose_array(body: Body, motion: Motion) -> NDArray[np.float32]:
    """Vertices (T, V, 3) of the body, float32 and contiguous, as the rasteriser takes them."""
    with torch.no_grad():
        return np.ascontiguousarray(body.pose(motion).numpy(), dtype=np.float32)
