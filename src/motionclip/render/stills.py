"""Motions as single images: film strips, contact sheets and strobes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.render.camera import FLESH, facing_azimuth, framing, outline, view_axes
from motionclip.render.captions import INK, PAPER, caption_row, drawable, font_for, shortened
from motionclip.render.films import caption_height, check_stage, pose_array
from motionclip.render.scene import Colour, Look, Scene, to_bytes

EARLY: Colour = (0.86, 0.88, 0.90)
LATE: Colour = (0.22, 0.47, 0.78)
_SIDE_VIEW = -1.3  # radians from the direction of travel to the camera: the path runs to the right
TILT = 0.17  # radians: how far such images look down
_STRIDE = 0.5  # metres between two poses along a path, at least
_STRAIGHT = 0.8  # a path is shown as such if its ends are this share of its length apart
_BETWEEN = 0.12  # metres between two bodies side by side


def filmstrip(
    motion: Motion,
    *,
    poses: int = 8,
    size: tuple[int, int] = (1200, 320),
    body: Body | None = None,
    early: Colour = EARLY,
    late: Colour = LATE,
    look: Look | None = None,
) -> Image.Image:
    """One image of the whole motion: poses at equal times, from pale (first) to dark (last).

    A body that travels is shown where it was, along its path from left to right, with as many poses as
    fit at half a metre each; one that stays (or comes back) is shown side by side.

    Args:
        motion: on any skeleton that can be retargeted.
        poses: how many are shown at most.
        size: width and height, pixels.
        body: what is drawn; the default body if not given.
        early: colour of the first pose; red, green and blue in [0, 1].
        late: colour of the last pose.
        look: floor, background and light.

    Raises:
        MotionError: if fewer than one pose is asked for.
    """
    if poses < 1:
        raise MotionError(f"a film strip of {poses} poses; expected at least 1")
    body, look = body or default_body(), look or Look()
    motion = body.fitted(motion)
    along_path = path_azimuth(motion, poses)
    count = poses if along_path is None else min(poses, 1 + int(np.linalg.norm(_travel(motion)) / _STRIDE))
    shown = even_frames(motion, count)
    axes = view_axes(facing_azimuth(motion) if along_path is None else along_path, TILT)
    vertices = np.concatenate([pose_array(body, motion.frames(frame, frame + 1)) for frame in shown])
    moves = side_by_side(vertices, axes[0]) if along_path is None else np.zeros((len(shown), 3))
    points = outline(motion)[shown] + moves[:, None]
    camera = framing(points.reshape(-1, 3), axes, size[0] / size[1], FLESH)
    scene = Scene(body.faces.numpy().astype(np.int32), *size, look)
    middle = points[:, 0].mean(0)
    image = scene.ground(camera, (float(middle[0]), float(middle[2])))
    ramp = np.linspace(0, 1, len(shown))[:, None] if len(shown) > 1 else np.ones((1, 1))
    tints = (np.array(early) * (1 - ramp) + np.array(late) * ramp).astype(np.float32)
    scene.draw(image, vertices + moves[:, None].astype(np.float32), tints, camera)
    return Image.fromarray(to_bytes(image))


def even_frames(motion: Motion, count: int) -> list[int]:
    """At most ``count`` frames at equal times, from the first to the last."""
    return [round(frame) for frame in np.linspace(0, motion.num_frames - 1, min(count, motion.num_frames))]


def path_azimuth(motion: Motion, poses: int) -> float | None:
    """Azimuth in radians from which a path runs to the right; None for one that is short or bent, seen at ``poses``."""
    path = motion.root[even_frames(motion, poses)].detach().double().numpy() * [1, 0, 1]
    apart, length = np.linalg.norm(path[-1] - path[0]), np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    if apart < max(3 * _STRIDE, _STRAIGHT * length):
        return None
    travel = _travel(motion)
    return float(np.arctan2(travel[0], travel[2])) + _SIDE_VIEW


def _travel(motion: Motion) -> NDArray[np.float64]:
    """From where the body starts to where it ends, (3,) metres on the floor."""
    travel: NDArray[np.float64] = (motion.root[-1] - motion.root[0]).detach().double().numpy() * [1, 0, 1]
    return travel


def side_by_side(vertices: NDArray[np.float32], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moves (N, 3) that put bodies (N, V, 3) on one line along ``right`` (3,), each clear of the one before."""
    place = vertices @ right
    low, high = place.min(1), place.max(1)
    starts = np.concatenate([[0], np.cumsum(high - low + _BETWEEN)[:-1]])
    backwards = np.array([-right[2], 0, right[0]])
    depth = (vertices.min(1) + vertices.max(1)) / 2 @ backwards
    return (starts - low)[:, None] * right - depth[:, None] * backwards


