"""Retargeting the other way: a movement on any skeleton of a known family."""

from __future__ import annotations

import torch
from torch import Tensor

from motionclip.motion.kinematics import forward_kinematics, local_rotations
from motionclip.motion.motion import Motion
from motionclip.motion.retarget.calibration import Calibration, calibrate
from motionclip.motion.retarget.transfer import retarget
from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL, Skeleton

_HIPS = ("left_hip", "right_hip")
_HANDS = ("left_hand", "right_hand")


def retarget_onto(motion: Motion, skeleton: Skeleton, ankle_height: float | None = None) -> Motion:
    """The movement on another skeleton: same directions of limb bones, its proportions, path scaled by leg length.

    The reverse of `retarget`, by the same constant turns: ``retarget`` of the result gives the movement back.

    Args:
        motion: on any skeleton that can be retargeted, metres, Y up.
        skeleton: of a known family of joint names, with a standing rest pose; arms and legs may be spread otherwise
            than in a T-pose, and there may be more joints.
        ankle_height: metres of the ankles over the soles in its rest pose, so that feet that stand do so on it; if
            None, our own in proportion to the legs.

    Returns:
        The same frames at the same rate. Joints without counterpart keep their rest pose, fingers among them. A
        root above the pelvis moves along and does not turn.

    Raises:
        SkeletonError: if no family fits one of the skeletons, naming the joints that were not found, or if a rest
            pose does not stand.
    """
    if motion.skeleton.names != CANONICAL.names:
        motion = retarget(motion)
    calibration = calibrate(skeleton, motion.skeleton)
    rotations = local_rotations(_world_rotations(motion.world[0], calibration, motion.skeleton, skeleton), skeleton)
    hips = motion.positions[:, motion.skeleton.indices(_HIPS)].mean(dim=1) / calibration.scale
    if ankle_height is not None:
        hips = hips + hips.new_tensor([0.0, ankle_height - ANKLE_HEIGHT / calibration.scale, 0.0])
    return Motion(rotations, hips - _hips_from_root(rotations, calibration, skeleton), motion.fps, skeleton)


def check_target(skeleton: Skeleton) -> None:
    """Says early whether `retarget_onto` can use a skeleton.

    Raises:
        SkeletonError: if not, with the joints that were not found, or what is wrong with the rest pose.
    """
    calibrate(skeleton, CANONICAL)


def _world_rotations(world: Tensor, calibration: Calibration, source: Skeleton, skeleton: Skeleton) -> Tensor:
    """World rotations (T, J, 3, 3) of the skeleton's joints from those of canonical joints (T, 24, 3, 3)."""
    drivers = {
        calibration.joints[name]: name for name in calibration.joints if not _is_finger(name, calibration, skeleton)
    }
    turned: list[Tensor] = []
    for joint, parent in enumerate(skeleton.parents):
        if joint in drivers:
            name = drivers[joint]
            turned.append(world[:, source.index(name)] @ calibration.corrections[name].to(world).transpose(-1, -2))
        else:
            turned.append(turned[parent] if parent >= 0 else torch.eye(3).to(world).expand(len(world), 3, 3))
    return torch.stack(turned, dim=1)


def _is_finger(name: str, calibration: Calibration, skeleton: Skeleton) -> bool:
    """Whether this counterpart of the palm is one finger of several: alone it must not bend."""
    return name in _HANDS and len(skeleton.children[skeleton.parents[calibration.joints[name]]]) > 1


def _hips_from_root(rotations: Tensor, calibration: Calibration, skeleton: Skeleton) -> Tensor:
    """The middle of the hips relative to the root joint (T, 3), metres."""
    positions = forward_kinematics(rotations, rotations.new_zeros(len(rotations), 3), skeleton)[1]
    return positions[:, [calibration.joints[hip] for hip in _HIPS]].mean(dim=1)
