"""Skeletons of a rig family: its joint names and hierarchy, in the proportions of the canonical body."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from motionclip.motion import CANONICAL, Skeleton

# Canonical joints of a limb, in order; names of other joints in a family's list lie halfway to the next of them.
LEG = ("hip", "knee", "ankle", "foot")
ARM = ("collar", "shoulder", "elbow", "wrist", "hand")


@dataclass(frozen=True)
class Rig:
    """A rig family.

    Attributes:
        legs: names of a leg's joints, ``{}`` for the side, with the canonical joint that each is, or "" for none.
        arms: the same for an arm.
        spine: names from the first above the pelvis to the chest.
        neck: names above the chest, the last is the head.
        pelvis: names from the root to the joint that carries the legs; the spine hangs on the first of them.
        sides: the words for left and right.
        arms_on: the name of the joint that the arms hang on, if it is not the chest.
        extra: more joints as (name, parent's name).
    """

    legs: tuple[tuple[str, str], ...]
    arms: tuple[tuple[str, str], ...]
    spine: tuple[str, ...]
    neck: tuple[str, ...]
    pelvis: tuple[str, ...] = ("Hips",)
    sides: tuple[str, str] = ("Left", "Right")
    arms_on: str | None = None
    extra: tuple[tuple[str, str], ...] = field(default=())


def _limb(parts: tuple[str, ...], *names: str) -> tuple[tuple[str, str], ...]:
    """Names paired with canonical joints; a name that begins with "~" is none of them."""
    rest = iter(parts)
    return tuple((name.removeprefix("~"), "" if name.startswith("~") else next(rest)) for name in names)


def leg(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(LEG, *names)


def arm(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(ARM, *names)


def bare_arm(*names: str) -> tuple[tuple[str, str], ...]:
    return _limb(ARM[1:], *names)


_HEADS = ("head", "頭", "头部", "머리", "голова", "cabeça", "def-spine.006", "cabeza", "kopf", "tete", "tête")


def build(rig: Rig, prefix: str = "", suffix: str = "") -> Skeleton:
    """The skeleton of a rig family, in the canonical T-pose and proportions."""
    rest = CANONICAL.rest_positions
    at = {name: rest[joint] for joint, name in enumerate(CANONICAL.names)}
    places: dict[str, torch.Tensor] = {}
    parents: dict[str, str | None] = {}

    def add(name: str, place: torch.Tensor, parent: str | None) -> str:
        places[name], parents[name] = place, parent
        return name

    for number, name in enumerate(rig.pelvis):
        add(name, at["pelvis"], rig.pelvis[number - 1] if number else None)
    legs_on, spine_on = rig.pelvis[-1], rig.pelvis[0] if rig.pelvis[0] not in ("root", "Root") else rig.pelvis[-1]
    parent = spine_on
    for number, name in enumerate(rig.spine):
        low = 0.3  # the first joint of a spine lies at the loins
        share = low + (1 - low) * number / max(len(rig.spine) - 1, 1)
        knots = torch.stack([at["pelvis"], at["spine1"], at["spine2"], at["spine3"]])
        parent = add(name, _along(knots, share), parent)
    chest = parent
    for number, name in enumerate(rig.neck):
        ends = torch.stack([at["neck"], at["head"]])
        heads = [n for n, each in enumerate(rig.neck) if any(word in each.lower() for word in _HEADS)]
        share = min(number / max(heads[0], 1), 1.0) if number <= heads[0] else 1.0
        tip = torch.tensor([0.0, 0.19, 0.0]) if number > heads[0] else torch.zeros(3)
        parent = add(name, _along(ends, share) + tip, parent)
    for side, word in zip(("left", "right"), rig.sides, strict=True):
        for parts, start in ((rig.legs, legs_on), (rig.arms, rig.arms_on or chest)):
            _add_limb(parts, start, side, word, at, places, add)
    for name, parent in rig.extra:
        add(name, places[parent] + torch.tensor([0.02, 0.02, 0.05]), parent)
    names = list(places)
    offsets = [places[name] - (places[parents[name]] if parents[name] else places[name]) for name in names]
    return Skeleton(
        tuple(prefix + name + suffix for name in names),
        tuple(-1 if parents[name] is None else names.index(str(parents[name])) for name in names),
        torch.stack(offsets),
    )


def _along(knots: torch.Tensor, share: float) -> torch.Tensor:
    """The point at a share of the way along a line of knots (N, 3)."""
    lengths = knots.diff(dim=0).norm(dim=-1)
    way = share * float(lengths.sum())
    for start, end, length in zip(knots[:-1], knots[1:], lengths.tolist(), strict=True):
        if way <= length + 1e-6:
            return start + (end - start) * (way / length if length else 0.0)
        way -= length
    return knots[-1]


def _add_limb(parts, start, side, word, at, places, add) -> None:  # type: ignore[no-untyped-def]
    parent = start
    for number, (name, joint) in enumerate(parts):
        following = next((other for _, other in parts[number + 1 :] if other), "")
        if joint:
            place = at[f"{side}_{joint}"]
        elif following:
            place = (places[parent] + at[f"{side}_{following}"]) / 2
        else:
            place = places[parent] + torch.tensor([0.0, 0.0, 0.05])
        parent = add(name.format(word), place, parent)
