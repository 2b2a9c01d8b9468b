"""A motion as pictures, one for each frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.motion import Motion, heading
from motionclip.render.camera import Camera, framing, view_axes
from motionclip.render.scene import Colour, Look, Scene, to_bytes

BODY_COLOUR: Colour = (0.48, 0.66, 0.85)
_ELEVATION = 0.21  # radians
_AZIMUTH = -0.60  # radians to the side of where the body faces: a three-quarter view, facing right
FLESH = 0.17  # metres from the joints to what must still be in the picture
_HEAD = 0.24  # metres from the head joint to the top of the skull
_SMOOTHING = 0.5  # seconds over which a following camera averages the root path
_CHUNK = 64  # frames skinned at once


def render_frames(
    motion: Motion,
    size: int | tuple[int, int] = 256,
    *,
    body: Body | None = None,
    colour: Colour = BODY_COLOUR,
    camera: Literal["follow", "still"] = "follow",
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
    pictures = each_frame(motion, size, body=body, colour=colour, camera=camera, azimuth=azimuth, look=look)
    return np.stack(list(pictures))


def each_frame(
    motion: Motion,
    size: int | tuple[int, int] = 256,
    *,
    body: Body | None = None,
    colour: Colour = BODY_COLOUR,
    camera: Literal["follow", "still"] = "follow",
    azimuth: float | None = None,
    look: Look | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """The pictures of `render_frames`, (H, W, 3) each, one after the other: for films of any length.

    Raises:
        MotionError: if the size is not positive.
    """
    body, look = body or default_body(), look or Look()
    motion = body.fitted(motion)
    width, height = (size, size) if isinstance(size, int) else size
    if width < 1 or height < 1:
        raise MotionError(f"pictures of {width} x {height} pixels; expected at least 1 x 1")
    cameras = place_cameras(motion, width / height, camera, facing_azimuth(motion) if azimuth is None else azimuth)
    scene = Scene(body.faces.numpy().astype(np.int32), width, height, look)
    tint = np.array([colour], np.float32)
    for start in range(0, motion.num_frames, _CHUNK):
        stop = min(start + _CHUNK, motion.num_frames)
        for frame, vertices in enumerate(pose_array(body, motion.frames(start, stop)), start):
            if frame == 0 or cameras[frame] is not cameras[frame - 1]:
                eye = cameras[frame].eye - cameras[0].eye
                centre = float(motion.root[0, 0] + eye[0]), float(motion.root[0, 2] + eye[2])
                empty = scene.ground(cameras[frame], centre)
            picture = empty.copy()
            scene.draw(picture, vertices[None], tint, cameras[frame])
            yield to_bytes(picture)


def pose_array(body: Body, motion: Motion) -> NDArray[np.float32]:
    """Vertices (T, V, 3) of the body, float32 and contiguous, as the rasteriser takes them."""
    with torch.no_grad():
        return np.ascontiguousarray(body.pose(motion).numpy(), dtype=np.float32)


def facing_azimuth(motion: Motion) -> float:
    """Azimuth in radians of a three-quarter view of where the body faces on average."""
    yaw = heading(motion).double()
    return float(torch.atan2(yaw.sin().mean(), yaw.cos().mean())) + _AZIMUTH


def outline(motion: Motion) -> NDArray[np.float64]:
    """Points (T, J + 2, 3) that a picture must show: joints, the top of the head and the floor below the root."""
    positions = motion.positions.detach().double().numpy()
    head = motion.skeleton.index("head")
    up = motion.world[0][:, head].detach().double().numpy()[:, :, 1]
    floor = positions[:, 0] * [1, 0, 1]
    return np.concatenate([positions, positions[:, [head]] + _HEAD * up[:, None], floor[:, None]], axis=1)


def place_cameras(motion: Motion, aspect: float, mode: Literal["follow", "still"], azimuth: float) -> list[Camera]:
    """One camera for each frame; the same object while it stays where it is."""
    points, axes = outline(motion), view_axes(azimuth, _ELEVATION)
    if mode == "still":
        return [framing(points.reshape(-1, 3), axes, aspect, FLESH)] * motion.num_frames
    path = _smooth(motion.root.detach().double().numpy() * [1, 0, 1], _SMOOTHING * motion.fps)
    camera = framing((points - path[:, None]).reshape(-1, 3), axes, aspect, FLESH)
    return [camera.moved(offset) for offset in path]


def _smooth(path: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """The path (T, 3) under a Gaussian window of ``sigma`` frames, continued beyond its ends point by point."""
    reach = max(1, int(3 * sigma))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    window /= window.sum()
    longer = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.stack([np.convolve(longer[:, axis], window, mode="valid") for axis in range(3)], axis=1)
