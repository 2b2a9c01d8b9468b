"""Motions on a character of the user's own in a GLB file, evaluated by glTF's rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gltf_document import Array, Document
from user_characters import CORNERS, SIZE, a_pose, about, armature_of_centimetres, character

from motionclip.errors import FormatError, SkeletonError
from motionclip.formats import load_rig
from motionclip.formats.gltf_rig import GltfRig
from motionclip.io import write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.skeleton import ANKLE_HEIGHT

FPS = 25.0
#: Of the character: its feet end a little below the joints of its toes.
SOLES_BELOW_ANKLES = 0.048 * SIZE - CORNERS[:, 1].min()
TURNED = np.eye(4)
TURNED[:3, :3] = about(0, 90) * 0.01  # a mesh that lies, in centimetres


def wild_motion(frames: int = 6) -> Motion:
    generator = torch.Generator().manual_seed(2)
    turns = torch.randn(frames, 24, 3, generator=generator) * 0.6
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(frames, 3, generator=generator), FPS, CANONICAL)


def written(folder: Path, motion: Motion, **options: Any) -> tuple[Document, Document]:
    """The user's file, and the same with the motion."""
    own = armature_of_centimetres(folder / "own.glb", **options)
    write_motion(motion, folder / "out.glb", load_rig(own))
    return Document(own), Document(folder / "out.glb")


def joint_worlds(document: Document, time: float | None) -> dict[str, Array]:
    return {document.json["nodes"][node]["name"]: m for node, m in document.node_worlds(time).items()}


def rotation(matrix: Array) -> Array:
    turned: Array = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return turned


@pytest.mark.parametrize("bind", [None, TURNED])
@pytest.mark.parametrize("posed", [False, True])
def test_every_joint_turns_as_the_body_does(tmp_path: Path, bind: Array | None, posed: bool) -> None:
    """In the T-pose a joint's axes are those of the A-pose, turned back; the body's own turn goes before them."""
    motion, made = wild_motion(), character()
    _, document = written(tmp_path, motion, bind=bind, posed=posed)
    for frame in (0, 3, 5):
        worlds = joint_worlds(document, frame / FPS)
        for own, name in made.drivers.items():
            if name == "neck":
                continue  # it brings the head to where it should be, on a neck of another length
            body = motion.world[0][frame, CANONICAL.index(name)].double().numpy()
            expected = body @ a_pose()[name].T @ made.axes[own]
            assert np.abs(rotation(worlds[own]) - expected).max() < 2e-5, own


@pytest.mark.parametrize("bind", [None, TURNED])
def test_proportions_are_the_characters_and_the_path_is_scaled_by_leg_length(
    tmp_path: Path, bind: Array | None
) -> None:
    motion, made = wild_motion(), character()
    _, document = written(tmp_path, motion, bind=bind)
    hips = ("left_hip", "right_hip")
    wanted = motion.positions[:, CANONICAL.indices(hips)].mean(1).numpy() * SIZE
    wanted[:, 1] += SOLES_BELOW_ANKLES - ANKLE_HEIGHT * SIZE
    for frame in (0, 5):
        worlds = joint_worlds(document, frame / FPS)
        middle = (worlds["mixamorig:LeftUpLeg"] + worlds["mixamorig:RightUpLeg"])[:3, 3] / 2
        assert np.abs(middle - wanted[frame]).max() < 1e-5
        for name, parent in made.parents.items():
            if parent is not None:
                length = np.linalg.norm(made.places[name] - made.places[parent])
                assert np.linalg.norm((worlds[name] - worlds[parent])[:3, 3]) == pytest.approx(length, abs=1e-5)
            assert np.linalg.norm(worlds[name][:3, 0]) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("bind", [None, TURNED])
def test_feet_that_stand_do_so_on_the_characters_own_soles(tmp_path: Path, bind: Array | None) -> None:
    standing = Motion(torch.eye(3).expand(2, 24, 3, 3), torch.tensor([[0.0, 0.947, 0.0]] * 2), FPS, CANONICAL)
    _, document = written(tmp_path, standing, bind=bind)
    assert document.vertices(0.0)[:, 1].min() == pytest.approx(0, abs=1e-5)


def test_without_vertices_on_the_feet_their_height_is_not_known(tmp_path: Path) -> None:
    own = armature_of_centimetres(tmp_path / "own.glb")
    assert load_rig(own).ankle_height == pytest.approx(SOLES_BELOW_ANKLES, abs=1e-5)
    bare = armature_of_centimetres(tmp_path / "own.glb", meshes=[{"primitives": [{"attributes": {}}]}])
    assert load_rig(bare).ankle_height is None


def test_fingers_and_joints_outside_the_skin_keep_their_rest_pose(tmp_path: Path) -> None:
    made = character()
    _, document = written(tmp_path, wild_motion(), posed=True)
    worlds = joint_worlds(document, 3 / FPS)
    still = [name for name in made.parents if name not in made.drivers and name != "NeckBase"]  # that bears the neck
    assert len(still) == 6
    for name in still:
        parent = str(made.parents[name])
        expected = made.axes[parent].T @ made.axes[name]
        assert np.abs(rotation(worlds[parent]).T @ rotation(worlds[name]) - expected).max() < 1e-5, name


