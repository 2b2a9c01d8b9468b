"""Units of length: their names, and which one a body is measured in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from motionclip.errors import MotionError
from motionclip.motion.skeleton import Skeleton

#: Names of units, and metres of each; MikuMikuDance's is 8 cm, that of CMU's published files an inch through 0.45.
UNITS: Mapping[str, float] = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "inch": 0.0254,
    "foot": 0.3048,
    "mmd": 0.08,
    "cmu": 0.0254 / 0.45,
}
_ADULT = 1.7
#: Statures, metres, at which the common units are believed, and at which the others are.
_COMMON, _OTHERS = (0.85, 2.4), (1.25, 2.3)
_COMMON_UNITS, _OTHER_UNITS = ("m", "cm", "mm"), ("inch", "mmd", "cmu", "foot")
#: The joint name by which files of CMU's database are known, whose unit nobody else has.
_OF_CMU = "lhipjoint"


def metres_of(unit: str | float) -> float:
    """Returns the metres of a unit: one of ``UNITS`` by name, or a number of metres.

    Raises:
        MotionError: if it is neither.
    """
    try:
        metres = UNITS[unit] if isinstance(unit, str) and unit in UNITS else float(unit)
    except ValueError:
        metres = math.nan
    if not 0 < metres < math.inf:
        raise MotionError(f"a unit of {unit!r}; expected {', '.join(UNITS)}, or a positive number of metres")
    return metres


def unit_name(metres: float) -> str:
    """Returns a unit in words: "cm", or "0.05 m" for one without a name."""
    return next((name for name, each in UNITS.items() if abs(metres - each) < 1e-9), f"{metres:g} m")


def is_common(metres: float) -> bool:
    """Whether a unit is one that most files have: metres, centimetres or millimetres."""
    return unit_name(metres) in _COMMON_UNITS


def unit_of_body(height: float, names: Sequence[str] = ()) -> tuple[float, str]:
    """Returns metres per unit for a body of some height in units, and why.

    Args:
        height: of the body, in units.
        names: of its joints; by them CMU's files are known.
    """
    if not height > 0 or not math.isfinite(height):
        return 1.0, "a body without height"
    for name in _COMMON_UNITS:
        if _COMMON[0] <= height * UNITS[name] <= _COMMON[1]:
            return UNITS[name], f"the body is {height * UNITS[name]:.2f} m tall in it"
    others = ("cmu",) if any(name.lower() == _OF_CMU for name in names) else _OTHER_UNITS
    fitting = [name for name in others if _OTHERS[0] <= height * UNITS[name] <= _OTHERS[1]]
    name = min(fitting or UNITS, key=lambda each: abs(math.log(height * UNITS[each] / _ADULT)))
    return UNITS[name], f"the body is {height * UNITS[name]:.2f} m tall in it; in centimetres {height / 100:.2f} m"


def unit_of_bones(skeleton: Skeleton) -> tuple[float, str]:
    """Returns metres per unit for a skeleton that is not recognised as a body, and why.

    It is judged from the longest chain of bones between two tips, about 2.3 m on an adult, which no pose changes:
    metres below 5 units, millimetres above 1,000, CMU's unit from 21 to 64 units in files of CMU, else centimetres.
    """
    span = longest_chain(skeleton)
    if span < 5 or span > 1000:
        name = "m" if span < 5 else "mm"
    else:
        from_cmu = any(name.lower() == _OF_CMU for name in skeleton.names)
        name = "cmu" if 21 < span < 64 and from_cmu else "cm"
    return UNITS[name], f"the longest chain of bones is {span * UNITS[name]:.2f} m in it"


def longest_chain(skeleton: Skeleton) -> float:
    """Returns the length of the longest chain of bones between two tips, in the skeleton's units."""
    reach = [0.0] * skeleton.num_joints
    for joint, tip in skeleton.end_sites:
        reach[joint] = max(reach[joint], math.hypot(*tip))
    lengths = skeleton.offsets.double().norm(dim=-1).tolist()
    longest = 0.0
    for joint in range(skeleton.num_joints - 1, 0, -1):
        parent, length = skeleton.parents[joint], lengths[joint] + reach[joint]
        longest = max(longest, reach[parent] + length)
        reach[parent] = max(reach[parent], length)
    return max(longest, reach[0])
