"""Does Blender see our files as we mean them? Opens BVH, GLB and USD on every rig in it and compares joints and skin.

Needs Blender's Python module `bpy` (GPL, about 1 GB) in an environment of its own, never in ours:

    python3.11 -m venv ~/bpy && ~/bpy/bin/pip install bpy==5.0.1
    python benchmarks/check_blender.py --blender-python ~/bpy/bin/python
    python benchmarks/check_blender.py --blender-python ~/bpy/bin/python --motion walk.bvh

The rigs are ours (--rig by name) and one that Blender makes: Rigify's human, an A-pose whose bones have axes of their
own, in metres and in centimetres with other names, exported by Blender as GLB and BVH and then taken as --rig FILE.
Without `bpy` it says so and ends with success; a joint or a vertex more than a millimetre off is a failure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.body import Body, default_body
from motionclip.formats import Rig, load_rig
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import RIGS, retarget

_TOLERANCE_MM = 1.0
_TAKEN = 100  # frames compared at most
_OWN = ("rigify", "centimetres")

# Runs inside Blender: makes the rigs of `_OWN` with a box around each bone, as GLB and as BVH.
MAKE_RIGS = """
import sys
import bpy
import addon_utils
from mathutils import Vector

MIXAMO = {"spine": "Hips", "spine.001": "Spine", "spine.002": "Spine1", "spine.003": "Spine2", "spine.004": "Neck",
          "spine.006": "Head"} | {f"{bone}.{side[0]}": side + name for side in ("Left", "Right") for bone, name in {
          "shoulder": "Shoulder", "upper_arm": "Arm", "forearm": "ForeArm", "hand": "Hand", "thigh": "UpLeg",
          "shin": "Leg", "foot": "Foot", "toe": "ToeBase"}.items()}

def make(target, per_metre, names):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("rigify")
    bpy.ops.object.armature_basic_human_metarig_add()
    rig = bpy.context.object
    rig.scale = (per_metre,) * 3
    bpy.ops.object.transform_apply(scale=True)
    for bone in rig.data.bones:
        bone.name = names.get(bone.name, bone.name)
    corners, faces, owners = [], [], []
    for bone in rig.data.bones:
        for turn in range(8):
            at = Vector((((turn & 1) - 0.5) * 0.3, turn >> 2, ((turn >> 1 & 1) - 0.5) * 0.3)) * 0.95
            corners.append(bone.matrix_local @ (at * bone.length))
            owners.append(bone.name)
        first = len(corners) - 8
        sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
        faces += [[first + corner for corner in side] for side in sides]
    mesh = bpy.data.meshes.new("boxes")
    mesh.from_pydata(corners, [], faces)
    boxes = bpy.data.objects.new("boxes", mesh)
    bpy.context.collection.objects.link(boxes)
    for corner, owner in enumerate(owners):
        (boxes.vertex_groups.get(owner) or boxes.vertex_groups.new(name=owner)).add([corner], 1.0, "REPLACE")
    boxes.parent = rig
    boxes.modifiers.new("armature", "ARMATURE").object = rig
    rig.scale = (1 / per_metre,) * 3
    bpy.ops.export_scene.gltf(filepath=target + ".glb", export_animations=False)
    bpy.context.scene.frame_end = 2
    rig.scale = (100 / per_metre,) * 3
    bpy.ops.object.transform_apply(scale=True)
    bpy.ops.export_anim.bvh(filepath=target + ".bvh", frame_start=1, frame_end=2)

make(sys.argv[1] + "/rigify", 1.0, {})
make(sys.argv[1] + "/centimetres", 100.0, MIXAMO)
"""

# Runs inside Blender: opens files, writes joint heads (T, J, 3), skin (T, V, 3), both at rest, and the first bone of
# each vertex; all in Blender's world (Z up).
_READ = """
import json, sys
import bpy
import numpy as np

def points(thing, scene):
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    found = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", found)
    turn = np.array(thing.matrix_world)
    return found.reshape(-1, 3) @ turn[:3, :3].T + turn[:3, 3]

for source, target, count, fps in json.load(open(sys.argv[1])):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
    if source.endswith(".bvh"):
        bpy.ops.import_anim.bvh(filepath=source, frame_start=0, use_fps_scale=False, update_scene_fps=False)
    elif source.endswith(".glb"):
        bpy.ops.import_scene.gltf(filepath=source)
    else:
        bpy.ops.wm.usd_import(filepath=source)
    rig = next(thing for thing in scene.objects if thing.type == "ARMATURE")
    skins = [thing for thing in scene.objects if thing.type == "MESH" and thing.vertex_groups]
    start = round(rig.animation_data.action.frame_range[0])
    heads, skin = [], []
    for frame in range(count):
        scene.frame_set(start + frame)
        heads.append([rig.matrix_world @ bone.head for bone in rig.pose.bones])
        skin.append(points(skins[0], scene) if skins else np.empty((0, 3)))
    rig.data.pose_position = "REST"
    bpy.context.view_layer.update()
    groups = [group.name for group in skins[0].vertex_groups] if skins else []
    np.savez(
        target,
        names=np.array([bone.name for bone in rig.pose.bones]),
        heads=np.array(heads),
        rest_heads=np.array([rig.matrix_world @ bone.head_local for bone in rig.data.bones]),
        skin=np.array(skin),
        rest=points(skins[0], scene) if skins else np.empty((0, 3)),
        owners=np.array([groups[v.groups[0].group] for v in skins[0].data.vertices] if skins else []),
    )
