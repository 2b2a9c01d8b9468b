"""Feet that stand where they are planted: root path and legs, corrected by the contacts that the decoder predicts."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.motion import CANONICAL, forward_kinematics, horizontal
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.kinematics import move_ankles
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

# A low-pass filter over frames: what a transformer adds to a smooth draft shivers, and bodies do not.


#: Binomial weights: a standard deviation of one frame, and nothing left of what changes its sign at every frame.
_WEIGHTS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def take(values: Tensor, frames: Tensor) -> Tensor:
    """Values (B, T, C) of frames (B, N): (B, N, C)."""
    return values.gather(1, frames[..., None].expand(-1, -1, values.shape[-1]))


def smooth(values: Tensor, lengths: Tensor) -> Tensor:
    """Values (B, T, C), each frame mixed with its neighbours among the first lengths (B,) frames.

    Beyond an end, values go on as their point reflection in it, so that the ends stay and a steady change is kept.
    """
    reach = len(_WEIGHTS) // 2
    frame = torch.arange(-reach, values.shape[1] + reach, device=values.device)
    inside = torch.minimum(frame.clamp(min=0), lengths[:, None] - 1)
    mirrored = torch.minimum((2 * inside - frame).clamp(min=0), lengths[:, None] - 1)
    longer = 2 * take(values, inside) - take(values, mirrored)
    # not torch's unfold: of that, the ONNX exporter makes something else
    shifted = [weight * longer.narrow(1, at, values.shape[1]) for at, weight in enumerate(_WEIGHTS)]
    return torch.stack(shifted).sum(dim=0)


# Rotations that put joints where they should be: the bones of a draft, turned to point at given positions.
#
# A chain of drafted rotations adds its errors up from the pelvis to the hands; positions do not add up, but say
# nothing of how a bone is turned about itself. Here each bone keeps the turn about itself that was drafted for it,
# and takes its direction from the positions, from the root outwards, so that a joint makes good what those above it
# got wrong. Bones keep their lengths, everything is differentiable, and nothing is iterated.


#: 1 + cos of the widest turn that is made whole, 172 degrees; a bone that points away from its goal is lost anyway.
_LEAST = 0.01


def align_bones(rotations: Tensor, positions: Tensor) -> Tensor:
    """Local rotations (..., 24, 3, 3) whose joints come as near to positions as the bones allow.

    Args:
        rotations: (..., 24, 3, 3) drafted local rotations of the canonical skeleton.
        positions: (..., 24, 3) where joints should be, metres, the pelvis at the origin.
    """
    place = torch.zeros_like(positions[..., :1, :])
    world = _fork(0, place, positions)
    aimed = [_of(_LEAVES, rotations, -3), world]
    for level in _LEVELS:
        parent = _of(level.above, world, -3)
        place = _of(level.above, place, -2) + _turned(parent, level.offsets.to(place))
        chains = slice(0, len(level.chains))
        above = parent[..., chains, :, :]
        towards = _turned(above.mT, _of(level.children, positions, -2) - place[..., chains, :])
        swung = _swung(_of(level.chains, rotations, -3), level.bones.to(place), F.normalize(towards, dim=-1))
        aimed.append(swung)
        world = above @ swung
        for slot, joint in enumerate(level.forks, start=chains.stop):
            turned = _fork(joint, place[..., slot : slot + 1, :], positions)
            aimed.append(parent[..., slot : slot + 1, :, :].mT @ turned)
            world = torch.cat([world, turned], dim=-3)
    return _of(_ORDER, torch.cat(aimed, dim=-3), -3)


def _swung(rotations: Tensor, bones: Tensor, towards: Tensor) -> Tensor:
    """Rotations (..., C, 3, 3) turned by the smallest turns that take their bones (C, 3) to directions (..., C, 3).

    Bones and directions are of unit length, seen from the joint and from the one above it. The turn is that of two
    reflections, multiplied out: no angle, so that there is a gradient where there is nothing to turn, and sums of small
    terms, so that it is exact there.
    """
    drafted, back = _turned(rotations, bones), _turned(rotations.mT, towards)
    middle = bones + back
    share = middle / (middle.square().sum(dim=-1, keepdim=True) / 2).clamp(min=_LEAST)
    return rotations + _outer(towards - drafted, bones) + _outer(towards + drafted, bones - share)


def _turned(rotations: Tensor, vectors: Tensor) -> Tensor:
    """Vectors (..., 3) turned by rotations (..., 3, 3); sums of products are faster here than products of matrices."""
    return (rotations * vectors[..., None, :]).sum(dim=-1)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    return left[..., :, None] * right[..., None, :]


def _fork(joint: int, place: Tensor, positions: Tensor) -> Tensor:
    """World rotation (..., 1, 3, 3) of a joint at a place (..., 1, 3) that is turned towards its three children."""
    children = list(CANONICAL.children[joint])
    goal = _frame(positions[..., children, :] - place, joint)
    return (goal @ _REST[joint].to(goal))[..., None, :, :]


def _frame(towards: Tensor, joint: int) -> Tensor:
    """Rotation (..., 3, 3) with x from the right child to the left one and y near the middle one, seen from between.

    Args:
        towards: (..., 3, 3) the places of the joint's three children, one in a row.
        joint: the joint.
    """
    names = [CANONICAL.names[child].partition("_")[0] for child in CANONICAL.children[joint]]
    sides = {name: row for row, name in enumerate(names)}
    left, right = towards[..., sides.pop("left"), :], towards[..., sides.pop("right"), :]
    (middle,) = sides.values()
    x = F.normalize(left - right, dim=-1)
    z = F.normalize(torch.linalg.cross(x, towards[..., middle, :] - (left + right) / 2), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _of(joints: Tensor, values: Tensor, dim: int) -> Tensor:
    """Those joints of values; faster than a list in brackets, of which a tensor is made each time."""
    return values.index_select(dim, joints.to(values.device))


@dataclass(frozen=True)
class _Level:
    """Joints of one depth in the tree that have children.

    Attributes:
        above: (C + F,) where among those of the level above the parent of each is.
        offsets: (C + F, 3) of each from its parent, metres.
        chains: (C,) joints with one child.
        children: (C,) those.
        bones: (C, 3) unit directions to them.
        forks: the F joints with three children, which come behind the others.
    """

    above: Tensor
    offsets: Tensor
    chains: Tensor
    children: Tensor
    bones: Tensor
    forks: tuple[int, ...]


def _inner(level: tuple[int, ...]) -> list[int]:
    """Joints of a level that have children, those with one before those with three."""
    return sorted((joint for joint in level if CANONICAL.children[joint]), key=lambda j: len(CANONICAL.children[j]))


def _level(above: list[int], joints: list[int]) -> _Level:
    chains = [joint for joint in joints if len(CANONICAL.children[joint]) == 1]
    children = [CANONICAL.children[joint][0] for joint in chains]
    return _Level(
        torch.tensor([above.index(CANONICAL.parents[joint]) for joint in joints]),
        CANONICAL.offsets[joints],
        torch.tensor(chains),
        torch.tensor(children),
        F.normalize(CANONICAL.offsets[children], dim=-1),
        tuple(joints[len(chains) :]),
    )


_INNER = [inner for inner in map(_inner, CANONICAL.levels) if inner]
_LEVELS = tuple(_level(above, joints) for above, joints in itertools.pairwise(_INNER))
#: Of each joint with three children, the frame at rest, transposed.
_REST = {
    joint: _frame(CANONICAL.offsets[list(children)], joint).mT
    for joint, children in enumerate(CANONICAL.children)
    if len(children) == 3
}
_LEAVES = torch.tensor([joint for joint, children in enumerate(CANONICAL.children) if not children])
#: Where each joint is behind the leaves and the levels.
_ORDER = torch.argsort(torch.tensor([*_LEAVES.tolist(), *itertools.chain(*_INNER)]))


# Bodies that turn no faster than bodies do.
#
# The decoder gives the heading of the root as two columns of a matrix. In a fast spin it may not know
# when the body faces which way, the columns shrink towards their mean, and the heading that they
# still name can jump from one frame to the next. And where the decoder is unsure of a place, a short bone that is aimed
# at it, such as a hand, may point anywhere.


#: Fastest turn of the root, radians per second: a quick pirouette is about two turns a second.
MAX_ROOT_RATE = 13.0
#: Fastest turn of any other joint against the one above it, radians per second: a snap of the wrist.
MAX_JOINT_RATE = 20.0


def limit_root_rotation_rate(rotations: Tensor, fps: float) -> Tensor:
    """Local rotations (B, T, 24, 3, 3), those whose root turns too fast with its yaw slowed; others as they are.

    The yaw follows its path from the first frame on, and from the last frame back, each time lagging
    behind where the path is too fast; midway between the two, a jump becomes a turn around the moment
    at which it was. The lean then follows its own path, as fast.
    """
    root, most = rotations[:, :, 0], MAX_ROOT_RATE / fps
    if root.shape[1] < 2:
        return rotations
    fast = (rot.geodesic_angle(root[:, 1:], root[:, :-1]) > most).any(dim=1)
    if not fast.any():
        return rotations
    yaw = _unwrapped(rot.yaw_of_left(root[fast, :, :, 0]))  # (F, T)
    slowed = (_follow(yaw, most) + _follow(yaw.flip(1), most).flip(1)) / 2
    steady = rotations.clone()
    steady[fast, :, 0] = _follow_rotations(rot.about_y(slowed - yaw) @ root[fast], most)
    return steady


def limit_joint_rotation_rate(rotations: Tensor, fps: float) -> Tensor:
    """Local rotations (B, T, 24, 3, 3), joints below the root on their own path, lagging where it is too fast."""
    local, most = rotations[:, :, 1:].transpose(1, 2), MAX_JOINT_RATE / fps  # (B, 23, T, 3, 3)
    fast = (rot.geodesic_angle(local[:, :, 1:], local[:, :, :-1]) > most).any(dim=2)
    if not fast.any():
        return rotations
    steady = rotations.clone()
    paths = steady[:, :, 1:].transpose(1, 2)  # a view: what is written there is in ``steady``
    paths[fast] = _follow_rotations(local[fast], most)
    return steady


def _unwrapped(angles: Tensor) -> Tensor:
    """Angles (F, T) with whole turns added, so that no step is longer than half a turn."""
    steps = torch.remainder(torch.diff(angles, dim=1) + math.pi, 2 * math.pi) - math.pi
    return torch.cat([angles[:, :1], angles[:, :1] + steps.cumsum(dim=1)], dim=1)


def _follow(path: Tensor, most: float) -> Tensor:
    """Angles (F, T) that follow a path from its first frame by at most ``most`` radians per frame."""
    followed = [path[:, 0]]
    for target in path.unbind(dim=1)[1:]:
        followed.append(followed[-1] + (target - followed[-1]).clamp(-most, most))
    return torch.stack(followed, dim=1)


def _follow_rotations(path: Tensor, most: float) -> Tensor:
    """Rotations (F, T, 3, 3) that follow a path from its first frame by at most ``most`` radians per frame."""
    followed = path.clone()
    is_fast = (rot.geodesic_angle(path[:, 1:], path[:, :-1]) > most).any(dim=0).tolist()
    lags = False
    for frame, fast in enumerate(is_fast, start=1):
        if lags or fast:  # elsewhere it is where the path is
            step = rot.matrix_to_rotvec(followed[:, frame - 1].mT @ path[:, frame])
            followed[:, frame] = followed[:, frame - 1] @ rot.rotvec_to_matrix(rot.limit_angle(step, most))
            lags = bool((step.norm(dim=-1) > most).any())
    return followed


#: Of a foot in the air, what is left after a frame of what it was moved by while it stood.
_LET_GO = 0.8
#: Squared probabilities of contact below the first leave a foot free, above the second hold it.
_FREE, _HELD = 0.1, 0.6


def postprocess(rotations: Tensor, root: Tensor, contacts: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """Returns decoded rotations (B, T, 24, 3, 3) and root paths (B, T, 3) with rotation rates limited and feet locked.

    Args:
        rotations: (B, T, 24, 3, 3) local rotations.
        root: (B, T, 3) root path, metres.
        contacts: (B, T, 4) probability of contact of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`.
        fps: frames per second.
    """
    rotations, root = lock_feet(limit_root_rotation_rate(rotations, fps), root, contacts)
    return limit_joint_rotation_rate(rotations, fps), root


def lock_feet(rotations: Tensor, root: Tensor, contacts: Tensor) -> tuple[Tensor, Tensor]:
    """Rotations and root paths (B, T, 3) of windows with their feet planted, and what still slides held by the legs.

    Args:
        rotations: (B, T, 24, 3, 3) local rotations.
        root: decoded root path, metres.
        contacts: (B, T, 4) probability of contact of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`.
    """
    world, places = forward_kinematics(rotations, root, CANONICAL)
    feet = places[:, :, CONTACT_INDICES]
    planted = foot_locked_root(feet, root, contacts)
    shift = ankle_corrections(feet + (planted - root)[:, :, None], contacts)
    return move_ankles(rotations, world, places, shift), planted


def foot_locked_root(feet: Tensor, root: Tensor, contacts: Tensor) -> Tensor:
    """Root paths (B, T, 3) on which standing feet slide least.

    A foot that stands while the body's pose moves it by d relative to the root means that the
    root moved by -d. Where feet stand, the root's planar velocity is replaced by that of the
    standing feet, in proportion to how sure the contact is; in flight it is kept.

    Args:
        feet: (B, T, 4, 3) places of :data:`~motionclip.motion.contacts.CONTACT_JOINTS` in the world, metres.
        root: (B, T, 3) decoded root path, metres.
        contacts: (B, T, 4) probability of contact of the same joints.
    """
    standing = _standing(contacts)
    correction = -_weighted(_slides(feet), standing) * standing.amax(dim=2)[..., None]
    moved = torch.cumsum(correction, dim=1)  # (B, T - 1, 3)
    return torch.cat([root[:, :1], root[:, 1:] + moved], dim=1)


def ankle_corrections(feet: Tensor, contacts: Tensor) -> Tensor:
    """Shifts (B, T, 2, 3), metres, of the left and the right ankle that keep standing feet where they are.

    What :func:`foot_locked_root` leaves: the root can make good for one foot, not for two that slide apart. A foot is held
    from both ends of its contact, and what it was moved by fades where it leaves the floor. None is left below it.

    Args:
        feet: (B, T, 4, 3) places of :data:`~motionclip.motion.contacts.CONTACT_JOINTS` in the world, metres.
        contacts: (B, T, 4) probability of contact of the same joints.
    """
    feet, standing = feet.unflatten(2, (2, 2)), _standing(contacts).unflatten(2, (2, 2))  # side, ankle and ball
    held = ((standing.amax(dim=3) - _FREE) / (_HELD - _FREE)).clamp(0, 1)  # (B, T - 1, 2)
    wanted = -_weighted(_slides(feet), standing) * held[..., None]
    below = (feet.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT]) - feet[..., 1]).amax(dim=3).clamp(min=0)  # (B, T, 2)
    return _kept_up(wanted, held) + below[..., None] * feet.new_tensor(rot.Y_AXIS)


def _kept_up(steps: Tensor, held: Tensor) -> Tensor:
    """Shifts (B, T, 2, 3) that change by steps (B, T - 1, 2, 3) where a foot is held (B, T - 1, 2), and fade where not.

    Half of it adds the steps up from the first frame on, half takes them back from the last: so it is of the same size
    at both ends of a contact. A step counts at a frame for what is left of it after the frames between them.
    """
    fade = torch.log(_LET_GO + (1 - _LET_GO) * held).transpose(1, 2)  # (B, 2, T - 1)
    passed = torch.cat([torch.zeros_like(fade[..., :1]), fade.cumsum(dim=-1)], dim=-1)  # (B, 2, T)
    frame = torch.arange(passed.shape[-1], device=steps.device)[:, None]
    later = frame > frame[:-1, 0]  # (T, T - 1): whether the frame comes after the step
    gone = passed[..., :, None] - torch.where(later, passed[..., None, :-1], passed[..., None, 1:])
    weight = torch.where(later, 1.0, -1.0) * torch.exp(-gone.abs()) / 2
    return torch.einsum("bsti,bisx->btsx", weight, steps)


def _slides(feet: Tensor) -> Tensor:
    """What feet (B, T, ..., 3) move over the ground from frame to frame: (B, T - 1, ..., 3) metres."""
    return horizontal(torch.diff(feet, dim=1))


def _standing(contacts: Tensor) -> Tensor:
    """How surely (B, T - 1, 4) a joint is on the floor in two frames on end."""
    return torch.minimum(contacts[:, 1:], contacts[:, :-1]) ** 2


def _weighted(moves: Tensor, standing: Tensor) -> Tensor:
    """Mean (..., 3) of moves (..., F, 3) by weights (..., F); 0 where nothing stands."""
    return (moves * standing[..., None]).sum(dim=-2) / standing.sum(dim=-1, keepdim=True).clamp(min=1e-6)
