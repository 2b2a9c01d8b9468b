"""Animations of glTF and FBX files: our own come back, one of several is chosen, and what does not fit is told."""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import FBX, swaying

from motionclip.errors import FormatError
from motionclip.formats import load_rig
from motionclip.formats.gltf import read_glb
from motionclip.io import read_motion, takes, write_motion
from motionclip.motion import Motion

#: Stands for lists in lists, 5,000 deep.
NESTED = "nested"


def same(found: Motion, wanted: Motion, tolerance: float = 1e-4) -> None:
    indices = [found.skeleton.index(name) for name in wanted.skeleton.names]
    assert found.fps == wanted.fps and found.num_frames == wanted.num_frames
    assert (found.positions[:, indices] - wanted.positions).abs().max() < tolerance


@pytest.fixture
def own(tmp_path: Path) -> Path:
    write_motion(swaying(), tmp_path / "own.glb")
    return tmp_path / "own.glb"


def test_our_own_file_is_read_back(own: Path) -> None:
    same(read_motion(own), swaying())
    assert takes(own) == ["motion"]


@pytest.mark.skipif(find_spec("ufbx") is None, reason="needs the extra fbx")
def test_a_file_that_blender_wrote(tmp_path: Path) -> None:
    rig = load_rig("mixamo")
    same(read_motion(FBX), rig.fitted(swaying()), tolerance=1e-3)
    assert takes(FBX) == ["Scene"]
    for suffix in (".bvh", ".glb"):
        write_motion(swaying(), tmp_path / f"own{suffix}", rig)
        same(read_motion(tmp_path / f"own{suffix}"), rig.fitted(swaying()), tolerance=1e-3)


def test_a_document_with_its_arrays_beside_it(own: Path) -> None:
    glb = read_glb(own)
    (own.parent / "arrays.bin").write_bytes(glb.binary)
    glb.document["buffers"][0]["uri"] = "arrays.bin"
    beside = own.parent / "walk.gltf"
    beside.write_text(json.dumps(glb.document))
    same(read_motion(beside), swaying())
    for outside in ("../arrays.bin", "/etc/hostname", "missing.bin", "https://host/arrays.bin"):
        glb.document["buffers"][0]["uri"] = outside
        beside.write_text(json.dumps(glb.document))
        with pytest.raises(FormatError, match=r"beside it|cannot be|No such file|whole"):
            read_motion(beside)


def test_one_of_several_animations(own: Path) -> None:
    glb = read_glb(own)
    first = glb.document["animations"][0] | {"name": "Walk"}
    glb.document["animations"] = [first, {**first, "name": "Idle|Loop"}]
    glb.write(own)
    assert takes(own) == ["Walk", "Idle|Loop"]
    with pytest.raises(FormatError, match=r"it has 2 animations; expected one of them .* own\.glb#Walk: Walk, Idle"):
        read_motion(own)
    for name in ("Walk", "Idle|Loop", "2"):
        same(read_motion(f"{own}#{name}"), swaying())
    with pytest.raises(FormatError, match="no animation called 'Run'; expected one of Walk"):
        read_motion(f"{own}#Run")


def test_another_rate_samples_the_curves_anew(own: Path) -> None:
    motion = read_motion(own, fps=60.0)
    assert (motion.fps, motion.num_frames) == (60.0, 15)
    assert torch.allclose(motion.positions[::2], swaying().positions, atol=1e-4)


def test_steps_have_the_values_of_their_keys(own: Path) -> None:
    """Also where single precision puts a key behind its frame."""
    glb = read_glb(own)
    for sampler in glb.document["animations"][0]["samplers"]:
        sampler["interpolation"] = "STEP"
    glb.write(own)
    same(read_motion(own), swaying())


def test_files_that_move_nothing(own: Path) -> None:
    glb = read_glb(own)
    glb.document["animations"] = []
    glb.write(own)
    with pytest.raises(FormatError, match="it has no animation"):
        read_motion(own)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("nodes", 1, "name"), 7, r"`\.nodes\[(1|\.\.\.)\]\.name`"),
        (("nodes", 1, "children"), [-1], "children"),
        (("nodes", 1, "translation"), [0, 0], "translation"),
        (("nodes", 1, "rotation"), [0, 0, 0, 1e300], "rotation"),
        (("buffers",), {"byteLength": 1}, "buffers"),
        (("buffers",), "x", "buffers"),
        (("accessors", 0, "count"), 2**40, "count"),
        (("bufferViews", 0, "byteStride"), 0, "byteStride"),
        (("skins", 0, "joints"), None, "joints"),
        (("animations", 0, "channels"), 3, "channels"),
        (("asset",), NESTED, ""),
    ],
)
def test_what_is_no_gltf_is_named_with_its_place(
    tmp_path: Path, place: tuple[str | int, ...], value: object, says: str
) -> None:
    write_motion(swaying(), tmp_path / "a.glb")
    glb = read_glb(tmp_path / "a.glb")
    holder: Any = glb.document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    text = json.dumps(glb.document).replace(json.dumps(NESTED), "[" * 5000 + "]" * 5000).encode()
    chunk = struct.pack("<I4s", len(text), b"JSON") + text
    (tmp_path / "b.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk)
    with pytest.raises(FormatError, match=says):
        read_motion(tmp_path / "b.glb")


def test_half_a_character_in_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gltf").write_text('{"asset": {"version": "2.0"}, "nodes": [{"name": "\\ud800"}]}')
    with pytest.raises(FormatError, match="damaged"):
        read_motion(tmp_path / "a.gltf")


def test_an_array_that_is_named_a_thousand_times_is_bounded(tmp_path: Path) -> None:
    write_motion(swaying(), tmp_path / "a.glb")
    glb = read_glb(tmp_path / "a.glb")
    glb.binary += bytes(40_000_000)
    glb.document["bufferViews"].append({"buffer": 0, "byteLength": 40_000_000})
    view = len(glb.document["bufferViews"]) - 1
    glb.document["accessors"].append({"bufferView": view, "componentType": 5126, "count": 10**7, "type": "SCALAR"})
    with pytest.raises(ValueError, match="more than"):
        for _ in range(1000):
            glb.array(len(glb.document["accessors"]) - 1)