"""


@dataclass(frozen=True)
class Found:
    """What Blender sees in a file: metres, Y up. Arrays as in `_READ`; skins have no vertices where there is none."""

    names: list[str]
    owners: list[str]
    heads: NDArray[np.float64]
    rest_heads: NDArray[np.float64]
    skin: NDArray[np.float64]
    rest: NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A file to open: ``rig`` None is the canonical skeleton."""

    suffix: str
    rig: Rig | None = None

    @property
    def name(self) -> str:
        return "canonical" if self.rig is None else Path(self.rig.name).name

    def expected(self, motion: Motion) -> Motion:
        return motion if self.rig is None else self.rig.fitted(motion)


def sample() -> Motion:
    """Smooth random turns of every joint, up to about a radian, along a curved path; 30 fps."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(60)[:, None, None] / 60
    phase = torch.rand(1, CANONICAL.num_joints, 3, generator=generator)
    turns = torch.sin(2 * torch.pi * (time + phase)) * torch.rand(1, CANONICAL.num_joints, 3, generator=generator)
    root = torch.cat([time[:, 0] * 2, 0.9 + 0.1 * torch.sin(9 * time[:, 0]), time[:, 0] ** 2], dim=1)
    return Motion(rot.rotvec_to_matrix(turns), root, 30.0, CANONICAL)


def in_blender(python: Path, script: str, *arguments: str | Path) -> None:
    """Runs a script with Blender's Python; ends the program if it fails."""
    done = subprocess.run([str(part) for part in (python, "-c", script, *arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Blender failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def opened(python: Path, files: list[Path], listed: list[Case], motion: Motion) -> Iterator[Found]:
    """What Blender sees in each file."""
    with tempfile.TemporaryDirectory() as folder:
        targets = [Path(folder) / f"{number}.npz" for number in range(len(files))]
        jobs = [[str(f), str(t), motion.num_frames, motion.fps] for f, t in zip(files, targets, strict=True)]
        (Path(folder) / "jobs.json").write_text(json.dumps(jobs))
        in_blender(python, _READ, Path(folder) / "jobs.json")
        for case, target in zip(listed, targets, strict=True):
            unit = 1.0 if case.suffix != ".bvh" else 0.01 if case.rig is None else case.rig.unit
            with np.load(target) as stored:
                points = [_y_up(stored[name]) * unit for name in ("heads", "rest_heads", "skin", "rest")]
                yield Found(stored["names"].tolist(), stored["owners"].tolist(), *points)


def _y_up(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def joint_error_mm(found: Found, expected: Motion) -> float:
    """The largest distance between Blender's joints and ours."""
    names = [_in_usd(name) if name not in found.names else name for name in expected.skeleton.names]
    heads = found.heads[:, [found.names.index(name) for name in names]]
    return float(np.linalg.norm(heads - expected.positions.double().numpy(), axis=-1).max() * 1000)


def _in_usd(name: str) -> str:
    """A joint's name as a USD identifier."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def skin_error_mm(found: Found, case: Case, expected: Motion) -> float | None:
    """The largest distance between Blender's vertices and ours; None without a skin."""
    if not found.owners:
        return None
    body = default_body() if case.rig is None else case.rig.skin
    ours = body.pose(expected) if isinstance(body, Body) else _boxes(found, expected)
    return float(np.linalg.norm(found.skin - ours.numpy(), axis=-1).max() * 1000)


def _boxes(found: Found, expected: Motion) -> Tensor:
    """Vertices (T, V, 3) that each follow one bone."""
    owners = expected.skeleton.indices(found.owners)
    world, positions = expected.world
    away = torch.from_numpy(found.rest - found.rest_heads[[found.names.index(name) for name in found.owners]]).float()
    return (world[:, owners] @ away[..., None])[..., 0] + positions[:, owners]


def cases(python: Path, folder: Path) -> list[Case]:
    """Every rig with every format that can hold it."""
    in_blender(python, MAKE_RIGS, folder)
    own = [load_rig(folder / f"{name}{suffix}") for name in _OWN for suffix in (".glb", ".bvh")]
    suffixes = (".bvh", ".glb", ".usdc")
    rigs = [*(load_rig(name) for name in RIGS), *own]
    listed = [Case(suffix) for suffix in suffixes]
    return listed + [Case(suffix, rig) for rig in rigs for suffix in suffixes if suffix in rig.suffixes]


def check(python: Path, motion: Motion) -> float:
    """Prints the largest errors of each file; returns the largest of all, millimetres."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        listed = cases(python, Path(folder))
        files = [Path(folder) / f"{number}{case.suffix}" for number, case in enumerate(listed)]
        for case, file in zip(listed, files, strict=True):
            write_motion(motion, file, case.rig)
        for case, found in zip(listed, opened(python, files, listed, motion), strict=True):
            expected = case.expected(motion)
            errors = joint_error_mm(found, expected), skin_error_mm(found, case, expected)
            skin = "" if errors[1] is None else f", skin {errors[1]:.4f} mm"
            print(f"{case.name:16} {case.suffix:6} joints {errors[0]:.4f} mm{skin}", flush=True)
            worst = max(worst, *(error for error in errors if error is not None))
    return worst


def main() -> None:
    """Prints the largest errors for each rig and format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender-python", type=Path, default=Path(sys.executable), help="a Python that has bpy")
    parser.add_argument("--motion", type=Path, help="a motion file, retargeted first; else random turns")
    arguments = parser.parse_args()
    if subprocess.run([str(arguments.blender_python), "-c", "import bpy"], capture_output=True).returncode:
        print(f"skipped: {arguments.blender_python} has no bpy")
        return
    motion = sample() if arguments.motion is None else retarget(read_motion(arguments.motion))
    if check(arguments.blender_python, motion.frames(0, min(motion.num_frames, _TAKEN))) > _TOLERANCE_MM:
        sys.exit(f"more than {_TOLERANCE_MM} mm off")


if __name__ == "__main__":
    main()
