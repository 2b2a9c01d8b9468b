"""Several moments of a motion in one picture, as a camera with a flashing light sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motionclip.body import Body, default_body
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.render.camera import framing, view_axes
from motionclip.render.captions import caption_row
from motionclip.render.films import caption_height, check_stage
from motionclip.render.frames import pose_array
from motionclip.render.scene import Colour, Look, Scene, to_bytes
from motionclip.render.staging import FLESH, facing_azimuth, outline
from motionclip.render.strips import LATE, TILT, instants, path_azimuth

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
        size: width and height of one motion's picture, pixels.
        body: what is drawn; the default body if not given.
        colour: of the last moment; red, green and blue in [0, 1].
        look: floor, background and light.

    Raises:
        MotionError: if a size or a number of motions, titles or moments cannot be drawn.
        SkeletonError: if a skeleton cannot be retargeted.
    """
    check_stage(motions, titles, size)
    if not 1 <= moments <= _MOST_MOMENTS:
        raise MotionError(f"{moments} moments in one picture; expected 1 to {_MOST_MOMENTS}")
    body = body or default_body()
    scene = Scene(body.faces.numpy().astype(np.int32), *size, look or Look())
    pictures = [_exposed(scene, body, body.fitted(motion), moments, colour) for motion in motions]
    joined = np.concatenate(pictures, axis=1)
    row = caption_row(titles, joined.shape[1], caption_height(size)) if titles else joined[:0]
    return Image.fromarray(np.concatenate([joined, row]))


def _exposed(scene: Scene, body: Body, motion: Motion, moments: int, colour: Colour) -> NDArray[np.uint8]:
    """One picture (H, W, 3): every moment laid over the earlier ones."""
    shown = instants(motion, moments)
    direction = path_azimuth(motion, moments)
    points = outline(motion)[shown]
    axes = view_axes(facing_azimuth(motion) if direction is None else direction, TILT)
    camera = framing(points.reshape(-1, 3), axes, scene.width / scene.height, FLESH)
    middle = points[:, 0].mean(0)
    floor = scene.ground(camera, (float(middle[0]), float(middle[2])))
    vertices = [pose_array(body, motion.frames(frame, frame + 1)) for frame in shown]
    opacities = np.linspace(_FAINTEST, 1, len(shown), dtype=np.float32) if len(shown) > 1 else np.ones(1, np.float32)
    picture = floor.copy()
    for posed, opacity in zip(vertices, opacities, strict=True):
        shaded = floor.copy()
        scene.draw_shadows(shaded, posed, camera)
        np.minimum(picture, floor + opacity * (shaded - floor), out=picture)  # shadows in one place do not add up
    for posed, opacity in zip(vertices, opacities, strict=True):
        drawn = picture.copy()
        scene.draw_bodies(drawn, posed, np.array([colour], np.float32), camera)
        picture += opacity * (drawn - picture)
    return to_bytes(picture)
