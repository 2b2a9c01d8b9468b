"""Body parts by the shape of a body in its poses, for files whose names say nothing and whose rest pose is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from motionclip.motion.motion import Motion
from motionclip.motion.retarget.humanoid import Humanoid, body_of, find_humanoid
from motionclip.motion.retarget.rest_pose import stands_at_rest

#: Poses of a motion that are looked at, and the share of parts by name from which on names are believed.
_POSES, _SURE = 9, 0.5


def find_in_poses(motion: Motion, humanoid: Humanoid) -> Humanoid:
    """The body parts of a motion's skeleton, by most of its poses if neither names nor the rest pose tell them.

    Left and right of a body that is known by its shape are those of the pose that is looked at, and a rest pose that
    does not stand may have legs crossed, or toes behind. A pose of the motion does not.

    Args:
        motion: in any axes and unit.
        humanoid: what is found in its skeleton.

    Returns:
        A body whose skeleton names its parts as its roles, or the one that is passed.
    """
    skeleton = motion.skeleton
    if skeleton.roles or humanoid.confidence >= _SURE or stands_at_rest(humanoid):
        return humanoid
    votes: Counter[tuple[tuple[str, str], ...]] = Counter()
    above = [max(parent, 0) for parent in skeleton.parents]
    for pose in motion.positions[:: -(-motion.num_frames // _POSES)].float():
        if found := body_of(replace(skeleton, offsets=pose - pose[above], end_sites=())):
            votes[tuple(sorted(found.names.items()))] += 1
    if not votes:
        return humanoid
    return find_humanoid(replace(skeleton, roles=dict(votes.most_common(1)[0][0])))
