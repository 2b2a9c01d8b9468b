"""VRM animations (.vrma): a skeleton without a skin and one animation, for any VRM character.

glTF 2.0 in a GLB container, with the extension VRMC_vrm_animation, which says which node is which bone of a humanoid:
https://github.com/vrm-c/vrm-specification, VRMC_vrm_animation-1.0. The rest pose is a T-pose that stands on the floor
and faces +Z, whose hip height players compare with that of their character.
"""

from __future__ import annotations

from pathlib import Path

from motionclip.formats.gltf import Glb, animate, joint_nodes
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.retarget import on_canonical
from motionclip.motion.skeleton import ANKLE_HEIGHT

EXTENSION = "VRMC_vrm_animation"
_TRUNK = {
    "pelvis": "hips",
    "spine1": "spine",
    "spine2": "chest",
    "spine3": "upperChest",
    "neck": "neck",
    "head": "head",
}
_LIMBS = {
    "hip": "UpperLeg",
    "knee": "LowerLeg",
    "ankle": "Foot",
    "foot": "Toes",
    "collar": "Shoulder",
    "shoulder": "UpperArm",
    "elbow": "LowerArm",
    "wrist": "Hand",
}
#: Canonical joint to bone of a VRM humanoid.
BONES = _TRUNK | {f"{side}_{joint}": side + bone for side in ("left", "right") for joint, bone in _LIMBS.items()}


def write_vrma(motion: Motion, path: str | Path) -> None:
    """Writes the motion of a skeleton.

    Args:
        motion: on any skeleton that can be retargeted.
        path: the file; it appears whole or not at all.

    Raises:
        SkeletonError: if the skeleton cannot be retargeted.
    """
    motion = on_canonical(motion)
    bones = {bone: {"node": CANONICAL.index(joint)} for joint, bone in BONES.items()}
    nodes = joint_nodes(CANONICAL)
    hips = ANKLE_HEIGHT - float(CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1])
    nodes[0]["translation"] = [0.0, hips, 0.0]
    glb = Glb(
        {
            "asset": {"version": "2.0", "generator": "motionclip"},
            "extensionsUsed": [EXTENSION],
            "extensions": {EXTENSION: {"specVersion": "1.0", "humanoid": {"humanBones": bones}}},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": nodes,
        }
    )
    animate(glb, motion.rotations, motion.root, motion.fps, range(CANONICAL.num_joints))
    glb.write(path)
