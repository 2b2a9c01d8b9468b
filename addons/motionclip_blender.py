"""Blender add-on: a sentence becomes motion on the armature that is selected, or on a new body where none is.

One file, to be installed from Preferences > Add-ons > Install from Disk. It runs the command `motionclip`, which is
installed apart: its Python and Blender's have nothing to do with each other.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import FloatProperty, IntProperty, PointerProperty, StringProperty
from mathutils import Matrix, Quaternion, Vector

bl_info = {
    "name": "motionclip",
    "description": "A sentence becomes motion on the selected armature",
    "version": (0, 1, 0),
    "blender": (4, 2, 0),
    "location": "3D View > Sidebar > motionclip",
    "category": "Animation",
}
#: Frames per second of what the command makes.
RATE = 30.0


class Preferences(bpy.types.AddonPreferences):
    """Where the command is, and which model it takes."""

    bl_idname = __name__

    command: StringProperty(name="Command", default="motionclip", subtype="FILE_PATH")  # type: ignore[valid-type]
    model: StringProperty(name="Model", default="base")  # type: ignore[valid-type]

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.prop(self, "command")
        self.layout.prop(self, "model")


class Settings(bpy.types.PropertyGroup):
    """What is to be made."""

    text: StringProperty(name="Text", default="a person walks")  # type: ignore[valid-type]
    seconds: FloatProperty(name="Seconds", default=4.0, min=0.1, soft_max=6.0)  # type: ignore[valid-type]
    seed: IntProperty(name="Seed", default=0, min=0)  # type: ignore[valid-type]


class MOTIONCLIP_OT_generate(bpy.types.Operator):
    """Make the motion; it begins at the current frame"""

    bl_idname = "motionclip.generate"
    bl_label = "Make"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.mode in ("OBJECT", "POSE")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Makes the motion and waits for it: for scripts."""
        if not self._start(context):
            return {"CANCELLED"}
        return self._finish(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Makes the motion while Blender goes on."""
        if not self._start(context):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(0.2, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set("motionclip is at work (Esc: stop)")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Looks whether the command has ended."""
        stopped = event.type == "ESC"
        if not stopped and self._process.poll() is None:
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)
        if stopped:
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder)
            return {"CANCELLED"}
        return self._finish(context)

    def _start(self, context: bpy.types.Context) -> bool:
        """Starts the command; whether that went well."""
        wanted, preferences = context.scene.motionclip, context.preferences.addons[__name__].preferences
        chosen = context.object
        self._armature = chosen if chosen is not None and chosen.type == "ARMATURE" else None
        self._folder = Path(tempfile.mkdtemp(prefix="motionclip-"))
        self._made = self._folder / ("made.glb" if self._armature is None else "made.bvh")
        arguments = [wanted.text, "--seconds", f"{wanted.seconds:g}", "--seed", str(wanted.seed), "--out", self._made]
        if self._armature is not None:
            rest = self._folder / "rest.bvh"
            write_rest_pose(self._armature, rest)
            arguments += ["--rig", rest]
        command = [bpy.path.abspath(preferences.command), "generate", *arguments, "--model", preferences.model]
        try:
            self._process = subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True)
        except OSError as error:
            shutil.rmtree(self._folder)
            self.report({"ERROR"}, f"{preferences.command}: {error.strerror}; its path belongs into the preferences")
            return False
        return True

    def _finish(self, context: bpy.types.Context) -> set[str]:
        """Takes over what the command has made."""
        _, complaint = self._process.communicate()
        try:
            if self._process.returncode:
                self.report({"ERROR"}, complaint.strip() or "motionclip failed")
                return {"CANCELLED"}
            if self._armature is None:
                bpy.ops.import_scene.gltf(filepath=str(self._made))
            else:
                animate(context, self._armature, self._made, context.scene.motionclip.text)
        finally:
            shutil.rmtree(self._folder)
        return {"FINISHED"}


