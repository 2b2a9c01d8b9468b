"""Our GLB files in the Khronos validator.

It is an npm package: `npm install --prefix DIR gltf-validator@2.0.0-dev.3.10`, then
`NODE_PATH=DIR/node_modules pytest tests/formats/test_gltf_in_validator.py`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from test_gltf import smooth_motion
from user_characters import armature_of_centimetres

from motionclip.formats import load_rig
from motionclip.io import write_motion
from motionclip.motion.retarget import RIGS

SCRIPT = """
const validator = require("gltf-validator");
const bytes = new Uint8Array(require("fs").readFileSync(process.argv[1]));
validator.validateBytes(bytes).then(report => console.log(JSON.stringify(report)));
"""


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", "-e", *arguments], capture_output=True, text=True)


def report(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node(SCRIPT, str(path)).stdout)
    return found


if shutil.which("node") is None or node("require('gltf-validator')").returncode:
    pytest.skip("node has no gltf-validator; see the first lines of this file", allow_module_level=True)


@pytest.mark.parametrize("rig", [None, *RIGS])
def test_nothing_to_complain_about(tmp_path: Path, rig: str | None) -> None:
    write_motion(smooth_motion(), tmp_path / "motion.glb", None if rig is None else load_rig(rig))
    found = report(tmp_path / "motion.glb")
    assert found["issues"]["messages"] == []
    assert found["info"]["animationCount"] == 1


def test_a_users_own_file_gets_no_worse(tmp_path: Path) -> None:
    own = armature_of_centimetres(tmp_path / "own.glb")
    write_motion(smooth_motion(), tmp_path / "motion.glb", load_rig(own))
    before, after = report(own), report(tmp_path / "motion.glb")
    assert before["issues"]["numErrors"] == after["issues"]["numErrors"] == 0
    assert after["issues"]["numWarnings"] <= before["issues"]["numWarnings"]
    assert after["info"]["totalTriangleCount"] == before["info"]["totalTriangleCount"]


def test_the_validator_sees_a_fault(tmp_path: Path) -> None:
    assert report(armature_of_centimetres(tmp_path / "own.glb", scene=7))["issues"]["numErrors"] == 1
