"""A trunk that leans, turns and bends as its source's joints show, whatever the two skeletons' proportions.

Rotations alone do not carry a trunk over: where the source's chest is longer or its collar bones are narrower, the
same rotations put shoulders and head elsewhere. Here three directions are made exact, in closed form and frame by
frame: the line through the shoulders, by turning the chest; the line from the hips to the shoulders, by swinging the
bones of the spine; the line from the hips to the head, by swinging the neck. Where the neck is too short for that, as
that of a source with a longer one was, the lines to head and shoulders give way by less than two degrees each, and
what they cannot give is made good by tilting the chest about the line of the shoulders and, in the few frames in which
that is not enough, by shrugging; exact lines alone would bend such a body double. But for the shrug, which is found by
descent, each step asks for a vector b of given length such that c + b points along a unit direction u, which has the
solution

    b = -(c - (c u) u) + sqrt(|b|^2 - |c - (c u) u|^2) u.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool1d, normalize

from motionclip.motion import rotations as rot
from motionclip.motion.contacts import runs
from motionclip.motion.retarget.humanoid import SIDES, Humanoid

#: World rotations (T, 3, 3) of the joints that are driven, by index; others are turned as the joint above them.
Turned = dict[int, Tensor]

# The largest part of a bone's length that may be spent on what lies across its goal; where more would be needed, the
# goal is met as far as this goes. A chest is turned by little, a head may be held far forward.
_MOST_CHEST, _MOST_SPINE, _MOST_NECK, _WHOLE_NECK = 0.8, 0.8, 0.97, 0.999
#: Radians that the lines to the head and to the shoulders may each give way before the chest is tilted for the head.
_MOST_SPARED = 0.033
#: Furthest that the chest is tilted for the sake of the head, radians; how many tilts are tried; and over how many
#: frames to each side a tilt is smoothed.
_MOST_TILT, _TILTS, _REACH = 1.2, 49, 4
#: Metres by which a neck may be too short without a tilt.
_NEGLIGIBLE = 1e-4
#: How a shrug is found: frames to each side over which it comes and goes, steps of descent and the length (radians) of
#: the first, metres by which the neck is to reach farther than it must, and what counts how much: a square metre that
#: is missing, a square radian away from no shrug, and one of change from frame to frame.
_FADING, _STEPS, _STEP, _SPARE, _MISSING, _SIZE, _CHANGE = 16, 200, 0.1, 0.002, 1e4, 0.05, 2.0
#: Radians over which slopes are taken, and frames that are descended at once.
_TINY, _LONGEST = 5e-3, 2000


@dataclass(frozen=True)
class Directions:
    """Where a source's trunk is, seen from the middle of its hips; vectors (T, 3) of any length.

    Attributes:
        shoulders: from the right to the left shoulder.
        up: from the middle of the hips to the middle of the shoulders.
        head: from the middle of the hips to the head.
    """

    shoulders: Tensor
    up: Tensor
    head: Tensor

    def frames(self, chosen: Tensor | slice) -> Directions:
        """Some of the frames."""
        return Directions(self.shoulders[chosen], self.up[chosen], self.head[chosen])


def align_trunk(turned: Turned, humanoid: Humanoid, goal: Directions) -> None:
    """Turns chest, spine and neck so that shoulders and head lie where a source's do.

    Args:
        turned: world rotations; those of the spine, the chest, the neck and the collar bones are replaced.
        humanoid: the body parts of the skeleton that is turned.
        goal: where the source's trunk is.
    """
    unit = Directions(*(normalize(each, dim=-1) for each in (goal.shoulders, goal.up, goal.head)))
    trunk = _Trunk(humanoid, unit)
    trunk.turn_chest(turned)
    trunk = _Trunk(humanoid, trunk.spared_goal(turned))
    trunk.shrug(turned, trunk.find_shrug(turned, trunk.find_tilt(turned)))
    trunk.swing_neck(turned)


@dataclass(frozen=True)
class _Trunk:
    """The body parts of a skeleton, and the unit directions that its trunk is to follow."""

    humanoid: Humanoid
    goal: Directions

    def vector(self, turned: Turned, above: int, below: int) -> Tensor:
        """The vector (T, 3) from a joint to one below it."""
        skeleton = self.humanoid.skeleton
        total: Tensor | None = None
        while below != above:
            carrier = skeleton.parents[below]
            holder = carrier
            while holder not in turned:
                holder = skeleton.parents[holder]
            step = turned[holder] @ skeleton.offsets[below].to(turned[holder])
            total = step if total is None else total + step
            below = carrier
        assert total is not None
        return total

    @property
    def spine(self) -> tuple[int, ...]:
        """The joints below the chest that bend; the chest itself where there are none."""
        return self.humanoid.spine[:-1] or self.humanoid.spine

    def hips(self, turned: Turned) -> Tensor:
        """The middle of the hips (T, 3), seen from the joint that legs and trunk hang on."""
        joints = self.humanoid.joints
        return (
            self.vector(turned, self.fork, joints["left_hip"]) + self.vector(turned, self.fork, joints["right_hip"])
        ) / 2

    @property
    def fork(self) -> int:
        """The joint that legs and trunk hang on."""
        return self.humanoid.skeleton.parents[self.humanoid.spine[0]]

    @property
    def chest(self) -> int:
        return self.humanoid.spine[-1]

    def collar(self, side: str) -> int:
        """The joint at which an arm begins."""
        return self.humanoid.joints.get(f"{side}_collar", self.humanoid.joints[f"{side}_shoulder"])

    def reach(self, turned: Turned, side: str) -> Tensor:
        """The vector (T, 3) from where an arm begins to its shoulder."""
        collar, shoulder = self.collar(side), self.humanoid.joints[f"{side}_shoulder"]
        return self.vector(turned, collar, shoulder) if collar != shoulder else turned[self.chest].new_zeros(1, 3)

    def turn_chest(self, turned: Turned) -> None:
        """Turns the chest so that the shoulders lie along their line; the collar bones keep their directions."""
        between = self.vector(turned, self.chest, self.collar("left")) - self.vector(
            turned, self.chest, self.collar("right")
        )
        goal = _towards(
            self.reach(turned, "left") - self.reach(turned, "right"), between, self.goal.shoulders, _MOST_CHEST
        )
        turned[self.chest] = rot.shortest_arc(between, goal) @ turned[self.chest]

    def arms(self, turned: Turned) -> Tensor:
        """The vector (T, 3) from the chest to the middle of the shoulders."""
        each = [self.vector(turned, self.chest, self.collar(side)) + self.reach(turned, side) for side in SIDES]
        return (each[0] + each[1]) / 2

    def swing_spine(self, turned: Turned) -> None:
        """Swings the bones of the spine so that the shoulders lie above the hips as they should."""
        first, arms = self.spine[0], self.arms(turned)
        below = self.vector(turned, self.fork, first) - self.hips(turned)
        if first == self.chest:  # one joint bears both
            swing = rot.shortest_arc(arms, _towards(below, arms, self.goal.up, _MOST_SPINE))
        else:
            spine = self.vector(turned, first, self.chest)
            swing = rot.shortest_arc(spine, _towards(below + arms, spine, self.goal.up, _MOST_SPINE))
        for joint in self.spine:
            if joint in turned:
                turned[joint] = swing @ turned[joint]

    def tilt_chest(self, turned: Turned, angle: Tensor) -> None:
        """Tilts the chest by angles (T,) about the line of the shoulders; shoulders stay where they should be."""
        turned[self.chest] = rot.rotvec_to_matrix(angle[:, None] * self.goal.shoulders) @ turned[self.chest]
        self.turn_chest(turned)
        self.swing_spine(turned)

    def spared_goal(self, turned: Turned) -> Directions:
        """The goal with the lines to head and shoulders nearer to each other where the neck is too short for them."""
        untilted = dict(turned)
        self.tilt_chest(untilted, untilted[self.chest].new_zeros(len(self.goal.head)))
        below = self.below_neck(untilted)
        head = below + self.vector(untilted, self.neck, self.humanoid.joints["head"])
        lack = self._lack(untilted).clamp(min=0).masked_fill(_is_along(head, self.goal.head), 0.0)
        length = below.norm(dim=-1)
        of_head = (lack / length).clamp(max=_MOST_SPARED)
        of_shoulders = ((lack - of_head * length) / length).clamp(min=0, max=_MOST_SPARED)
        aside = _across(below, self.goal.head)
        return Directions(
            self.goal.shoulders,
            _leaned(self.goal.up, -aside, of_shoulders),
            _leaned(self.goal.head, aside, of_head),
        )

    def find_tilt(self, turned: Turned) -> Tensor:
        """The smallest angles (T,) about the line of the shoulders at which the neck reaches the line to the head.

        Of frames in which it reaches it at none, the angle at which least is missing. Smoothed over frames: from one to
        the next the smallest angle may be on the other side.
        """
        angle = turned[self.chest].new_zeros(len(self.goal.head))
        short = self.is_short(turned, angle)
        if self.spine[0] == self.chest or not short.any():
            return angle
        here = {joint: rotations[short] for joint, rotations in turned.items()}
        some = _Trunk(self.humanoid, self.goal.frames(short))
        tilts = torch.linspace(-_MOST_TILT, _MOST_TILT, _TILTS).to(angle)
        lacks = torch.stack([some.lack(here, tilt.expand(int(short.sum()))) for tilt in tilts])  # (N, S)
        cost = torch.where(lacks <= 0, tilts.abs()[:, None] - _MOST_TILT, lacks)  # reached, or else how nearly
        angle[short] = tilts[cost.argmin(dim=0)]
        return _smoothed(angle)

    def is_short(self, turned: Turned, angle: Tensor) -> Tensor:
        """Whether neck or spine are too short (T,) to reach the lines to head and shoulders with the chest tilted."""
        head = self.below_neck(turned) + self.vector(turned, self.neck, self.humanoid.joints["head"])
        tilted = dict(turned)
        self.tilt_chest(tilted, angle)
        missed = (self._lack(tilted) > _NEGLIGIBLE) | (self._beside(tilted).norm(dim=-1) > _NEGLIGIBLE)
        return missed & ~_is_along(head, self.goal.head)

    def _beside(self, turned: Turned) -> Tensor:
        """How far (T, 3) the middle of the shoulders is from its line."""
        return _across(self.vector(turned, self.fork, self.chest) + self.arms(turned) - self.hips(turned), self.goal.up)

    def shrug(self, turned: Turned, angles: Tensor) -> None:
        """Raises and draws back both shoulders, and tilts the chest, by angles (T, 3): tilt, up, back.

        The shoulders stay where they should be, so that it is the chest that moves.
        """
        up = normalize(_across(self.goal.up, self.goal.shoulders), dim=-1)
        back = torch.linalg.cross(up, self.goal.shoulders)
        axis = angles[:, 1:2] * back - angles[:, 2:] * up
        for collar, sign in ((self.collar("left"), -1.0), (self.collar("right"), 1.0)):
            if collar in turned:
                turned[collar] = rot.rotvec_to_matrix(sign * axis) @ turned[collar]
        self.tilt_chest(turned, angles[:, 0])

    def find_shrug(self, turned: Turned, tilt: Tensor) -> Tensor:
        """Angles (T, 3) of a small and smooth shrug with which the neck reaches the line to the head.

        Args:
            turned: world rotations without a tilt.
            tilt: angles (T,) of the tilt, which stay where they are enough.
        """
        angles = torch.stack([tilt, torch.zeros_like(tilt), torch.zeros_like(tilt)], dim=-1)
        if self.spine[0] == self.chest:
            return angles
        for run in _runs(self.is_short(turned, tilt), _FADING):
            here = {joint: rotations[run] for joint, rotations in turned.items()}
            around = [angles[max(run.start - 1, 0)], angles[min(run.stop, len(angles) - 1)]]
            angles[run] = _Trunk(self.humanoid, self.goal.frames(run))._descended(here, angles[run], around)
        return angles

    def _descended(self, turned: Turned, start: Tensor, around: list[Tensor]) -> Tensor:
        """Angles (T, 3) of `find_shrug` for one run of frames, by descent (Adam); ``around`` it are two more (3,)."""
        angles = start.clone()
        angles[:, 0] = start[:, 0].mean()  # a tilt to either side may have been the smallest
        descent = torch.optim.Adam([angles], lr=_STEP)
        # slopes are differences between these angles and three beside them, all four in one
        aside = _TINY * torch.eye(4, 3).roll(1, dims=0).to(angles)[:, None]
        beside = {joint: rotations.repeat(4, 1, 1) for joint, rotations in turned.items()}
        trunks = _Trunk(self.humanoid, self.goal.frames(torch.arange(len(angles)).repeat(4)))
        for step in range(_STEPS):
            descent.param_groups[0]["lr"] = _STEP * (1 - step / _STEPS)
            missing = trunks._missing(beside, (angles + aside).flatten(0, 1)).unflatten(0, (4, -1))
            slopes = (missing[1:] - missing[0]).mT / _TINY
            change = torch.cat([around[0][None], angles, around[1][None]]).diff(dim=0)
            angles.grad = _MISSING * slopes + 2 * _SIZE * (angles - start) - 2 * _CHANGE * change.diff(dim=0)
            descent.step()
        return angles

    def _missing(self, turned: Turned, angles: Tensor) -> Tensor:
        """Square metres (T,) by which the lines to the head and to the shoulders are missed after a shrug."""
        shrugged = dict(turned)
        self.shrug(shrugged, angles)
        return (self._lack(shrugged) + _SPARE).clamp(min=0).square() + self._beside(shrugged).square().sum(dim=-1)

    def lack(self, turned: Turned, angle: Tensor) -> Tensor:
        """By how many metres (T,) the neck is too short to reach the line to the head, with the chest tilted."""
        tilted = dict(turned)
        self.tilt_chest(tilted, angle)
        return self._lack(tilted)

    def _lack(self, turned: Turned) -> Tensor:
        neck = self.vector(turned, self.neck, self.humanoid.joints["head"]).norm(dim=-1)
        return _across(self.below_neck(turned), self.goal.head).norm(dim=-1) - _MOST_NECK * neck

    @property
    def neck(self) -> int:
        """The joint that carries the head: the neck, or the chest where there is none."""
        return self.humanoid.necks[0] if self.humanoid.necks else self.chest

    def below_neck(self, turned: Turned) -> Tensor:
        """The vector (T, 3) from the middle of the hips to the neck."""
        return self.vector(turned, self.fork, self.neck) - self.hips(turned)

    def swing_neck(self, turned: Turned) -> None:
        """Swings the neck so that the head lies above the hips as it should."""
        if self.neck == self.chest:
            return
        neck = self.vector(turned, self.neck, self.humanoid.joints["head"])
        swing = rot.shortest_arc(neck, _towards(self.below_neck(turned), neck, self.goal.head, _WHOLE_NECK))
        for joint in self.humanoid.necks:
            if joint in turned:
                turned[joint] = swing @ turned[joint]


def _runs(chosen: Tensor, margin: int) -> Iterator[slice]:
    """Runs of frames of which some (T,) are chosen, with a margin to each side; long ones in parts, for memory."""
    wide = max_pool1d(chosen[None].float(), 2 * margin + 1, 1, margin)[0]
    for start, stop in runs(wide):
        for first in range(start, stop, _LONGEST):
            yield slice(first, min(first + _LONGEST, stop))


def _smoothed(values: Tensor) -> Tensor:
    """Values (T,) as smooth as a mean over frames, and as large, where they are largest, as they were."""
    reach = min(_REACH, (len(values) - 1) // 2)
    around = _around(values, reach)
    largest = around.gather(1, around.abs().argmax(dim=1, keepdim=True))[:, 0]
    return _around(largest, reach).mean(dim=-1)


def _around(values: Tensor, reach: int) -> Tensor:
    """Values (T,) with those of so many frames to each side (T, 2 reach + 1)."""
    return torch.cat([values[:1].expand(reach), values, values[-1:].expand(reach)]).unfold(0, 2 * reach + 1, 1)


def _across(vector: Tensor, direction: Tensor) -> Tensor:
    return vector - (vector * direction).sum(dim=-1, keepdim=True) * direction


def _leaned(direction: Tensor, aside: Tensor, angle: Tensor) -> Tensor:
    """Unit directions (T, 3), turned by angles (T,) towards vectors (T, 3)."""
    side = normalize(_across(aside, direction), dim=-1)
    return angle.cos()[:, None] * direction + angle.sin()[:, None] * side


def _towards(rest: Tensor, bone: Tensor, direction: Tensor, most: float) -> Tensor:
    """Vectors (T, 3) as long as ``bone`` whose sums with ``rest`` point along unit directions, all (T, 3)."""
    length = bone.norm(dim=-1, keepdim=True)
    across = _across(rest, direction)
    across = across * (most * length / across.norm(dim=-1, keepdim=True).clamp(min=1e-9)).clamp(max=1.0)
    found = (length.square() - across.square().sum(dim=-1, keepdim=True)).sqrt() * direction - across
    return torch.where(_is_along(rest + bone, direction)[:, None], bone, found)


def _is_along(vector: Tensor, direction: Tensor) -> Tensor:
    """Whether vectors (T, 3) point along unit directions (T, 3) already, as far as single precision tells."""
    return (normalize(vector, dim=-1) * direction).sum(dim=-1) > 1 - 1e-6
