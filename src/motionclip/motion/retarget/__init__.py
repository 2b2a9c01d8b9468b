"""Retargeting of any skeleton of a known family to the canonical one."""

from motionclip.motion.retarget.families import FAMILIES, Family, detect_family
from motionclip.motion.retarget.ground import floor_height, put_on_floor, sole_points
from motionclip.motion.retarget.report import RetargetReport, retarget_report
from motionclip.motion.retarget.transfer import retarget

__all__ = [
    "FAMILIES",
    "Family",
    "RetargetReport",
    "detect_family",
    "floor_height",
    "put_on_floor",
    "retarget",
    "retarget_report",
    "sole_points",
]
