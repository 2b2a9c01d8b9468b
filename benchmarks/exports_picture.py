"""One motion in five files, opened and rendered by Blender: docs/pictures/exports.png.

    python benchmarks/exports_picture.py --blender-python ~/bpy/bin/python --motion kick.npz --frame 45

Needs `bpy` as check_blender.py does; without it, it says so and ends with success.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from check_blender import MAKE_RIGS, in_blender, sample
from motionclip.formats import load_rig
from motionclip.io import read_motion, write_motion
from motionclip.motion import Motion
from motionclip.motion.retarget import retarget

_SIZE = (1300, 480)
_APART = 1.5  # metres between the bodies

# Runs inside Blender: opens the files side by side and renders one frame. Bones of a file without skin become sticks.
_RENDER = """
import json, sys
import bpy
from mathutils import Vector

files, target, frame, apart, size, centre = json.load(open(sys.argv[1]))
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = 30

def paint(thing, colour):
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*colour, 1)
    surface.inputs["Roughness"].default_value = 0.7
    thing.data.materials.clear()
    thing.data.materials.append(material)

def stick(start, end, colour):
    away = end - start
    bpy.ops.mesh.primitive_cone_add(radius1=0.035, radius2=0.012, depth=away.length, location=(start + end) / 2)
    made = bpy.context.object
    made.rotation_mode = "QUATERNION"
    made.rotation_quaternion = away.to_track_quat("Z", "Y")
    paint(made, colour)

for place, (source, colour) in enumerate(files):
    before = set(scene.objects)
    if source.endswith(".bvh"):
        bpy.ops.import_anim.bvh(filepath=source, frame_start=0, use_fps_scale=False, global_scale=0.01)
    elif source.endswith(".glb"):
        bpy.ops.import_scene.gltf(filepath=source)
    else:
        bpy.ops.wm.usd_import(filepath=source)
    new = [thing for thing in scene.objects if thing not in before]
    rig = next(thing for thing in new if thing.type == "ARMATURE")
    scene.frame_set(round(rig.animation_data.action.frame_range[0]) + frame)
    shift = Vector(((place - (len(files) - 1) / 2) * apart - centre[0], -centre[1], 0))
    for thing in new:
        if thing.parent is None:
            thing.location += shift
    bpy.context.view_layer.update()
    skins = [thing for thing in new if thing.type == "MESH" and thing.vertex_groups]
    for skin in skins:
        paint(skin, colour)
        still = bpy.data.meshes.new_from_object(skin.evaluated_get(bpy.context.evaluated_depsgraph_get()))
        held = bpy.data.objects.new("still", still)
        held.matrix_world = skin.matrix_world.copy()
        scene.collection.objects.link(held)
        skin.hide_render = True
    if not skins:
        for bone in rig.pose.bones:
            if (bone.tail - bone.head).length > 1e-3:
                stick(rig.matrix_world @ bone.head, rig.matrix_world @ bone.tail, colour)
    for thing in new:
        if thing.type == "MESH":
            thing.hide_render = True

bpy.ops.mesh.primitive_plane_add(size=60)
paint(bpy.context.object, (0.5, 0.51, 0.53))
bpy.ops.object.light_add(type="SUN", rotation=(0.7, 0.2, 0.5))
bpy.context.object.data.energy, bpy.context.object.data.angle = 2.2, 0.2
scene.world = bpy.data.worlds.new("world")
scene.world.use_nodes = True
scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.9, 0.93, 1.0, 1)
scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.7
bpy.ops.object.camera_add(location=(0, -40, 3.6), rotation=(1.503, 0, 0))
scene.camera = bpy.context.object
scene.camera.data.lens = 176
scene.render.engine = "CYCLES"
scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 16, True
scene.view_settings.view_transform = "Standard"
scene.render.resolution_x, scene.render.resolution_y = size
scene.render.filepath = target
bpy.ops.render.render(write_still=True)
"""

#: What is shown: a line of words, the suffix, the rig (a file of `MAKE_RIGS` where it has a suffix), the colour.
_SHOWN = (
    ("GLB", ".glb", None, (0.16, 0.36, 0.62)),
    ("USD, Mixamo's names", ".usdc", "mixamo", (0.20, 0.50, 0.36)),
    ("BVH, Unreal's names", ".bvh", "unreal", (0.62, 0.30, 0.14)),
    ("onto the user's GLB", ".glb", "rigify.glb", (0.55, 0.40, 0.10)),
    ("onto the user's BVH", ".bvh", "centimetres.bvh", (0.42, 0.24, 0.52)),
)


def render(python: Path, motion: Motion, frame: int, picture: Path) -> None:
    """Writes the picture with its labels."""
    with tempfile.TemporaryDirectory() as folder:
        in_blender(python, MAKE_RIGS, folder)
        files = []
        for number, (_, suffix, rig, colour) in enumerate(_SHOWN):
            path = Path(folder) / f"motion_{number}{suffix}"
            own = None if rig is None else load_rig(Path(folder) / rig if "." in rig else rig)
            write_motion(motion, path, own)
            files.append((str(path), colour))
        x, _, z = motion.root[frame].tolist()
        jobs, drawn = Path(folder) / "jobs.json", Path(folder) / "drawn.png"
        jobs.write_text(json.dumps([files, str(drawn), frame, _APART, _SIZE, (x, -z)]))
        in_blender(python, _RENDER, jobs)
        image = Image.open(drawn).convert("RGB")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(20)
    for number, (words, *_) in enumerate(_SHOWN):
        pen.text((_SIZE[0] * (0.115 + 0.1925 * number), _SIZE[1] - 34), words, (40, 40, 40), font, anchor="mm")
    image.save(picture, optimize=True)


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender-python", type=Path, default=Path(sys.executable), help="a Python that has bpy")
    parser.add_argument("--motion", type=Path, help="a motion file, retargeted first; else random turns")
    parser.add_argument("--frame", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("out/exports.png"))
    arguments = parser.parse_args()
    if subprocess.run([str(arguments.blender_python), "-c", "import bpy"], capture_output=True).returncode:
        print(f"skipped: {arguments.blender_python} has no bpy")
        return
    motion = sample() if arguments.motion is None else retarget(read_motion(arguments.motion))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    render(arguments.blender_python, motion, arguments.frame, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
