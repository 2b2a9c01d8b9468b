"""Physical plausibility of one motion: what no body does, each in its own unit, beside what recordings show.

:mod:`motionclip.metrics.physics` measures means over many motions. Here the worst moment of a single one is measured,
so that of several takes those can be left out that sink into the floor, hang in the air, tear a limb away or wring the
waist. ``benchmarks/plausibility.py`` measures the limits on recordings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.compiler import is_exporting

from motionclip.motion import CANONICAL, Motion, horizontal
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.mass import GRAVITY, centre_of_mass
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Height in metres, above that of standing, up to which a foot counts as on the floor, and above the floor, up to which
#: any other joint does: hands, knees or the back may carry the body, too.
_FOOT_CLEAR, _JOINT_CLEAR = 0.05, 0.15
#: Frames that the body must be in the air: an arc needs more than its two ends.
_LEAST_FLIGHT = 3
_TIPS = CANONICAL.indices(["left_hand", "right_hand", "left_foot", "right_foot", "head"])
_CHEST = CANONICAL.index("spine3")
_OTHERS = [joint for joint in range(CANONICAL.num_joints) if joint not in CONTACT_INDICES]


@dataclass(frozen=True)
class Plausibility:
    """The worst moments of a motion.

    Attributes:
        penetration_cm: depth of the deepest joint below the floor; of feet, below their height in standing.
        floating_cm: how far the centre of mass leaves the arc of free fall while nothing touches the floor.
        limb_speed_m_s: highest speed of a hand, a foot or the head against the pelvis.
        travel_speed_m_s: highest horizontal speed of the pelvis.
        twist_deg: furthest that the chest is turned against the pelvis about the spine.
    """

    penetration_cm: float
    floating_cm: float
    limb_speed_m_s: float
    travel_speed_m_s: float
    twist_deg: float

    @property
    def faults(self) -> Mapping[str, float]:
        """Figures that are beyond :data:`LIMITS`, each with how many times its limit it is."""
        return {name: value / LIMITS[name] for name, value in asdict(self).items() if value > LIMITS[name]}

    @property
    def excess(self) -> float:
        """How far it is beyond the limits: 0 for a plausible motion, 1 for each doubling of a limit."""
        return excess_of(torch.tensor(astuple(self))).item()


#: What recorded bodies do not exceed but in one clip of a hundred; of the floor, what the eye forgives.
LIMITS: Mapping[str, float] = MappingProxyType(
    {
        "penetration_cm": 3.0,
        "floating_cm": 12.0,
        "limb_speed_m_s": 12.0,
        "travel_speed_m_s": 6.0,
        "twist_deg": 55.0,
    }
)


def plausibility(motion: Motion) -> Plausibility:
    """Returns the worst moments of a motion on the canonical skeleton whose floor is y = 0."""
    return Plausibility(*figures_of(*motion.world, motion.fps).tolist())


def excess_of(figures: Tensor) -> Tensor:
    """Returns :attr:`Plausibility.excess` (...) of figures (..., 5)."""
    return torch.log2((figures / figures.new_tensor(list(LIMITS.values()))).clamp(min=1)).sum(dim=-1)


def figures_of(world: Tensor, positions: Tensor, fps: float) -> Tensor:
    """Returns the figures (..., 5) of :class:`Plausibility`, in its order.

    Args:
        world: (..., T, 24, 3, 3) rotations of the joints in the world.
        positions: (..., T, 24, 3) of the joints, metres, Y up, over the floor y = 0.
        fps: frames per second.
    """
    standing = positions.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)
    feet, others = positions[..., CONTACT_INDICES, 1] - standing, positions[..., _OTHERS, 1]
    airborne = (feet.amin(dim=-1) > _FOOT_CLEAR) & (others.amin(dim=-1) > _JOINT_CLEAR)
    deepest = -torch.cat([feet, others], dim=-1).amin(dim=(-1, -2))
    figures = [
        100 * deepest.clamp(min=0),
        100 * _floating(centre_of_mass(positions)[..., 1], airborne, fps),
        _top_speed(positions[..., _TIPS, :] - positions[..., :1, :], fps),
        _top_speed(horizontal(positions[..., :1, :]), fps),
        torch.rad2deg(_twist(world).abs().amax(dim=-1)),
    ]
    return torch.stack(figures, dim=-1)


def _floating(height: Tensor, airborne: Tensor, fps: float) -> Tensor:
    """Returns the greatest distance (...), metres, of heights (..., T) from the parabola of free fall in any flight."""
    frame = torch.arange(height.shape[-1], device=height.device)
    touched = torch.where(airborne, 0, frame + 1)  # its running maximum is the first frame of a flight
    first = _running_maximum(touched)
    last = frame[-1] - _running_maximum(torch.where(airborne.flip(-1), 0, frame + 1)).flip(-1)
    begin, end = (height.gather(-1, at.clamp(min=0).minimum(frame[-1])) for at in (first, last))
    time, whole = (frame - first) / fps, (last - first) / fps
    chord = torch.lerp(begin, end, time / whole.clamp(min=1 / fps))
    arc = chord + GRAVITY / 2 * time * (whole - time)
    flight = airborne & (last - first >= _LEAST_FLIGHT - 1)
    return torch.where(flight, (height - arc).abs(), 0.0).amax(dim=-1)


def _running_maximum(values: Tensor) -> Tensor:
    """Returns the largest value so far (..., T) of values (..., T) from 0 up."""
    if not is_exporting():
        return values.cummax(dim=-1).values
    frame = torch.arange(values.shape[-1])  # ONNX has no such operator
    return torch.where(frame <= frame[:, None], values[..., None, :], 0).amax(dim=-1)


def _top_speed(points: Tensor, fps: float) -> Tensor:
    """Returns the highest speed (...), m/s, of points (..., T, N, 3), metres; 0 of a single frame."""
    steps = torch.diff(points, dim=-3, prepend=points[..., :1, :, :])
    return torch.linalg.vector_norm(steps, dim=-1).amax(dim=(-1, -2)) * fps


def _twist(world: Tensor) -> Tensor:
    """Returns the angles (..., T), radians, by which chests are turned against pelvises about the pelvis's up axis.

    The twist of the relative rotation (swing-twist decomposition): twice the angle of its quaternion's y and w. Of the
    matrix, two differences are 4 y w and 2 (w^2 - y^2), whose angle that is.
    """
    relative = world[..., 0, :, :].mT @ world[..., _CHEST, :, :]
    return torch.atan2(relative[..., 0, 2] - relative[..., 2, 0], relative[..., 0, 0] + relative[..., 2, 2])
