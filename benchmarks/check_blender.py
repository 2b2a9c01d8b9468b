"""Does Blender see the joints where we see them? Opens our BVH and GLB in it and compares, frame by frame.

Needs Blender's Python module `bpy` (GPL, about 1 GB) in an environment of its own, never in ours:

    python3.11 -m venv /tmp/bpy && /tmp/bpy/bin/pip install bpy==5.0.1
    python benchmarks/check_blender.py --blender-python /tmp/bpy/bin/python
    python benchmarks/check_blender.py --blender-python /tmp/bpy/bin/python --motion walk.bvh

Without `bpy` it says so and ends with success; a joint more than a millimetre off is a failure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.formats import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import retarget

_TOLERANCE_MM = 1.0
_TAKEN = 100  # frames compared at most

# Runs inside Blender: imports one file, writes (T, J, 3) head positions in Blender's world (Z up) and the joint names.
_IN_BLENDER = """
import sys
import bpy
import numpy as np

source, target, count, fps = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
if source.endswith(".bvh"):
    bpy.ops.import_anim.bvh(filepath=source, frame_start=0, use_fps_scale=False, update_scene_fps=False)
else:
    bpy.ops.import_scene.gltf(filepath=source)
rig = next(thing for thing in scene.objects if thing.type == "ARMATURE")
start = rig.animation_data.action.frame_range[0]
names = [bone.name for bone in rig.pose.bones]
heads = np.empty((count, len(names), 3))
for frame in range(count):
    scene.frame_set(round(start) + frame)
    for joint, bone in enumerate(rig.pose.bones):
        heads[frame, joint] = rig.matrix_world @ bone.head
np.savez(target, names=np.array(names), heads=heads)
"""


def sample() -> Motion:
    """Smooth random turns of every joint, up to about a radian, along a curved path; 30 fps."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(60)[:, None, None] / 60
    phase = torch.rand(1, CANONICAL.num_joints, 3, generator=generator)
    turns = torch.sin(2 * torch.pi * (time + phase)) * torch.rand(1, CANONICAL.num_joints, 3, generator=generator)
    root = torch.cat([time[:, 0] * 2, 0.9 + 0.1 * torch.sin(9 * time[:, 0]), time[:, 0] ** 2], dim=1)
    return Motion(rot.rotvec_to_matrix(turns), root, 30.0, CANONICAL)


def in_blender(python: Path, file: Path, motion: Motion) -> NDArray[np.float64]:
    """Joint positions (T, J, 3) that Blender finds in a file, metres, Y up, in our order of joints."""
    with tempfile.TemporaryDirectory() as folder:
        script, result = Path(folder) / "read.py", Path(folder) / "heads.npz"
        script.write_text(_IN_BLENDER)
        command = [python, script, file, result, motion.num_frames, motion.fps]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if not result.exists():
            sys.exit(f"Blender failed on {file.name}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        with np.load(result) as stored:
            names, heads = stored["names"].tolist(), stored["heads"]
    ordered: NDArray[np.float64] = heads[:, [names.index(name) for name in motion.skeleton.names]]
    return np.stack([ordered[..., 0], ordered[..., 2], -ordered[..., 1]], axis=-1)


def worst_mm(python: Path, motion: Motion, suffix: str, unit: float) -> float:
    """The largest distance between Blender's joints and ours, in millimetres; ``unit`` is the file's, in metres."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"motion{suffix}"
        write_motion(motion, file)
        found = in_blender(python, file, motion) * unit
    return float(np.linalg.norm(found - motion.positions.double().numpy(), axis=-1).max() * 1000)


def main() -> None:
    """Prints the largest error for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender-python", type=Path, default=Path(sys.executable), help="a Python that has bpy")
    parser.add_argument("--motion", type=Path, help="a motion file, retargeted first; else random turns")
    parser.add_argument("--bvh-unit", type=float, default=0.01, help="metres of one unit in our BVH files")
    arguments = parser.parse_args()
    if subprocess.run([str(arguments.blender_python), "-c", "import bpy"], capture_output=True).returncode:
        print(f"skipped: {arguments.blender_python} has no bpy")
        return
    motion = sample() if arguments.motion is None else retarget(read_motion(arguments.motion))
    motion = motion.frames(0, min(motion.num_frames, _TAKEN))
    errors = {
        suffix: worst_mm(arguments.blender_python, motion, suffix, unit)
        for suffix, unit in ((".glb", 1.0), (".bvh", arguments.bvh_unit))
    }
    for suffix, error in errors.items():
        print(f"{suffix}: {motion.num_frames} frames, largest joint error {error:.4f} mm")
    if max(errors.values()) > _TOLERANCE_MM:
        sys.exit(f"more than {_TOLERANCE_MM} mm off")


if __name__ == "__main__":
    main()
