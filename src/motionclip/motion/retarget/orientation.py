"""The orientation of every body part from joint positions alone, by the lines of hips and shoulders and the hinges.

What rotations of a file mean depends on its rest pose, and a rest pose may be anything: collapsed, sitting, a frame of
a walk. What its joint positions show does not. Each part of the body gets the rotation that carries the canonical
T-pose to where the part is: the pelvis and the chest by the lines through hips and shoulders, limbs by the direction
of their bone and the axis about which knee or elbow bends.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motionclip.motion import rotations as rot
from motionclip.motion.retarget.humanoid import SIDES
from motionclip.motion.skeleton import CANONICAL

#: Canonical joint to the next one along its bone.
BONES: Mapping[str, str] = {
    f"{side}_{joint}": f"{side}_{following}"
    for side in SIDES
    for joint, following in (
        *(("hip", "knee"), ("knee", "ankle"), ("ankle", "foot")),
        *(("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")),
    )
}
# Of each joint, the part that it hangs on.
_ABOVE = {"collar": "spine3", "shoulder": "collar", "elbow": "shoulder", "wrist": "elbow"}
_ABOVE |= {"hip": "pelvis", "knee": "hip", "ankle": "knee"}
# The parts of a limb: what it hangs on, and the three joints between which it bends.
_ARM, _LEG = ("collar", "shoulder", "elbow", "wrist"), ("pelvis", "hip", "knee", "ankle")
# The axes about which limbs bend, in the T-pose: shins swing back about +X, forearms forward about -Y and +Y.
_HINGES = {"pelvis": (1.0, 0.0, 0.0), "left": (0.0, -1.0, 0.0), "right": (0.0, 1.0, 0.0)}
#: Sine of the bend from which on a knee or an elbow shows its axis.
_CLEAR_BEND = 0.25


def body_frames(positions: Tensor, joints: Mapping[str, int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns world rotations of body parts and how sure they are.

    Args:
        positions: (T, J, 3) joint positions, Y up.
        joints: canonical joint name (and "head") to index.

    Returns:
        Canonical joint name to (T, 3, 3), and canonical joint name to weights (T,): near 0 where the frame shows little
        of how a part is turned about its bone, such as a straight arm.
    """

    def at(name: str) -> Tensor:
        return positions[:, joints[name]]

    frames: dict[str, Tensor] = {}
    weights: dict[str, Tensor] = {}
    hips, shoulders = ((at(f"left_{name}") + at(f"right_{name}")) / 2 for name in ("hip", "shoulder"))
    up = shoulders - hips
    upright = normalize(up, dim=-1)[:, 1].clamp(min=0) ** 4 + 1e-3
    for part, line, above in (("pelvis", "hip", up), ("spine3", "shoulder", at("head") - hips)):
        frames[part] = _frame(at(f"left_{line}") - at(f"right_{line}"), above) @ _rest_frame(line).to(positions)
        weights[part] = upright
    for side in SIDES:
        for joint in ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            _limb(frames, weights, f"{side}_{joint}", positions, joints)
    _complete(frames, weights)
    return frames, weights


def _complete(frames: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    """Parts that positions say little of: a spine bends evenly, head, toes and fingers go on as what they hang on."""
    for name, share in (("spine1", 1 / 3), ("spine2", 2 / 3)):
        some = frames["pelvis"].new_full((len(frames["pelvis"]),), share)
        frames[name], weights[name] = rot.slerp(frames["pelvis"], frames["spine3"], some), weights["pelvis"]
    follow = [("neck", "spine3"), ("head", "spine3")]
    follow += [
        (f"{side}_{end}", f"{side}_{above}") for side in SIDES for end, above in (("foot", "ankle"), ("hand", "wrist"))
    ]
    for name, above in follow:
        frames[name], weights[name] = frames[above], weights[above]


def _limb(
    frames: dict[str, Tensor], weights: dict[str, Tensor], name: str, positions: Tensor, joints: Mapping[str, int]
) -> None:
    """Adds one joint of an arm or a leg."""
    side, joint = name.split("_")
    chain = _ARM if joint in _ARM else _LEG
    above = _ABOVE[joint]
    base = frames[above if above in ("pelvis", "spine3") else f"{side}_{above}"]
    frames[name], weights[name] = base, base.new_full((len(base),), 0.1)
    if name not in joints or BONES[name] not in joints:
        return  # as what it hangs on
    rest = CANONICAL.offsets[CANONICAL.index(BONES[name])].to(base)
    direction = normalize(positions[:, joints[BONES[name]]] - positions[:, joints[name]], dim=-1)
    # the smallest turn from the part above is the smoothest choice where no hinge tells
    frames[name] = rot.shortest_arc(base @ rest, direction) @ base
    if joint not in chain[1:3]:
        return
    start, middle, end = (positions[:, joints[f"{side}_{part}"]] for part in chain[1:])
    axis = torch.linalg.cross(normalize(middle - start, dim=-1), normalize(end - middle, dim=-1))
    bend = axis.norm(dim=-1)  # sine of the angle
    hinge = base.new_tensor(_HINGES[chain[0]] if chain is _LEG else _HINGES[side])
    turned = _frame(axis, direction) @ _frame(hinge[None], rest[None]).mT
    # exactly along the bone, and with the hinge as near to the limb's as that allows
    turned = rot.shortest_arc(turned @ rest, direction) @ turned
    clear = bend > _CLEAR_BEND
    frames[name] = torch.where(clear[:, None, None], turned, frames[name])
    weights[name] = torch.where(clear, bend.square(), 0.01)


def _frame(left: Tensor, up: Tensor) -> Tensor:
    """Rotations (T, 3, 3) with x along ``left`` and y as near to ``up`` as that allows."""
    x = normalize(left, dim=-1)
    z = normalize(torch.linalg.cross(x, up), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _rest_frame(line: str) -> Tensor:
    """The inverse of the frame that the T-pose has by the line of hips or shoulders."""
    rest = CANONICAL.rest_positions
    at = {f"{side}_{name}": rest[CANONICAL.index(f"{side}_{name}")] for side in SIDES for name in ("hip", "shoulder")}
    hips, shoulders = ((at[f"left_{name}"] + at[f"right_{name}"]) / 2 for name in ("hip", "shoulder"))
    up = shoulders - hips if line == "hip" else rest[CANONICAL.index("head")] - hips
    return _frame((at[f"left_{line}"] - at[f"right_{line}"])[None], up[None])[0].mT


def mean_rotation(rotations: Tensor, weights: Tensor) -> Tensor:
    """Returns the rotation (3, 3) nearest to rotations (T, 3, 3) by weighted chordal distance (Hartley et al. 2013)."""
    u, _, vt = torch.linalg.svd((rotations * weights[:, None, None]).sum(dim=0).double())
    sign = torch.diag(torch.tensor([1.0, 1.0, float(torch.sign(torch.det(u @ vt)))], dtype=torch.float64))
    return (u @ sign @ vt).to(rotations)
