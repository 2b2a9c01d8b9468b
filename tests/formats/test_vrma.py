"""VRM animations: the bones that the specification requires, a standing rest pose, and the motion read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import swaying
from test_gltf_motion import same

from motionclip.formats.gltf import read_glb
from motionclip.io import read_motion, write_motion

#: https://github.com/vrm-c/vrm-specification, VRMC_vrm-1.0, humanoid: bones that have to be there.
REQUIRED = {"hips", "spine", "head"} | {
    side + bone
    for side in ("left", "right")
    for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
}


def test_a_vrm_animation(tmp_path: Path) -> None:
    path = tmp_path / "wave.vrma"
    write_motion(swaying(), path)
    same(read_motion(path), swaying())
    document = read_glb(path).document
    extension = document["extensions"]["VRMC_vrm_animation"]
    assert document["extensionsUsed"] == ["VRMC_vrm_animation"] and extension["specVersion"] == "1.0"
    bones = extension["humanoid"]["humanBones"]
    assert set(bones) >= REQUIRED
    nodes = document["nodes"]
    assert nodes[bones["leftUpperArm"]["node"]]["name"] == "left_shoulder"
    assert nodes[bones["hips"]["node"]]["translation"][1] == pytest.approx(0.95, abs=0.1)
    moved = {
        channel["target"]["node"]
        for channel in document["animations"][0]["channels"]
        if channel["target"]["path"] == "translation"
    }
    assert moved == {bones["hips"]["node"]}  # the specification lets the hips alone move
