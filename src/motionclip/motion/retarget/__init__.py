"""Retargeting of any skeleton of a known family to the canonical one, and back onto any such skeleton."""

from motionclip.motion.retarget.families import FAMILIES, Family, detect_family
from motionclip.motion.retarget.floor import floor_height, put_on_floor, sole_points
from motionclip.motion.retarget.rest_pose import rest_up
from motionclip.motion.retarget.rigs import RIGS, standard_rig
from motionclip.motion.retarget.transfer import (
    RetargetReport,
    check_target,
    on_canonical,
    retarget,
    retarget_onto,
    retarget_report,
)

__all__ = [
    "FAMILIES",
    "RIGS",
    "Family",
    "RetargetReport",
    "check_target",
    "detect_family",
    "floor_height",
    "on_canonical",
    "put_on_floor",
    "rest_up",
    "retarget",
    "retarget_onto",
    "retarget_report",
    "sole_points",
    "standard_rig",
]