def contact_sheet(
    motions: Sequence[Motion],
    titles: Sequence[str],
    *,
    columns: int = 2,
    cell: tuple[int, int] = (720, 216),
    poses: int = 8,
    body: Body | None = None,
    look: Look | None = None,
) -> Image.Image:
    """A sheet of film strips with a title over each.

    Args:
        motions: at least one.
        titles: one for each motion; a title wider than its strip is cut short.
        columns: strips side by side.
        cell: width and height of one strip, pixels.
        poses: how many each strip shows at most.
        body: what is drawn; the default body if not given.
        look: floor, background and light.

    Raises:
        MotionError: if there is no motion, or not as many titles as motions.
    """
    if not motions or len(motions) != len(titles):
        raise MotionError(f"{len(motions)} motions and {len(titles)} titles; expected one title for each of at least 1")
    titles = drawable(titles)
    columns = max(1, min(columns, len(motions)))
    rows, gap, head = -(-len(motions) // columns), cell[1] // 18, cell[1] // 8
    width, height = columns * (cell[0] + gap) + gap, rows * (cell[1] + head + gap) + gap
    sheet = Image.new("RGB", (width, height), PAPER)
    pen, font = ImageDraw.Draw(sheet), font_for(titles, head * 0.66)
    for number, (motion, title) in enumerate(zip(motions, titles, strict=True)):
        left = gap + number % columns * (cell[0] + gap)
        top = gap + number // columns * (cell[1] + head + gap)
        pen.text((left + 2, top), shortened(title, font, cell[0] - 4), fill=INK, font=font)
        sheet.paste(filmstrip(motion, poses=poses, size=cell, body=body, look=look), (left, top + head))
    return sheet


# Strobes: several moments of a motion in one image, as a camera with a flashing light sees them

_FAINTEST = 0.22  # opacity of the first moment
_MOST_MOMENTS = 64


def strobe(
    motions: Sequence[Motion],
    titles: Sequence[str] = (),
    *,
    moments: int = 8,
    size: tuple[int, int] = (1024, 512),
    body: Body | None = None,
    colour: Colour = LATE,
    look: Look | None = None,
) -> Image.Image:
    """Moments of a motion at equal times, each where it was; the older, the fainter. Several motions: side by side.

    A body that travels is seen from the side, going right; one that stays, half from the front.

    Args:
        motions: on any skeleton that can be retargeted.
        titles: a caption for each, or none.
        moments: how many are shown of each, at most.
        size: width and height of one motion's image, pixels.
        body: what is drawn; the default body if not given.
        colour: of the last moment; red, green and blue in [0, 1].
        look: floor, background and light.

    Raises:
        MotionError: if a size or a number of motions, titles or moments cannot be drawn.
        SkeletonError: if a skeleton cannot be retargeted.
    """
    check_stage(motions, titles, size)
    if not 1 <= moments <= _MOST_MOMENTS:
        raise MotionError(f"{moments} moments in one image; expected 1 to {_MOST_MOMENTS}")
    body = body or default_body()
    scene = Scene(body.faces.numpy().astype(np.int32), *size, look or Look())
    images = [_exposed(scene, body, body.fitted(motion), moments, colour) for motion in motions]
    joined = np.concatenate(images, axis=1)
    row = caption_row(titles, joined.shape[1], caption_height(size)) if titles else joined[:0]
    return Image.fromarray(np.concatenate([joined, row]))


def _exposed(scene: Scene, body: Body, motion: Motion, moments: int, colour: Colour) -> NDArray[np.uint8]:
    """One image (H, W, 3): every moment laid over the earlier ones."""
    shown = even_frames(motion, moments)
    direction = path_azimuth(motion, moments)
    points = outline(motion)[shown]
    axes = view_axes(facing_azimuth(motion) if direction is None else direction, TILT)
    camera = framing(points.reshape(-1, 3), axes, scene.width / scene.height, FLESH)
    middle = points[:, 0].mean(0)
    floor = scene.ground(camera, (float(middle[0]), float(middle[2])))
    vertices = [pose_array(body, motion.frames(frame, frame + 1)) for frame in shown]
    opacities = np.linspace(_FAINTEST, 1, len(shown), dtype=np.float32) if len(shown) > 1 else np.ones(1, np.float32)
    image = floor.copy()
    for posed, opacity in zip(vertices, opacities, strict=True):
        shaded = floor.copy()
        scene.draw_shadows(shaded, posed, camera)
        np.minimum(image, floor + opacity * (shaded - floor), out=image)  # shadows in one place do not add up
    for posed, opacity in zip(vertices, opacities, strict=True):
        drawn = image.copy()
        scene.draw_bodies(drawn, posed, np.array([colour], np.float32), camera)
        image += opacity * (drawn - image)
    return to_bytes(image)


def write_filmstrip(motion: Motion, path: str | Path) -> None:
    """Writes a film strip of the motion as PNG.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: the file; written under a temporary name and renamed.
    """
    with replacing(path) as temporary:
        filmstrip(motion).save(temporary, format="PNG", optimize=True)