@pytest.mark.parametrize("bind", [None, TURNED])
def test_the_skin_follows(tmp_path: Path, bind: Array | None) -> None:
    motion, made = wild_motion(), character()
    _, document = written(tmp_path, motion, bind=bind)
    vertices = document.vertices(4 / FPS).reshape(-1, 3, 3)  # three corners for each joint of the skin
    worlds = joint_worlds(document, 4 / FPS)
    names = [document.json["nodes"][node]["name"] for node in document.json["skins"][0]["joints"]]
    for corners, own in zip(vertices, names, strict=True):
        turned = rotation(worlds[own]) @ made.axes[own].T
        assert np.abs(corners - worlds[own][:3, 3] - CORNERS @ turned.T).max() < 1e-5


@pytest.mark.parametrize("suffix", [".glb", ".vrm"])
@pytest.mark.parametrize("bind", [None, TURNED])
def test_the_body_that_is_shown_is_the_one_that_is_written(tmp_path: Path, bind: Array | None, suffix: str) -> None:
    motion = wild_motion()
    _, document = written(tmp_path, motion, bind=bind)
    rig = load_rig((tmp_path / "own.glb").rename(tmp_path / f"hero{suffix}"))
    assert rig.body is not None
    shown = rig.body.pose(rig.fitted(motion))[4].double().numpy()
    assert np.abs(shown - document.vertices(4 / FPS)).max() < 1e-4


def test_all_but_the_animation_is_kept(tmp_path: Path) -> None:
    own, document = written(tmp_path, wild_motion())
    assert [animation["name"] for animation in document.json["animations"]] == ["motion"]
    for part in ("meshes", "skins", "materials", "extensionsUsed", "scenes"):
        assert document.json[part] == own.json[part]
    for number in range(len(own.json["accessors"])):
        assert np.array_equal(document.array(number), own.array(number))
    before, after = joint_worlds(own, None), joint_worlds(document, None)
    assert before.keys() == after.keys()
    for name in before:
        assert np.abs(before[name] - after[name]).max() < 1e-6
    times = document.array(document.json["animations"][0]["samplers"][0]["input"])[:, 0]
    assert np.allclose(times, np.arange(6) / FPS)


def test_the_rig_is_not_used_up(tmp_path: Path) -> None:
    rig = load_rig(armature_of_centimetres(tmp_path / "own.glb", posed=True))
    assert isinstance(rig.skin, GltfRig)
    before = json.dumps(rig.skin.glb.document)
    for name in ("one.glb", "two.glb"):
        write_motion(wild_motion(), tmp_path / name, rig)
    assert (tmp_path / "one.glb").read_bytes() == (tmp_path / "two.glb").read_bytes()
    assert json.dumps(rig.skin.glb.document) == before


def scaled(axes: list[float]) -> dict[str, Any]:
    return {"name": "mixamorig:Hips", "scale": axes, "children": []}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"skins": []}, "it has no skin, hence no skeleton"),
        ({"skins": [{"joints": []}]}, "it has no skin, hence no skeleton"),
        ({"skins": [{"joints": [999]}]}, "damaged"),
        ({"skins": [{"joints": "abc"}]}, "damaged"),
        ({"skins": [{"joints": [0, 1]}]}, "hang on no common node"),
        ({"nodes": [{"children": [1]}, {"children": [0]}], "skins": [{"joints": [1]}]}, "form a ring"),
        ({"nodes": [{"scale": [1, 2, 1], "name": "Hips"}], "skins": [{"joints": [0]}]}, r"Hips .* scaled by \[1"),
        ({"nodes": [{"scale": [1, 1, -1]}], "skins": [{"joints": [0]}]}, "one scale for all axes, above 0"),
        ({"accessors": []}, "damaged"),
        ({"buffers": [{"uri": "elsewhere.bin", "byteLength": 4}]}, "outside the file"),
        ({"buffers": [{"byteLength": 10**9}]}, "a whole file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        load_rig(armature_of_centimetres(tmp_path / "own.glb", **changes))


def test_joints_that_are_not_found_are_named(tmp_path: Path) -> None:
    own = armature_of_centimetres(tmp_path / "own.glb")
    own.write_bytes(own.read_bytes().replace(b"LeftForeArm", b"OneTentacle").replace(b"LeftHand", b"Tentacle"))
    with pytest.raises(SkeletonError, match=r"(?s)own\.glb: .*not found: .*left_wrist"):
        load_rig(own)


@pytest.mark.parametrize("cut", [3, 11, 15, 40, 3000, -1])
def test_files_that_end_early(tmp_path: Path, cut: int) -> None:
    own = armature_of_centimetres(tmp_path / "own.glb")
    own.write_bytes(own.read_bytes()[:cut])
    with pytest.raises(FormatError):
        load_rig(own)


def test_a_file_that_is_json_only(tmp_path: Path) -> None:
    (tmp_path / "own.glb").write_text(json.dumps({"asset": {"version": "2.0"}}))
    with pytest.raises(FormatError, match="this is no GLB file"):
        load_rig(tmp_path / "own.glb")
