"""Single frames of motions rendered for an image encoder such as CLIP."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.motion import rotations as rot
from motionclip.render.camera import framing, view_axes
from motionclip.render.scene import Colour, Look, Scene, to_bytes

SIZE = 224
"""Pixels of a side of what CLIP's first models look at."""

_LOOK = Look(background=(1.0, 1.0, 1.0))
_GREY: Colour = (0.70, 0.70, 0.70)
_AZIMUTH = -0.60  # radians to the side of where the body faces
_ELEVATION = 0.12  # radians: a camera at eye height looks down a little
_MARGIN = 0.05  # of the body's larger side, as it is seen
_HIPS = 0.3  # weight of the hips' line beside the pelvis' own direction


def render_clip_frames(
    motion: Motion, frames: Sequence[int], *, size: int = SIZE, body: Body | None = None
) -> NDArray[np.uint8]:
    """Images of a grey body in single frames of a motion: on plain white, whole, with a small margin.

    The paper says of its images only that the background is plain white. The rest follows from CLIP having
    learned from photographs: people are photographed whole, in the middle, at about eye height, and from the front
    or a little to the side of it, where no limb hides another. So each frame has a camera of its own, a
    three-quarter view of where the body faces in that frame, as near as the whole body allows: a crouching body
    fills the image as a standing one does. Nothing else is in the image: no floor, no shadow, no colour.

    A image depends on the pose and the body alone, bit by bit: not on where the body is nor on the other frames.

    Args:
        motion: on any skeleton that can be retargeted; on the body's own it is used as it is.
        frames: N frame numbers, in any order.
        size: pixels of a side.
        body: what is drawn; the default body if not given.

    Returns:
        (N, size, size, 3) uint8.

    Raises:
        MotionError: if the size is not positive, or the motion has no such frame.
        SkeletonError: if the motion's skeleton cannot be matched to the body's.
    """
    if size < 1:
        raise MotionError(f"images of {size} x {size} pixels; expected at least 1 x 1")
    if outside := [frame for frame in frames if not 0 <= frame < motion.num_frames]:
        raise MotionError(f"frame {outside[0]} of a motion of {motion.num_frames}; expected a frame inside it")
    images = np.empty((len(frames), size, size, 3), np.uint8)
    if not len(frames):
        return images
    body = body or default_body()
    scene = Scene(body.faces.numpy().astype(np.int32), size, size, _LOOK)
    for image, (vertices, azimuth) in zip(images, _posed(body.fitted(motion), frames, body), strict=True):
        image[:] = _draw_one(scene, vertices, azimuth)
    return images


def _posed(motion: Motion, frames: Sequence[int], body: Body) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Vertices (V, 3) with the root joint at the origin, and the azimuth of the camera, for each frame."""
    rotations = motion.rotations[list(frames)].detach()
    still = Motion(rotations, torch.zeros_like(rotations[:, 0, 0]), motion.fps, motion.skeleton)
    hips = motion.skeleton.indices(("left_hip", "right_hip"))
    # One after another: a product, or a sine, over several frames would round by how many they are.
    for world, positions in zip(*still.world, strict=True):
        left, right = positions[hips]
        vertices = np.ascontiguousarray(body.skin(world, positions[0]).numpy(), dtype=np.float32)
        yield vertices, _facing(world[0, :, 2], left - right) + _AZIMUTH


def _facing(forward: Tensor, across: Tensor) -> float:
    """Yaw in radians of where the front of the body points: 0 is +Z, positive turns towards +X.

    The line of the hips, which `motionclip.motion.heading` takes, tells front from back only while the body is
    upright, and nothing in a cartwheel. So it decides only where the front points up or down, as in a body that lies.

    Args:
        forward: (3,) where the front of the pelvis points.
        across: (3,) from the right hip to the left one.
    """
    yaw, (x, _, z) = float(rot.yaw_of_left(across)), forward.tolist()
    return math.atan2(x + _HIPS * math.sin(yaw), z + _HIPS * math.cos(yaw))


def _draw_one(scene: Scene, vertices: NDArray[np.float32], azimuth: float) -> NDArray[np.uint8]:
    """One image (size, size, 3), by a camera that stands as near as the whole body allows."""
    axes = view_axes(azimuth, _ELEVATION)
    points = vertices.astype(np.float64)
    extent = np.ptp(axes[:2] @ points.T, axis=1).max()
    camera = framing(points, axes, 1.0, _MARGIN * extent)
    image = np.ones((scene.height, scene.width, 3), np.float32)
    scene.draw_bodies(image, vertices[None], np.array([_GREY], np.float32), camera)
    return to_bytes(image)