class MOTIONCLIP_PT_panel(bpy.types.Panel):
    """The panel in the sidebar."""

    bl_label = "motionclip"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "motionclip"

    def draw(self, context: bpy.types.Context) -> None:
        wanted, column = context.scene.motionclip, self.layout.column()
        for name in ("text", "seconds", "seed"):
            column.prop(wanted, name)
        chosen = context.object
        on = chosen.name if chosen is not None and chosen.type == "ARMATURE" else "a new body"
        column.operator(MOTIONCLIP_OT_generate.bl_idname, text=f"Make, on {on}", icon="ARMATURE_DATA")


def write_rest_pose(armature: bpy.types.Object, path: Path) -> None:
    """Writes an armature in its rest pose as BVH, in its own axes and unit."""
    shown = armature.data.pose_position
    armature.data.pose_position = "REST"
    bpy.ops.export_anim.bvh(filepath=str(path), frame_start=1, frame_end=2)
    armature.data.pose_position = shown


def animate(context: bpy.types.Context, armature: bpy.types.Object, path: Path, name: str) -> None:
    """Puts the motion of a BVH file, made on the rest pose of an armature, onto it as a new action.

    Each bone turns in the armature's space as its twin in the file does, which has the same joints and axes of its own.
    """
    scene = context.scene
    first, rate = scene.frame_current, scene.render.fps / scene.render.fps_base
    before = set(bpy.data.actions)
    bpy.ops.import_anim.bvh(
        filepath=str(path), axis_forward="Y", axis_up="Z", rotate_mode="QUATERNION", frame_start=0, use_fps_scale=False
    )
    twin, stand = context.object, upright(armature)
    armature.animation_data_create().action = bpy.data.actions.new(name)
    last: dict[str, Quaternion] = {}
    start, stop = map(int, twin.animation_data.action.frame_range)
    for frame in range(start, stop + 1):
        scene.frame_set(frame)
        pose(armature, twin, stand, last, first + (frame - start) * rate / RATE)
    scene.frame_set(first)
    bpy.data.objects.remove(twin)
    for action in set(bpy.data.actions) - before - {armature.animation_data.action}:
        bpy.data.actions.remove(action)
    context.view_layer.objects.active = armature
    armature.select_set(True)


def upright(armature: bpy.types.Object) -> Matrix:
    """From the axes of a motion in the file (Y up) to those of the armature, where Z is up, or Y where it came so."""
    up = armature.matrix_world.to_3x3().inverted() @ Vector((0.0, 0.0, 1.0))
    return Matrix.Identity(3) if abs(up.y) > abs(up.z) else Matrix.Rotation(math.pi / 2, 3, "X")


def pose(
    armature: bpy.types.Object, twin: bpy.types.Object, stand: Matrix, last: dict[str, Quaternion], time: float
) -> None:
    """Keys the pose of the twin at a time; ``last`` holds the rotations before, and then these."""
    placed: dict[str, Matrix] = {}
    for bone in armature.pose.bones:  # parents come before their children
        rest, parent = bone.bone.matrix_local, bone.parent
        # where the bone would be if it did not move against its parent
        carried = placed[parent.name] @ parent.bone.matrix_local.inverted() @ rest if parent else rest.copy()
        same = twin.pose.bones.get(bone.name.replace(" ", "_"))
        if same is None:
            placed[bone.name] = carried
            continue
        turn = stand @ same.matrix.to_3x3() @ same.bone.matrix_local.to_3x3().inverted()
        place = stand @ same.head if parent is None else carried.translation
        placed[bone.name] = Matrix.Translation(place) @ (turn @ rest.to_3x3()).to_4x4()
        basis = carried.inverted() @ placed[bone.name]
        rotation = basis.to_quaternion()
        if bone.name in last:
            rotation.make_compatible(last[bone.name])
        last[bone.name] = rotation
        bone.rotation_mode, bone.rotation_quaternion = "QUATERNION", rotation
        bone.keyframe_insert("rotation_quaternion", frame=time)
        if parent is None:
            bone.location = basis.translation
            bone.keyframe_insert("location", frame=time)


CLASSES = (Preferences, Settings, MOTIONCLIP_OT_generate, MOTIONCLIP_PT_panel)


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.motionclip = PointerProperty(type=Settings)


def unregister() -> None:
    """Called by Blender when the add-on is switched off."""
    del bpy.types.Scene.motionclip
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
