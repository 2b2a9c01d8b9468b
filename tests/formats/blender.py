"""Blender as a second opinion: its module `bpy`, in an environment of its own, whose Python is BLENDER_PYTHON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

PYTHON = os.environ.get("BLENDER_PYTHON", "")
needs_blender = pytest.mark.skipif(
    not PYTHON, reason="needs Blender's bpy: BLENDER_PYTHON=PYTHON of an environment with bpy==5.0.1"
)

# Opens a file, writes others, and tells where the heads of all bones are in each frame, Y up.
_SCRIPT = """
import json, sys
import bpy

source, positions, frames, fps, *targets = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = int(fps)
if source.endswith(".bvh"):
    bpy.ops.import_anim.bvh(filepath=source, axis_forward="-Z", axis_up="Y", global_scale=0.01, frame_start=0)
elif source.endswith(".fbx"):
    bpy.ops.import_scene.fbx(filepath=source, anim_offset=0.0)
else:
    bpy.ops.import_scene.gltf(filepath=source)
rig = next(each for each in bpy.data.objects if each.type == "ARMATURE")
start = int(rig.animation_data.action.frame_range[0])
scene.frame_start, scene.frame_end = start, start + int(frames) - 1
found = {}
for frame in range(int(frames)):
    scene.frame_set(start + frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    for bone in posed.pose.bones:
        x, y, z = posed.matrix_world @ bone.head
        found.setdefault(bone.name, []).append([x, z, -y])
json.dump(found, open(positions, "w"))
for target in targets:
    if target.endswith(".fbx"):
        bpy.ops.export_scene.fbx(
            filepath=target, add_leaf_bones=False, bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False,
            bake_anim_simplify_factor=0.0,
        )
    else:
        bpy.ops.export_scene.gltf(filepath=target)
"""


def blender(code: str, *arguments: object) -> None:
    """Runs a script in Blender."""
    done = subprocess.run([PYTHON, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def through_blender(source: Path, frames: int, fps: int, *targets: Path) -> dict[str, np.ndarray]:
    """World positions (T, 3) of each bone of a file that Blender opens, metres, Y up; it also writes other files."""
    positions = source.with_suffix(".positions.json")
    blender(_SCRIPT, source, positions, frames, fps, *targets)
    return {name: np.array(path) for name, path in json.loads(positions.read_text()).items()}
