"""The upper body of one motion on the lower body of another.

Adding latents, as the paper does, mixes the two halves (docs/applications/edit.md has the figures), and so does any
further pass through the latent. So joints are taken from each motion as they are: hips, legs, path and with them
the contacts with the floor of the one, all above of the other.
"""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from motionclip.applications.latents import Source, seconds_of
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, text_to_motion
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, resample
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import on_canonical

#: Where the upper body begins.
WAIST = "spine1"
#: Furthest that the waist bends to carry the other motion's lean over, radians.
_MOST_BEND = math.radians(60)


def compose(
    model: MotionCLIP,
    upper: Source,
    lower: Source,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
) -> Motion:
    """What one motion does above the waist, while legs and path do the other.

    Args:
        model: draws motions for words, and gives the frame rate.
        upper: words, or a motion of any length on any known skeleton.
        lower: the same.
        seconds: length of what is drawn for words.
        seed: of what is drawn for words.
        guidance: above 1 follows the words more closely.

    Returns:
        Motion on the canonical skeleton, as long as the shorter of the two.

    Raises:
        ModelError: if the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if a skeleton's joints are of no known family.
    """
    length = seconds_of(model, [upper, lower], seconds)

    def taken(source: Source) -> Motion:
        if isinstance(source, str):
            return text_to_motion(model, source, seconds=length, seed=seed, guidance=guidance)
        return resample(on_canonical(source), model.config.fps)

    return join_bodies(taken(upper), taken(lower))


def join_bodies(upper: Motion, lower: Motion) -> Motion:
    """The two halves of motions on the canonical skeleton, at one frame rate; as long as the shorter one.

    The chest leans in the world as in ``upper``, and faces the way the hips of ``lower`` do.
    """
    frames = min(upper.num_frames, lower.num_frames)
    above, below = upper.rotations[:frames], lower.rotations[:frames]
    waist = CANONICAL.index(WAIST)
    rotations = below.clone()
    joints = _upper_joints()
    rotations[:, joints] = above[:, joints]
    rotations[:, waist] = _lean(above[:, 0], below[:, 0]) @ above[:, waist]
    return replace(lower, rotations=rotations, root=lower.root[:frames])


def _upper_joints() -> list[int]:
    """The waist and all joints that hang on it."""
    found = {CANONICAL.index(WAIST)}
    for joint, parent in enumerate(CANONICAL.parents):
        if parent in found:
            found.add(joint)
    return sorted(found)


def _lean(above: Tensor, below: Tensor) -> Tensor:
    """Turns (T, 3, 3) in the frame of the hips ``below`` that stand for the lean of the hips ``above`` (T, 3, 3)."""
    turn = rot.about_y(rot.yaw_of_left(below[..., 0]) - rot.yaw_of_left(above[..., 0]))
    bend = rot.matrix_to_rotvec(below.mT @ turn @ above)
    return rot.rotvec_to_matrix(rot.limit_angle(bend, _MOST_BEND))
