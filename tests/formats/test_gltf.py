"""GLB files, read back by a small evaluator of glTF's rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gltf_document import Document

from motionclip.body import default_body
from motionclip.formats.gltf import write_glb
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.skeleton import FOOT_HEIGHT


def smooth_motion(frames: int = 20, fps: float = 30.0) -> Motion:
    """Every joint turns by up to three radians and over: quaternion signs must be kept from flipping."""
    generator = torch.Generator().manual_seed(0)
    speed = torch.randn(1, 24, 3, generator=generator) * 4
    turns = speed * torch.linspace(0, 1, frames)[:, None, None]
    root = torch.randn(frames, 3, generator=generator).cumsum(0) * 0.1
    return Motion(rot.rotvec_to_matrix(turns), root, fps, CANONICAL)


def written(motion: Motion, folder: Path) -> Document:
    write_glb(motion, folder / "motion.glb")
    assert [file.name for file in folder.iterdir()] == ["motion.glb"]
    return Document(folder / "motion.glb")


def test_joints_are_where_forward_kinematics_puts_them(tmp_path: Path) -> None:
    motion = smooth_motion()
    document = written(motion, tmp_path)
    for frame in (0, 7, 19):
        turned, placed = motion.world
        found = document.world(frame / 30)
        assert np.abs(found[:, :3, 3] - placed[frame].numpy()).max() < 1e-5
        assert np.abs(found[:, :3, :3] - turned[frame].numpy()).max() < 1e-5


def test_the_skin_is_the_body(tmp_path: Path) -> None:
    motion = smooth_motion()
    found = written(motion, tmp_path).vertices(11 / 30)
    assert np.abs(found - default_body().pose(motion)[11].numpy()).max() < 2e-5


def test_between_two_frames_it_takes_the_short_way(tmp_path: Path) -> None:
    motion = smooth_motion(40)
    document = written(motion, tmp_path)
    exact = rot.slerp(motion.rotations[8:9], motion.rotations[9:10], torch.tensor([0.5]))[0]
    half = Motion(exact[None], motion.root[8:10].mean(0, keepdim=True), 30.0, CANONICAL)
    assert np.abs(document.world(8.5 / 30)[:, :3, 3] - half.positions[0].numpy()).max() < 1e-4


def test_names_tree_rate_and_rest_pose(tmp_path: Path) -> None:
    document = written(smooth_motion(5, fps=24.0), tmp_path)
    nodes, skin = document.json["nodes"], document.json["skins"][0]
    assert [nodes[joint]["name"] for joint in skin["joints"]] == list(CANONICAL.names)
    animation = document.json["animations"][0]
    times = document.array(animation["samplers"][0]["input"])[:, 0]
    assert np.allclose(times, np.arange(5) / 24)
    binds = document.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    assert np.allclose(binds[:, :3, 3], -CANONICAL.rest_positions.numpy(), atol=1e-6)
    assert np.allclose(binds[:, :3, :3], np.eye(3))
    for joint, node in enumerate(nodes[:24]):
        assert node["translation"] == pytest.approx(CANONICAL.offsets[joint].tolist(), abs=1e-6)
        assert node.get("children", []) == list(CANONICAL.children[joint])


def test_accessors_say_the_truth_about_bounds_and_alignment(tmp_path: Path) -> None:
    document = written(smooth_motion(), tmp_path)
    for number, accessor in enumerate(document.json["accessors"]):
        values = document.array(number)
        if "min" in accessor:
            assert np.allclose(accessor["min"], values.min(0)) and np.allclose(accessor["max"], values.max(0))
        assert document.json["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) % 4 == 0
    primitive = document.json["meshes"][0]["primitives"][0]
    assert "min" in document.json["accessors"][primitive["attributes"]["POSITION"]]
    normals = document.array(primitive["attributes"]["NORMAL"])
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    weights = document.array(primitive["attributes"]["WEIGHTS_0"])
    joints = document.array(primitive["attributes"]["JOINTS_0"])
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    assert not joints[weights == 0].any()


def test_a_single_frame_can_be_written(tmp_path: Path) -> None:
    document = written(smooth_motion(1), tmp_path)
    assert document.json["accessors"][document.json["animations"][0]["samplers"][0]["input"]]["count"] == 1


def test_contacts_of_feet_are_in_the_extras(tmp_path: Path) -> None:
    still = Motion(torch.eye(3).repeat(30, 24, 1, 1), torch.zeros(30, 3), 30.0, CANONICAL)
    floor = still.positions[0, CANONICAL.index("left_foot"), 1] - FOOT_HEIGHT
    root = torch.zeros(30, 3) - floor * torch.tensor([0.0, 1.0, 0.0])
    root[12:18, 1] += 0.3  # off the floor for 0.2 s
    contacts = written(Motion(still.rotations, root, 30.0, CANONICAL), tmp_path).json["animations"][0]["extras"][
        "contacts"
    ]
    assert set(contacts) == {"left_ankle", "left_foot", "right_ankle", "right_foot"}
    for spans in contacts.values():
        assert len(spans) == 2 and spans[0][0] == 0 and spans[1][1] == 1
        assert 0.3 < spans[0][1] <= 0.4 and 0.6 <= spans[1][0] < 0.7
