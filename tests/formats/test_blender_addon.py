"""The Blender add-on in Blender: a sentence moves the armature that is selected, as our own file of it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from blender import blender, needs_blender

import motionclip
from motionclip.cli.main import main

ADDON = Path(__file__).parents[2] / "addons" / "motionclip_blender.py"
TEXT, SECONDS, SEED = "a person walks", 1.0, 3
COMMAND = Path(sys.executable).with_name("motionclip")

# Installs the add-on as a user does, makes the motion, and tells where the heads of all bones are in each frame.
_SCRIPT = """
import json, sys
import bpy
import addon_utils

addon, command, model, positions, rest, with_rig = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.preferences.addon_install(filepath=addon, overwrite=True)
bpy.ops.preferences.addon_enable(module="motionclip_blender")
preferences = bpy.context.preferences.addons["motionclip_blender"].preferences
preferences.command, preferences.model = command, model
scene = bpy.context.scene
scene.render.fps = 60
if with_rig == "True":
    addon_utils.enable("rigify")
    bpy.ops.object.armature_basic_human_metarig_add()
    bpy.context.scene.frame_end = 2
    bpy.ops.export_anim.bvh(filepath=rest, frame_start=1, frame_end=2)
scene.frame_set(11)
wanted = scene.motionclip
wanted.text, wanted.seconds, wanted.seed = "a person walks", 1.0, 3
assert bpy.ops.motionclip.generate() == {"FINISHED"}
(rig,) = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
assert rig.animation_data.action and len(bpy.data.actions) == 1
heads = {bone.name: [] for bone in rig.pose.bones}
for frame in range(30):
    scene.frame_set(11 + 2 * frame)
    for bone in rig.pose.bones:
        heads[bone.name].append(list(rig.matrix_world @ bone.head))
json.dump(heads, open(positions, "w"))
preferences.model = "no_such_model"
try:
    bpy.ops.motionclip.generate()
    sys.exit("a motion was made without a model")
except RuntimeError as error:
    assert "no_such_model" in str(error), error
"""


def in_blender(folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch, *, with_rig: bool) -> dict[str, np.ndarray]:
    if not COMMAND.is_file():
        pytest.skip("the command motionclip is not beside this Python")
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(folder / "scripts"))
    monkeypatch.setenv("PYTHONPATH", str(Path(motionclip.__file__).parents[1]))
    positions = folder / "positions.json"
    blender(_SCRIPT, ADDON, COMMAND, model, positions, folder / "rest.bvh", with_rig)
    return {name: np.array(path) for name, path in json.loads(positions.read_text()).items()}


@needs_blender
@pytest.mark.slow
def test_the_selected_armature_moves_as_our_file_of_it_says(
    tmp_path: Path, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_blender(tmp_path, tiny_run, monkeypatch, with_rig=True)
    ours = tmp_path / "ours.bvh"
    options = ["--seconds", str(SECONDS), "--seed", str(SEED), "--model", str(tiny_run), "--rig"]
    assert main(["generate", TEXT, "--out", str(ours), *options, str(tmp_path / "rest.bvh")]) == 0
    motion = motionclip.read_motion(ours)
    for joint in ("spine", "upper_arm.L", "hand.R", "foot.L"):
        x, y, z = motion.positions[:, motion.skeleton.index(joint)].numpy().T
        expected = np.stack([x, -z, y], axis=1)  # Blender has Z up
        assert np.abs(found[joint] - expected).max() < 2e-3, joint
    assert np.ptp(found["hand.R"], axis=0).max() > 0.02


@needs_blender
@pytest.mark.slow
def test_without_an_armature_there_is_a_new_body(
    tmp_path: Path, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_blender(tmp_path, tiny_run, monkeypatch, with_rig=False)
    assert len(found) >= 24
    assert np.ptp(next(iter(found.values())), axis=0).max() > 0.01
