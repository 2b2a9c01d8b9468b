"""Retargeting of any skeleton of a known family to the canonical one, and back onto any such skeleton."""

from motionclip.motion.retarget.calibration import rest_up
from motionclip.motion.retarget.families import FAMILIES, Family, detect_family
from motionclip.motion.retarget.ground import floor_height, put_on_floor, sole_points
from motionclip.motion.retarget.onto import check_target, retarget_onto
from motionclip.motion.retarget.report import RetargetReport, retarget_report
from motionclip.motion.retarget.rigs import RIGS, standard_rig
from motionclip.motion.retarget.transfer import on_canonical, retarget

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
