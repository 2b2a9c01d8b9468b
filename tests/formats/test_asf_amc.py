"""ASF and AMC against a slow evaluation of their definition, and damaged ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from motionclip.errors import FormatError
from motionclip.formats.asf_amc import read_amc, read_asf

ASF = """# made for a test
:version 1.10
:name body
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   words (of) any kind : 1 2
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0.5 0 0
   orientation 0 15 30
:bonedata
  begin
     id 1
     name hip
     direction 0.6 -0.8 0
     length 2
     axis 0 0 0  XYZ
  end
  begin
     id 2
     name femur
     direction 0 -1 0
     length 7.5
     axis 10 -20 30  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 3
     name foot
     direction 0 0 1
     length 2
     axis -90 7.6e-016 20  ZXY
    dof rz rx
  end
:hierarchy
  begin
    root hip
    hip femur
    femur foot
  end
"""
AMC = """#!OML:ASF somewhere
:FULLY-SPECIFIED
:DEGREES
1
root 1 17 -3 10 20 30
femur 5.5 -6 70
foot 1.5e+001 -2
2
root 2 17 -3 -10 2e1 35
femur 50 6 -7
foot 1.9e-014 -2
"""


def pair(folder: Path, asf: str = ASF, amc: str = AMC) -> Path:
    (folder / "05.asf").write_text(asf)
    (folder / "05_01.amc").write_text(amc)
    return folder / "05_01.amc"


def turn(axis: str, degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


class SlowTwin:
    """Ends of bones by recursion over the words of the files, as the definition has it; metres."""

    def __init__(self, asf: Path):
        self.bones: dict[str, dict[str, list[str]]] = {}
        self.children: dict[str, list[str]] = {}
        self.root: dict[str, list[str]] = {}
        section, bone = "", {}
        for words in (line.split() for line in asf.read_text().splitlines()):
            if words and words[0].startswith(":"):
                section = words[0]
            elif not words or words[0] == "begin":
                bone = {}
            elif section == ":root":
                self.root[words[0]] = words[1:]
            elif section == ":hierarchy" and words[0] != "end":
                self.children[words[0]] = words[1:]
            elif section == ":bonedata" and words[0] == "end":
                self.bones[bone["name"][0]] = bone
            elif section == ":bonedata":
                bone[words[0]] = words[1:]

    @staticmethod
    def axes(angles: list[str], order: str) -> np.ndarray:
        matrix = np.eye(3)
        for axis, angle in zip(order.lower(), angles, strict=True):
            matrix = turn(axis, float(angle)) @ matrix
        return matrix

    def starts_and_ends(self, frame: dict[str, list[float]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        places: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        unit = 2.54 / 100 / 0.45

        def visit(name: str, above: np.ndarray, start: np.ndarray) -> None:
            bone = self.bones[name]
            local = np.eye(3)
            for dof, value in zip(bone.get("dof", []), frame.get(name, []), strict=True):
                local = turn(dof[1], value) @ local
            own = self.axes(bone["axis"][:3], bone["axis"][3])
            world = above @ own @ local @ np.linalg.inv(own)
            end = start + world @ np.array(bone["direction"], float) * float(bone["length"][0])
            places[name] = (start * unit, end * unit)
            for child in self.children.get(name, []):
                visit(child, world, end)

        values = frame["root"]
        own = self.axes(self.root["orientation"], "xyz")
        local = turn("z", values[5]) @ turn("y", values[4]) @ turn("x", values[3])
        start = np.array(values[:3]) + np.array(self.root["position"], float)
        for child in self.children["root"]:
            visit(child, own @ local @ np.linalg.inv(own), start)
        return places


def frames_of(amc: Path) -> list[dict[str, list[float]]]:
    frames: list[dict[str, list[float]]] = []
    for words in (line.split() for line in amc.read_text().splitlines()):
        if words and words[0].isdigit():
            frames.append({})
        elif words and frames:
            frames[-1][words[0]] = [float(word) for word in words[1:]]
    return frames


def largest_distance(amc: Path, asf: Path, every: int) -> float:
    motion, twin = read_amc(amc), SlowTwin(asf)
    frames = frames_of(amc)
    assert motion.num_frames == len(frames)
    world, positions = (array.double().numpy() for array in motion.world)
    worst = 0.0
    for number in range(0, len(frames), every):
        places = twin.starts_and_ends(frames[number])
        for joint, name in enumerate(motion.skeleton.names[1:], 1):
            worst = max(worst, float(np.abs(places[name][0] - positions[number, joint]).max()))
        for joint, tip in motion.skeleton.end_sites:
            end = positions[number, joint] + world[number, joint] @ np.array(tip)
            worst = max(worst, float(np.abs(places[motion.skeleton.names[joint]][1] - end).max()))
    return worst


def test_equals_the_definition(tmp_path: Path) -> None:
    amc = pair(tmp_path)
    assert largest_distance(amc, tmp_path / "05.asf", 1) < 1e-6


@pytest.mark.parametrize("trial", ["01_01", "17_10", "39_10"])
def test_real_trials_equal_the_definition(trial: str, real_data: Path) -> None:
    folder = real_data / "cmu" / trial[:2]
    assert largest_distance(folder / f"{trial}.amc", folder / f"{trial[:2]}.asf", 500) < 1e-5


def test_real_person_has_human_size(real_data: Path) -> None:
    motion = read_amc(real_data / "cmu" / "35" / "35_01.amc")
    assert motion.skeleton.num_joints == 31
    assert 1.4 < motion.positions[..., 1].amax(1).median() < 1.9


def test_zero_angles_are_the_rest_pose_of_the_skeleton(tmp_path: Path) -> None:
    still = AMC.replace("10 20 30", "0 0 0").replace("5.5 -6 70", "0 0 0").replace("1.5e+001 -2", "0 0")
    motion = read_amc(pair(tmp_path, amc=still))
    assert np.allclose(motion.rotations[0], np.eye(3), atol=1e-6)
    unit = 2.54 / 100 / 0.45
    assert np.allclose(motion.skeleton.offsets[2], np.array([1.2, -1.6, 0.0]) * unit, atol=1e-6)
    assert motion.skeleton.names == ("root", "hip", "femur", "foot")
    assert np.allclose(motion.root[0], np.array([1.5, 17.0, -3.0]) * unit, atol=1e-6)
    assert [joint for joint, _ in motion.skeleton.end_sites] == [3]


def test_radians_and_windows_line_ends_and_rate(tmp_path: Path) -> None:
    amc = pair(tmp_path)
    expected = read_amc(amc)

    def in_radians(line: str) -> str:
        words = line.split()
        kept = 4 if words[0] == "root" else 1
        return " ".join(words[:kept] + [f"{math.radians(float(word)):.15g}" for word in words[kept:]])

    lines = [in_radians(line) if line[0].isalpha() else line for line in AMC.replace("DEGREES", "RADIANS").splitlines()]
    amc.write_bytes("\r\n".join(lines).encode())
    motion = read_amc(amc, fps=60.0)
    assert np.allclose(motion.rotations, expected.rotations, atol=1e-6)
    assert np.allclose(motion.root, expected.root)
    assert (expected.fps, motion.fps) == (120.0, 60.0)


def test_skeleton_is_found_beside_the_motion(tmp_path: Path) -> None:
    amc = pair(tmp_path)
    (tmp_path / "other.asf").write_text("not this one")
    assert read_amc(amc).num_frames == 2
    (tmp_path / "05.asf").rename(tmp_path / "third.asf")
    with pytest.raises(FormatError, match="2 ASF files beside it"):
        read_amc(amc)
    (tmp_path / "other.asf").unlink()
    assert read_amc(amc).num_frames == 2
    (tmp_path / "third.asf").rename(tmp_path / "moved")
    with pytest.raises(FormatError, match="0 ASF files beside it"):
        read_amc(amc)
    assert read_amc(amc, tmp_path / "moved").num_frames == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("root 2 17", "root 2 x", 9, "'x'"),
        ("root 2 17", "root 2 nan", 9, "'nan'"),
        ("femur 50 6 -7", "femur 50 6", 10, "too few values on the line; expected 3 numbers after 'femur'"),
        ("femur 50 6 -7", "femur 50 6 -7 1", 10, "too many"),
        ("femur 50 6 -7", "tibia 50 6 -7", 10, "'femur', as in the first frame"),
        ("femur 50 6 -7\n", "", 10, "'femur'"),
        ("femur 50 6 -7\nfoot 1.9e-014 -2\n", "", 9, "ends inside frame 2"),
        ("1.9e-014 -2\n", "1.9e-014", 11, "too few"),
        ("foot 1.5e+001 -2\n", "", 4, "lacks foot"),
        ("foot 1.5e+001 -2", "toes 1.5e+001 -2", 4, "'toes'"),
        ("foot 1.5e+001 -2", "femur 1 2 3", 4, "'femur'"),
        ("\n2\n", "\n4\n", None, "frame 4 follows frame 1; expected frame 2"),
        (AMC, ":DEGREES\n", 2, "no frame"),
        (AMC, "\0\1\2", 1, "no frame"),
        ("1\nroot", "root", 4, "no frame"),
    ],
)
def test_damaged_motion(tmp_path: Path, old: str, new: str, line: int | None, says: str) -> None:
    assert old in AMC
    amc = pair(tmp_path, amc=AMC.replace(old, new, 1))
    with pytest.raises(FormatError) as caught:
        read_amc(amc)
    assert says in str(caught.value)
    assert (caught.value.line, caught.value.path) == (line, amc)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name foot", "name femur", 34, "second bone called 'femur'"),
        ("femur foot\n", "femur foot\n    foot hip\n", 47, "two parents"),
        ("    root hip\n", "", None, "do not hang on the root: femur, foot, hip"),
        ("    root hip\n    hip femur\n", "    foot femur\n", None, "do not hang"),
        ("femur foot\n", "femur toes\n", 46, "'toes'"),
        ("length 7.5", "length long", 27, "1 finite numbers"),
        ("direction 0 -1 0", "direction 0 -1", 26, "3 finite numbers"),
        ("direction 0 -1 0", "direction 0 nan 0", 26, "3 finite numbers"),
        ("     direction 0 -1 0\n", "", 23, "without 'direction'"),
        ("dof rx ry rz", "dof rx ry tz", 29, "degrees of freedom 'rx ry tz'"),
        ("dof rx ry rz", "dof rx rx rz", 29, "degrees of freedom"),
        ("ZXY", "ZXX", 39, "order of axes"),
        (":hierarchy", ":somewhere", None, "no section :hierarchy"),
        ("length 0.45", "length 0", 6, "length of 0"),
        ("   position 0.5 0 0\n", "", None, "no 'position'"),
        (ASF, "HIERARCHY\nROOT", 1, "'HIERARCHY'"),
        (ASF[ASF.index("    dof rz rx\n  end") :], ":hierarchy\n root hip\n", 34, "inside a bone"),
    ],
)
def test_damaged_skeleton(tmp_path: Path, old: str, new: str, line: int | None, says: str) -> None:
    assert old in ASF
    asf = tmp_path / "05.asf"
    asf.write_text(ASF.replace(old, new, 1))
    with pytest.raises(FormatError) as caught:
        read_asf(asf)
    assert says in str(caught.value)
    assert (caught.value.line, caught.value.path) == (line, asf)


def test_every_truncation_of_a_motion_is_refused_or_ends_on_a_whole_frame(tmp_path: Path) -> None:
    amc = pair(tmp_path)
    for size in range(len(AMC) - 2):
        amc.write_text(AMC[:size])
        try:
            assert read_amc(amc).num_frames == 1
            assert AMC[:size].rstrip().endswith("foot 1.5e+001 -2")
        except FormatError as error:
            assert str(amc) in str(error)
