"""What happens between network and body: smoothing, bone alignment, foot locking.

Two steps belong to the decoder and are differentiable: :func:`smooth` filters the decoded channels over time, and
:func:`align_bones` makes the joint rotations of decoded rotations and joint positions. The others correct a decoded
motion, in the order of :func:`postprocess`: the root's rotation rate is limited, standing feet are locked, the other
joints' rotation rates are limited (``model/turning.py``), and the body is kept above the floor (``model/floor.py``).

Shapes: B windows, T frames, the 24 joints of the canonical skeleton. Metres, Y up, local rotation matrices.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.model.floor import keep_above_floor
from motionclip.model.turning import limit_joint_rotation_rate, limit_root_rotation_rate
from motionclip.motion import CANONICAL, forward_kinematics, horizontal
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.kinematics import move_ankles
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT

#: Binomial filter: means of two neighbours, this many times over. Four have a standard deviation of one frame, and a
#: gain of 0 at the highest frequency, which changes its sign at every frame. The transformer's corrections jitter; the
#: linear draft does not.
_MEANS = 4

#: 1 + cos of the widest swing that :func:`align_bones` makes whole, 172 degrees: towards 180 its axis is undefined.
_MIN_SWING = 0.01

#: Share of a free foot's correction that is left after a frame.
_RELEASE = 0.8
#: Squared contact probabilities below the first leave a foot free, above the second lock it; linear between them.
_FREE, _LOCKED = 0.1, 0.6


def postprocess(rotations: Tensor, root: Tensor, contacts: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """Returns rotations (B, T, 24, 3, 3) and root paths (B, T, 3): rates limited, feet locked, above the floor.

    Args:
        rotations: (B, T, 24, 3, 3) decoded local rotations.
        root: (B, T, 3) decoded root path, metres.
        contacts: (B, T, 4) contact probabilities of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`.
        fps: frames per second.
    """
    rotations, root = lock_feet(limit_root_rotation_rate(rotations, fps), root, contacts)
    return keep_above_floor(limit_joint_rotation_rate(rotations, fps), root)


# --- Smoothing ---


def take(values: Tensor, frames: Tensor) -> Tensor:
    """Returns the values (B, N, C) at frame indices (B, N) of values (B, T, C)."""
    return values.gather(1, frames[..., None].expand(-1, -1, values.shape[-1]))


def smooth(values: Tensor, lengths: Tensor) -> Tensor:
    """Returns values (B, T, C) low-pass filtered over the first lengths (B,) frames, the rest being padding.

    Beyond an end, values continue as their point reflection in it: ends stay where they are, and so does a constant
    rate of change.
    """
    reach = _MEANS // 2
    frame = torch.arange(-reach, values.shape[1] + reach, device=values.device)
    inside = torch.minimum(frame.clamp(min=0), lengths[:, None] - 1)
    mirrored = torch.minimum((2 * inside - frame).clamp(min=0), lengths[:, None] - 1)
    extended = 2 * take(values, inside) - take(values, mirrored)
    for _ in range(_MEANS):
        extended = extended[:, 1:] + extended[:, :-1]
    return extended / 2**_MEANS


# --- Swing-twist alignment ---
#
# Errors of decoded rotations add up along a chain, from the pelvis to the hands. Errors of decoded positions do not,
# but positions say nothing of a bone's twist about itself. So each bone keeps the twist of its decoded rotation and
# takes its direction, the swing, from the decoded positions; from the root outwards, each joint makes up for the
# errors of those above it. Bone lengths are kept, and nothing is iterated.


@dataclass(frozen=True)
class _Level:
    """The joints of one depth of the tree that have children: C with one child, then F with three.

    Attributes:
        parents: (C + F,) index of each joint's parent among the joints of the level above.
        offsets: (3, C + F, 1) of each joint from its parent at rest, metres.
        joints: (C,) joints with one child.
        children: (C,) their children.
        bones: (3, C, 1) unit directions from the former to the latter at rest.
        forks: the F joints with three children.
    """

    parents: Tensor
    offsets: Tensor
    joints: Tensor
    children: Tensor
    bones: Tensor
    forks: tuple[int, ...]

    @classmethod
    def of(cls, above: list[int], joints: list[int]) -> _Level:
        single = [joint for joint in joints if len(CANONICAL.children[joint]) == 1]
        children = [CANONICAL.children[joint][0] for joint in single]
        return cls(
            torch.tensor([above.index(CANONICAL.parents[joint]) for joint in joints]),
            CANONICAL.offsets[joints].T[..., None],
            torch.tensor(single),
            torch.tensor(children),
            F.normalize(CANONICAL.offsets[children], dim=-1).T[..., None],
            tuple(joints[len(single) :]),
        )


def _fork_frame(positions: Tensor, joint: int) -> Tensor:
    """Returns the rotation (3, 3, M) with x from a joint's right child to its left and y towards the middle one.

    Args:
        positions: (3, 24, M) of all joints.
        joint: the joint.
    """
    sides = {CANONICAL.names[child].partition("_")[0]: child for child in CANONICAL.children[joint]}
    left, right = positions[:, sides.pop("left")], positions[:, sides.pop("right")]
    (middle,) = sides.values()
    x = rot.unit(left - right)
    z = rot.unit(rot.cross(x, positions[:, middle] - (left + right) / 2))
    return torch.stack([x, rot.cross(z, x), z], dim=1)


#: Joints with children, by depth; those with one child before those with three.
_PARENTS = [
    sorted((joint for joint in level if CANONICAL.children[joint]), key=lambda joint: len(CANONICAL.children[joint]))
    for level in CANONICAL.levels
]
_LEVELS = tuple(_Level.of(above, joints) for above, joints in itertools.pairwise(filter(None, _PARENTS)))
#: The frame (3, 3, 1) at rest of each joint with three children, transposed.
_REST_FRAMES = {
    joint: _fork_frame(CANONICAL.rest_positions.T[..., None], joint).transpose(0, 1)
    for joint, children in enumerate(CANONICAL.children)
    if len(children) == 3
}
_LEAVES = torch.tensor([joint for joint, children in enumerate(CANONICAL.children) if not children])
#: Where each joint is in the leaves followed by the levels.
_ORDER = torch.argsort(torch.tensor([*_LEAVES.tolist(), *itertools.chain(*_PARENTS)]))


def align_bones(rotations: Tensor, positions: Tensor) -> Tensor:
    """Returns local rotations (..., 24, 3, 3) whose joints come as near to positions as bone lengths allow.

    Each bone with a single child is swung towards the child's position and keeps its twist; pelvis and upper spine,
    which have three children, take the frame that the children span; hands, toes and head keep their rotations.

    Args:
        rotations: (..., 24, 3, 3) decoded local rotations.
        positions: (..., 24, 3) decoded joint positions, metres, the pelvis at the origin.
    """
    joints = rotations.shape[-3]
    aligned = _aligned(
        rotations.reshape(-1, joints, 3, 3).permute(2, 3, 1, 0).contiguous(),
        positions.reshape(-1, joints, 3).permute(2, 1, 0).contiguous(),
    )
    return aligned.permute(3, 2, 0, 1).reshape(rotations.shape)


# Sums over rows and columns of three are slow where these lie innermost in memory. So below, rotations are (3, 3, C, M)
# and vectors (3, C, M), of C joints in all M frames.


def _aligned(rotations: Tensor, positions: Tensor) -> Tensor:
    """Returns local rotations (3, 3, 24, M) of rotations (3, 3, 24, M) and positions (3, 24, M)."""
    position = torch.zeros_like(positions[:, :1])
    world = _fork_rotation(0, positions)
    aligned = [_select(_LEAVES, rotations, 2), world]
    for level in _LEVELS:
        parent = _select(level.parents, world, 2)
        position = _select(level.parents, position, 1) + _rotate(parent, level.offsets.to(position))
        single = len(level.joints)
        above = parent[:, :, :single]
        directions = _rotate(above.transpose(0, 1), _select(level.children, positions, 1) - position[:, :single])
        decoded = _select(level.joints, rotations, 2)
        swung = _swing(decoded, level.bones.to(position), rot.unit(directions))
        aligned.append(swung)
        world = _product(above, swung)
        for slot, joint in enumerate(level.forks, start=single):
            rotation = _fork_rotation(joint, positions)
            aligned.append(_product(parent[:, :, slot : slot + 1].transpose(0, 1), rotation))
            world = torch.cat([world, rotation], dim=2)
    return _select(_ORDER, torch.cat(aligned, dim=2), 2)


def _swing(rotations: Tensor, bones: Tensor, directions: Tensor) -> Tensor:
    """Returns rotations (3, 3, C, M), swung so that their bones (3, C, 1) point in directions (3, C, M).

    Bones and directions are unit vectors, in the joint's frame and in its parent's. The swing, the smallest such
    rotation, is the product of two reflections, multiplied out: it needs no angle, so the gradient exists where there
    is nothing to swing, and it is a sum of small terms, so it is exact there.
    """
    current, target = _rotate(rotations, bones), _rotate(rotations.transpose(0, 1), directions)
    middle = bones + target
    mirror = middle / (middle.square().sum(dim=0) / 2).clamp(min=_MIN_SWING)
    return rotations + _outer(directions - current, bones) + _outer(directions + current, bones - mirror)


def _fork_rotation(joint: int, positions: Tensor) -> Tensor:
    """Returns the world rotation (3, 3, 1, M) of a joint by the positions of its three children among (3, 24, M)."""
    goal = _fork_frame(positions, joint)
    return _product(goal, _REST_FRAMES[joint].to(goal))[:, :, None]


def _rotate(rotations: Tensor, vectors: Tensor) -> Tensor:
    """Returns vectors (3, ...) rotated by (3, 3, ...)."""
    return (rotations * vectors).sum(dim=1)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Returns the products (3, 3, ...) of matrices (3, 3, ...)."""
    return (left[:, :, None] * right).sum(dim=1)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """Returns the outer products (3, 3, ...) of vectors (3, ...)."""
    return left[:, None] * right


def _select(joints: Tensor, values: Tensor, dim: int) -> Tensor:
    """Returns values at joint indices; faster than indexing with a list, of which a tensor is made each time."""
    return values.index_select(dim, joints.to(values.device))


# --- Foot locking ---


def lock_feet(rotations: Tensor, root: Tensor, contacts: Tensor) -> tuple[Tensor, Tensor]:
    """Returns rotations and root paths (B, T, 3) with standing feet fixed to the floor, and no foot below it.

    The root path makes up for what standing feet slide together; inverse kinematics of the legs for the rest.

    Args:
        rotations: (B, T, 24, 3, 3) local rotations.
        root: (B, T, 3) root path, metres.
        contacts: (B, T, 4) contact probabilities of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`.
    """
    world, positions = forward_kinematics(rotations, root, CANONICAL)
    feet = positions[:, :, CONTACT_INDICES]
    locked = foot_locked_root(feet, root, contacts)
    corrections = ankle_corrections(feet + (locked - root)[:, :, None], contacts)
    return move_ankles(rotations, world, positions, corrections), locked


def foot_locked_root(feet: Tensor, root: Tensor, contacts: Tensor) -> Tensor:
    """Returns root paths (B, T, 3) on which standing feet slide least.

    A standing foot that moves by d in the world means that the root should have moved by d less. The root's horizontal
    velocity is corrected by that of the standing feet, in proportion to the certainty of contact; in flight it is kept.

    Args:
        feet: (B, T, 4, 3) world positions of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`, metres.
        root: (B, T, 3) decoded root path, metres.
        contacts: (B, T, 4) contact probabilities of the same joints.
    """
    standing = _standing(contacts)
    correction = -_weighted_mean(_slides(feet), standing) * standing.amax(dim=2)[..., None]
    return torch.cat([root[:, :1], root[:, 1:] + torch.cumsum(correction, dim=1)], dim=1)


def ankle_corrections(feet: Tensor, contacts: Tensor) -> Tensor:
    """Returns offsets (B, T, 2, 3), metres, of the left and right ankle that keep standing feet in place.

    :func:`foot_locked_root` can make up for one foot, not for two that slide apart. A foot is locked from both ends of
    its contact, and the correction fades after it leaves the floor. A foot below the floor is raised to it.

    Args:
        feet: (B, T, 4, 3) world positions of :data:`~motionclip.motion.contacts.CONTACT_JOINTS`, metres.
        contacts: (B, T, 4) contact probabilities of the same joints.
    """
    feet, standing = feet.unflatten(2, (2, 2)), _standing(contacts).unflatten(2, (2, 2))  # side, ankle and ball
    locked = ((standing.amax(dim=3) - _FREE) / (_LOCKED - _FREE)).clamp(0, 1)  # (B, T - 1, 2)
    steps = -_weighted_mean(_slides(feet), standing) * locked[..., None]
    below = (feet.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT]) - feet[..., 1]).amax(dim=3).clamp(min=0)  # (B, T, 2)
    return _accumulate(steps, locked) + below[..., None] * feet.new_tensor(rot.Y_AXIS)


def _accumulate(steps: Tensor, locked: Tensor) -> Tensor:
    """Returns offsets (B, T, 2, 3) that change by steps (B, T - 1, 2, 3) where locked (B, T - 1, 2) and fade elsewhere.

    Half of an offset sums the steps from the first frame on, half takes them back from the last, so that it is of the
    same size at both ends of a contact. A step is weighted by what fading leaves of it between its frame and another.
    """
    fade = torch.log(_RELEASE + (1 - _RELEASE) * locked).transpose(1, 2)  # (B, 2, T - 1)
    passed = torch.cat([torch.zeros_like(fade[..., :1]), fade.cumsum(dim=-1)], dim=-1)  # (B, 2, T)
    frame = torch.arange(passed.shape[-1], device=steps.device)[:, None]
    later = frame > frame[:-1, 0]  # (T, T - 1): whether the frame comes after the step
    gone = passed[..., :, None] - torch.where(later, passed[..., None, :-1], passed[..., None, 1:])
    weight = torch.where(later, 1.0, -1.0) * torch.exp(-gone.abs()) / 2
    return torch.einsum("bsti,bisx->btsx", weight, steps)


def _slides(feet: Tensor) -> Tensor:
    """Returns the horizontal movement (B, T - 1, ..., 3), metres, of feet (B, T, ..., 3) from frame to frame."""
    return horizontal(torch.diff(feet, dim=1))


def _standing(contacts: Tensor) -> Tensor:
    """Returns the certainty (B, T - 1, 4), squared, that a joint is on the floor in two successive frames."""
    return torch.minimum(contacts[:, 1:], contacts[:, :-1]) ** 2


def _weighted_mean(movement: Tensor, weights: Tensor) -> Tensor:
    """Returns the mean (..., 3) of movement (..., F, 3) by weights (..., F); 0 where all weights are."""
    return (movement * weights[..., None]).sum(dim=-2) / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)
