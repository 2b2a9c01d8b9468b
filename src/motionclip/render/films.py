"""Motions as films, one image per frame: one motion alone, several side by side, or several in one scene."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.motion import Motion, resample
from motionclip.render.camera import Camera, CameraMode, facing_azimuth, place_cameras, view_axes
from motionclip.render.captions import caption_row
from motionclip.render.scene import Colour, Look, Scene, to_bytes

# Frames of one scene

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
    """Images of a body doing the motion, on a checkered floor (tiles of half a metre) at y = 0.

    Args:
        motion: on any skeleton that can be retargeted; on the body's own it is used as it is.
        size: pixels of a square image, or (width, height).
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
        raise MotionError(f"images of {width} x {height} pixels; expected at least 1 x 1")
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
    """The images (H, W, 3) of one scene, one after the other: for films of any length.

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
            image = empty.copy()
            scene.draw(image, vertices, tints, cameras[frame])
            yield to_bytes(image)


def pose_array(body: Body, motion: Motion) -> NDArray[np.float32]:
    """Vertices (T, V, 3) of the body, float32 and contiguous, as the rasteriser takes them."""
    with torch.no_grad():
        return np.ascontiguousarray(body.pose(motion).numpy(), dtype=np.float32)


# Films of several motions

Images = Iterator[NDArray[np.uint8]]
View = Literal["side-by-side", "single"]

COLOURS: tuple[Colour, ...] = (
    BODY_COLOUR,
    (0.93, 0.62, 0.40),
    (0.52, 0.76, 0.52),
    (0.80, 0.56, 0.78),
    (0.88, 0.80, 0.42),
    (0.62, 0.62, 0.66),
)
"""Of bodies in one scene, in turn."""

_SMALLEST, _LARGEST = 16, 4096  # pixels of a side
_MOST_MOTIONS = 12
_MOST_FRAMES = 216_000  # an hour at 60 frames per second
_FASTEST = 240.0  # frames per second


@dataclass(frozen=True)
class Film:
    """Images that are drawn while they are asked for, once.

    Attributes:
        frames: (H, W, 3) uint8 each.
        count: how many.
        fps: how many in a second.
        size: width and height in pixels, with captions.
    """

    frames: Images
    count: int
    fps: float
    size: tuple[int, int]


def make_film(
    motions: Sequence[Motion],
    titles: Sequence[str] = (),
    *,
    size: tuple[int, int] = (512, 512),
    fps: float | None = None,
    view: View = "side-by-side",
    body: Body | None = None,
    camera: CameraMode = "follow",
    apart: float = 1.0,
    look: Look | None = None,
) -> Film:
    """A film of one or more motions; those that are over stand still in their last pose.

    Args:
        motions: on any skeleton that can be retargeted.
        titles: a caption for each, or none.
        size: width and height of one image, pixels; several stand beside each other, with captions below.
        fps: frames per second, by interpolation; the first motion's own rate if not given.
        view: "side-by-side" has an image for each motion, all from equally far; "single" has one with all bodies.
        body: what is drawn; the default body if not given.
        camera: "follow" moves with the bodies, "still" frames their whole paths.
        apart: metres between the places where the bodies of a single view start.
        look: floor, background and light.

    Raises:
        MotionError: if a size, a rate or a number of motions, titles or frames cannot be drawn.
        SkeletonError: if a skeleton cannot be retargeted.
    """
    check_stage(motions, titles, size)
    body, look = body or default_body(), look or Look()
    cast = _in_step([body.fitted(motion) for motion in motions], motions[0].fps if fps is None else fps)
    scenes = [[motion] for motion in cast] if view == "side-by-side" else [_lined_up(cast, apart)]
    cameras = place_cameras(scenes, size[0] / size[1], camera, [facing_azimuth(*scene) for scene in scenes])
    hues = list(itertools.islice(itertools.cycle(COLOURS), len(cast)))
    # Side by side all bodies are of one colour: which is which is said by the places and the captions.
    tints = [hues if view == "single" else hues[:1]] * len(scenes)
    panels = [
        draw_frames(scene, seen, size, body, tint, look)
        for scene, seen, tint in zip(scenes, cameras, tints, strict=True)
    ]
    width = size[0] * len(scenes)
    row = caption_row(titles, width, caption_height(size), hues if view == "single" else None) if titles else None
    height = size[1] + (0 if row is None else len(row))
    return Film(_joined(panels, row), cast[0].num_frames, cast[0].fps, (width, height))


def check_stage(motions: Sequence[Motion], titles: Sequence[str], size: tuple[int, int]) -> None:
    """Says early what cannot be drawn.

    Raises:
        MotionError: if there are no motions or too many, not as many titles, or a side is too small or too large.
    """
    if not 1 <= len(motions) <= _MOST_MOTIONS:
        raise MotionError(f"{len(motions)} motions in an image; expected 1 to {_MOST_MOTIONS}")
    if titles and len(titles) != len(motions):
        raise MotionError(f"{len(titles)} titles for {len(motions)} motions; expected one for each")
    if not all(_SMALLEST <= side <= _LARGEST for side in size):
        raise MotionError(f"images of {size[0]} x {size[1]} pixels; expected {_SMALLEST} to {_LARGEST} each way")


def caption_height(size: tuple[int, int]) -> int:
    """Pixels of the captions under an image of that size; even, as video wants it."""
    return 2 * max(8, min(size) // 18)


def _in_step(motions: Sequence[Motion], fps: float) -> list[Motion]:
    """The motions at one rate and of one length, the last pose of shorter ones held."""
    if not 0 < fps <= _FASTEST:
        raise MotionError(f"{fps:g} frames per second; expected more than 0, at most {_FASTEST:g}")
    longest = max(motion.duration for motion in motions)
    if longest * fps > _MOST_FRAMES:
        raise MotionError(
            f"{longest:.0f} s at {fps:g} frames per second; expected at most {_MOST_FRAMES} frames: take a part or a "
            "lower rate"
        )
    sampled = [resample(motion, fps) for motion in motions]
    frames = max(motion.num_frames for motion in sampled)
    return [_held(motion, frames) for motion in sampled]


def _held(motion: Motion, frames: int) -> Motion:
    shown = torch.arange(frames).clamp(max=motion.num_frames - 1)
    return replace(motion, rotations=motion.rotations[shown], root=motion.root[shown])


def _lined_up(motions: Sequence[Motion], apart: float) -> list[Motion]:
    """The motions, started on one line across the image."""
    if len(motions) == 1:
        return list(motions)
    right = torch.from_numpy(view_axes(facing_azimuth(*motions), 0.0)[0])
    places = (torch.arange(len(motions)) - (len(motions) - 1) / 2)[:, None] * apart * right
    moved = []
    for motion, place in zip(motions, places, strict=True):
        start = motion.root[0] * motion.root.new_tensor([1.0, 0.0, 1.0])
        moved.append(replace(motion, root=motion.root - start + place.to(motion.root)))
    return moved


def _joined(panels: Sequence[Images], row: NDArray[np.uint8] | None) -> Images:
    """The images of all panels beside each other, the captions under them."""
    for parts in zip(*panels, strict=True):
        image = np.concatenate(parts, axis=1)
        yield image if row is None else np.concatenate([image, row])
