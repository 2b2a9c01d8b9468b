"""NVIDIA's SOMA skeletons of 77 and 30 joints, whose files (kimodo's .npz) hold no names: names and parents in order.

Source: https://github.com/nv-tlabs/kimodo, kimodo/skeleton/definitions.py.
"""

from __future__ import annotations

from collections.abc import Iterator

_TRUNK = (("Hips", None), ("Spine1", "Hips"), ("Spine2", "Spine1"), ("Chest", "Spine2"), ("Neck1", "Chest"))
_HEAD = (("Neck2", "Neck1"), ("Head", "Neck2"))
_FACE = (("Jaw", "Head"), ("LeftEye", "Head"), ("RightEye", "Head"))
_FINGERS = {"Thumb": 3, "Index": 4, "Middle": 4, "Ring": 4, "Pinky": 4}

Tree = tuple[tuple[str, str | None], ...]


def _chain(side: str, start: str, *names: str) -> Iterator[tuple[str, str]]:
    before = start
    for name in names:
        yield side + name, before
        before = side + name


def _arm(side: str) -> Tree:
    return tuple(_chain(side, "Chest", "Shoulder", "Arm", "ForeArm", "Hand"))


def _fingers(side: str) -> Tree:
    return tuple(
        joint
        for finger, count in _FINGERS.items()
        for joint in _chain(
            side, f"{side}Hand", *(f"Hand{finger}{number}" for number in range(1, count + 1)), f"Hand{finger}End"
        )
    )


def _finger_tips(side: str) -> Tree:
    return tuple((f"{side}Hand{finger}End", f"{side}Hand") for finger in ("Thumb", "Middle"))


def _leg(side: str, *more: str) -> Tree:
    return tuple(_chain(side, "Hips", "Leg", "Shin", "Foot", "ToeBase", *more))


#: By number of joints: (name, name of the parent) of each.
SOMA: dict[int, Tree] = {
    77: (
        *(*_TRUNK, *_HEAD, ("HeadEnd", "Head"), *_FACE),
        *(*_arm("Left"), *_fingers("Left"), *_arm("Right"), *_fingers("Right")),
        *(*_leg("Left", "ToeEnd"), *_leg("Right", "ToeEnd")),
    ),
    30: (
        *(*_TRUNK, *_HEAD, *_FACE),
        *(*_arm("Left"), *_finger_tips("Left"), *_arm("Right"), *_finger_tips("Right")),
        *(*_leg("Left"), *_leg("Right")),
    ),
}
