"""The last centimetres: constraints met exactly, by shifting, blending and inverse kinematics, with feet held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from motionclip.applications.direct.constraint import Constraint
from motionclip.applications.direct.ik import Effectors, Pointing, reach
from motionclip.applications.direct.path import RootPath
from motionclip.applications.direct.pin import DIRECTION_ARM, Pin
from motionclip.applications.direct.pose import PoseAt
from motionclip.applications.direct.posed import Posed
from motionclip.applications.direct.spread import smoothed, spread
from motionclip.applications.transitions import smootherstep
from motionclip.model.postprocessing import ankle_corrections
from motionclip.motion import CANONICAL, Motion, heading, horizontal
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES, soft_contacts
from motionclip.motion.kinematics import move_ankles

#: Seconds over which a pose's joints, its place, and a pin's joints fade into the motion around them.
_POSE_FADE, _PLACE_FADE, _PIN_FADE = 0.6, 1.2, 0.6
#: Seconds over which feet that stand elsewhere in a pose come to be held again.
_FOOT_FADE = 0.3
#: Standard deviation, seconds, of what is no longer corrected of the path: the body sways from foot to foot.
_SWAY = 0.15
#: Seconds over which a body turns from where it faces to where a path does that begins on the way.
_TURN = 0.6
#: How often pins are met one after the other: what one moves, the others make up for.
_ROUNDS = 3
#: Weight of feet that stay where they are, beside a pin out of reach.
_FEET_FIRST = 30.0
_ANKLES = CANONICAL.indices(["left_ankle", "right_ankle"])


def correct(motion: Motion, constraints: Sequence[Constraint]) -> Motion:
    """Returns a motion on the canonical skeleton that is nearly right, made right."""
    contacts = soft_contacts(motion.positions, motion.fps)
    poses = sorted((each for each in constraints if isinstance(each, PoseAt)), key=lambda pose: pose.seconds)
    pins = [each for each in constraints if isinstance(each, Pin)]
    corrected = motion
    paths = sorted((each for each in constraints if isinstance(each, RootPath)), key=lambda path: path.span(0.0))
    for number, path in enumerate(paths):
        corrected = _on_path(corrected, path, goes_on=number > 0)
    if poses:
        corrected = _through_poses(corrected, poses)
    if corrected is not motion:
        corrected = _hold_feet(corrected, contacts, [Posed.of(motion).frame(pose.seconds) for pose in poses])
    for _ in range(_ROUNDS if len(pins) > 1 else 1):
        for pin in pins:
            corrected = _pinned(corrected, pin, pins)
    return corrected


def _on_path(motion: Motion, path: RootPath, *, goes_on: bool) -> Motion:
    """Returns the motion shifted onto a path, and turned along it, but for its sway.

    As in Gleicher, "Motion path editing", I3D 2001. What is before the path is shifted to where it begins, but fades
    away where it ``goes_on`` from another path; what is after it is turned about its end, too.
    """
    posed = Posed.of(motion)
    span = path.frames(posed)
    places, yaws = path.targets(posed)
    shift = smoothed(places - posed.ground[span], _SWAY * motion.fps)
    away = torch.zeros(len(places)).to(motion.root)
    if yaws is not None:
        away = yaws - heading(motion)[span]
        away = torch.from_numpy(np.unwrap(torch.atan2(away.sin(), away.cos()).numpy()))  # the short way round
        away = smoothed(away[:, None], 2 * _SWAY * motion.fps)[:, 0]
    before, after = torch.arange(-span.start, 0), torch.arange(motion.num_frames - span.stop)
    if len(before):  # where it begins, it faces as it does
        away = away * smootherstep((torch.arange(len(away)) / (_TURN * motion.fps)).clamp(max=1))
    reach = _PLACE_FADE * motion.fps if goes_on else math.inf
    coming = smootherstep((1 + before / reach).clamp(min=0))
    shift = torch.cat([coming[:, None] * shift[:1], shift, shift[-1:].expand(len(after), 2)])
    turned = rot.about_y(torch.cat([torch.zeros(len(before)), away, away[-1:].expand(len(after))]))
    around = torch.cat([motion.root[: span.stop], motion.root[span.stop - 1 :][:1].expand(len(after), 3)])
    root = around + (turned @ (motion.root - around)[..., None])[..., 0]
    root[:, [0, 2]] += shift
    rotations = motion.rotations.clone()
    rotations[:, 0] = turned @ rotations[:, 0]
    return replace(motion, rotations=rotations, root=root)


def _through_poses(motion: Motion, poses: Sequence[PoseAt]) -> Motion:
    """Returns the motion with joints turned, and the body placed, so that it goes through poses in order of time."""
    body = Posed.of(motion)
    frames = [body.frame(pose.seconds) for pose in poses]
    turns, shifts = [], []
    for pose, frame in zip(poses, frames, strict=True):
        wanted, root = pose.body.rotations[0].to(motion.root).clone(), pose.body.root[0].to(motion.root)
        if not pose.placed:
            wanted[0] = rot.about_y(rot.yaw_of_left(body.left[frame])) @ wanted[0]
            root = root + horizontal(motion.root[frame])
        turns.append(rot.matrix_to_rotvec(motion.rotations[frame].mT @ wanted))
        shifts.append(root - motion.root[frame])
    counts = motion.num_frames, motion.fps
    turned = spread(torch.stack(turns), frames, counts[0], round(_POSE_FADE * counts[1]))
    shifted = spread(torch.stack(shifts), frames, counts[0], round(_PLACE_FADE * counts[1]))
    rotations = motion.rotations @ rot.rotvec_to_matrix(turned)
    return replace(motion, rotations=rotations, root=motion.root + shifted)


def _hold_feet(motion: Motion, contacts: Tensor, exact: Sequence[int]) -> Motion:
    """Returns the motion with feet held where contacts (T, 4) say that they stand; in exact frames as they are."""
    world, positions = motion.world
    shift = ankle_corrections(positions[None, :, CONTACT_INDICES], contacts[None])[0]
    if exact:
        shift = shift - spread(shift[list(exact)], exact, motion.num_frames, round(_FOOT_FADE * motion.fps))
    return replace(motion, rotations=move_ankles(motion.rotations, world, positions, shift))


def _pinned(motion: Motion, pin: Pin, pins: Sequence[Pin]) -> Motion:
    """Returns the motion with a joint at its place, the other pins of that time kept, and feet where they are."""
    body = Posed.of(motion)
    span = pin.frames(body)
    frames = list(range(span.start, span.stop))
    joints = list(dict.fromkeys([each.index for each in pins] + _ANKLES))
    places, weights = body.positions[span][:, joints].clone(), torch.zeros(len(frames), len(joints)).to(motion.root)
    pointing = []
    for each in pins:
        column, own = joints.index(each.index), each.frames(body)
        first, last = max(own.start, span.start), min(own.stop, span.stop)
        if first < last:
            rows = slice(first - span.start, last - span.start)
            if each.has_place:
                places[rows, column] = each.targets(body)[first - own.start : last - own.start]
                weights[rows, column] = 1.0
            if each.pointing is not None:
                held = torch.zeros(len(frames)).to(motion.root)
                held[rows] = DIRECTION_ARM
                pointing.append(Pointing(*each.pointing, held))
    for ankle in _ANKLES:  # feet stay where they are, unless a pin moves the leg
        side = CANONICAL.names[ankle].partition("_")[0]
        if not any(each.joint.startswith(side) and each.index in (ankle, _foot_of(ankle)) for each in pins):
            weights[:, joints.index(ankle)] = _FEET_FIRST
    wanted = Effectors(joints, places, weights, tuple(pointing))
    rotations, root = reach(motion.rotations[span], motion.root[span], wanted)
    turns = rot.matrix_to_rotvec(motion.rotations[span].mT @ rotations)
    fade = round(_PIN_FADE * motion.fps)
    turned = spread(turns, frames, motion.num_frames, fade)
    shifted = spread(root - motion.root[span], frames, motion.num_frames, fade)
    moved = replace(motion, rotations=motion.rotations @ rot.rotvec_to_matrix(turned), root=motion.root + shifted)
    return moved if pin.index in (*_ANKLES, *map(_foot_of, _ANKLES)) else _feet_as(motion, moved)


def _foot_of(ankle: int) -> int:
    return CANONICAL.children[ankle][0]


def _feet_as(before: Motion, after: Motion) -> Motion:
    """Returns ``after`` with the ankles where they are in ``before``, as far as the legs reach."""
    shift = (before.positions - after.positions)[:, _ANKLES]
    return replace(after, rotations=move_ankles(after.rotations, *after.world, shift))
