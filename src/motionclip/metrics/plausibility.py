"""Physical plausibility of one motion: what no body does, each in its own unit, beside what recordings show.

:mod:`motionclip.metrics.physics` measures means over many motions. Here the worst moment of a single one is measured,
so that of several takes those can be left out that sink into the floor, hang in the air, tear a limb away or wring the
waist. ``benchmarks/plausibility.py`` measures the limits on recordings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from motionclip.motion import CANONICAL, Motion, horizontal
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, runs
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
        return sum(math.log2(ratio) for ratio in self.faults.values())


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
    positions = motion.positions
    standing = positions.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)
    feet, others = positions[:, CONTACT_INDICES, 1] - standing, positions[:, _OTHERS, 1]
    airborne = (feet.amin(dim=1) > _FOOT_CLEAR) & (others.amin(dim=1) > _JOINT_CLEAR)
    limbs = positions[:, _TIPS] - positions[:, :1]
    return Plausibility(
        penetration_cm=100 * max(-min(feet.min().item(), others.min().item()), 0.0),
        floating_cm=100 * _floating(centre_of_mass(positions)[:, 1], airborne, motion.fps),
        limb_speed_m_s=_top_speed(limbs, motion.fps),
        travel_speed_m_s=_top_speed(horizontal(motion.root), motion.fps),
        twist_deg=math.degrees(_twist(motion.world[0]).abs().max().item()),
    )


def _floating(height: Tensor, airborne: Tensor, fps: float) -> float:
    """Returns the greatest distance, metres, of heights (T,) from the parabola of free fall in any flight."""
    worst = 0.0
    for start, stop in runs(airborne):
        if stop - start >= _LEAST_FLIGHT:
            flight = height[start:stop]
            time = torch.arange(stop - start).to(height) / fps
            chord = torch.lerp(flight[0], flight[-1], time / time[-1])
            arc = chord + GRAVITY / 2 * time * (time[-1] - time)
            worst = max(worst, (flight - arc).abs().max().item())
    return worst


def _top_speed(points: Tensor, fps: float) -> float:
    """Returns the highest speed, m/s, of points (T, ..., 3), metres; 0 of a single frame."""
    speeds = torch.linalg.vector_norm(torch.diff(points, dim=0), dim=-1) * fps
    return speeds.max().item() if speeds.numel() else 0.0


def _twist(world: Tensor) -> Tensor:
    """Returns the angles (T,), radians, by which chests are turned against pelvises about the pelvis's up axis.

    The twist of the relative rotation (swing-twist decomposition): twice the angle of its quaternion's y and w.
    """
    quaternion = rot.matrix_to_quat(world[:, 0].mT @ world[:, _CHEST])
    return torch.remainder(2 * torch.atan2(quaternion[:, 1], quaternion[:, 3]) + math.pi, 2 * math.pi) - math.pi
