"""Motions: skeleton, `Motion`, rotations, kinematics, contacts, retargeting."""

from motionclip.motion.kinematics import forward_kinematics, local_rotations
from motionclip.motion.motion import (
    Motion,
    canonicalize_heading,
    crop,
    heading,
    horizontal,
    in_place,
    mirror,
    resample,
    seen_from_body,
    turn,
)
from motionclip.motion.skeleton import CANONICAL, Skeleton

__all__ = [
    "CANONICAL",
    "Motion",
    "Skeleton",
    "canonicalize_heading",
    "crop",
    "forward_kinematics",
    "heading",
    "horizontal",
    "in_place",
    "local_rotations",
    "mirror",
    "resample",
    "seen_from_body",
    "turn",
]
