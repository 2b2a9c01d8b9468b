"""Retargeting of any human-like skeleton to the canonical one, and back onto any such skeleton."""

from motionclip.motion.retarget.floor import floor_height, put_on_floor, sole_points
from motionclip.motion.retarget.humanoid import Humanoid, find_humanoid
from motionclip.motion.retarget.report import RetargetReport, retarget_report
from motionclip.motion.retarget.rest_pose import rest_pose_is_used, rest_up
from motionclip.motion.retarget.rigs import RIGS, standard_rig
from motionclip.motion.retarget.transfer import check_target, fit_positions, on_canonical, retarget, retarget_onto

__all__ = [
    "RIGS",
    "Humanoid",
    "RetargetReport",
    "check_target",
    "find_humanoid",
    "fit_positions",
    "floor_height",
    "on_canonical",
    "put_on_floor",
    "rest_pose_is_used",
    "rest_up",
    "retarget",
    "retarget_onto",
    "retarget_report",
    "sole_points",
    "standard_rig",
]
