"""Damaged BVH files: always a FormatError that names the file, and the line where there is one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from motionclip.errors import FormatError, MotionClipError
from motionclip.formats.bvh import read_bvh

GOOD = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 100 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 50 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
1 2 3 4 5 6 7 8 9
1 2 3 4 5 6 7 8 9
1 2 3 4 5 6 7 8 9
"""
LAST = "1 2 3 4 5 6 7 8 9\n"


def fault(folder: Path, text: str | bytes) -> FormatError:
    path = folder / "damaged.bvh"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(FormatError) as caught:
        read_bvh(path)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("HIERARCHY", "HIERARCY", 1, "HIERARCHY"),
        ("ROOT Hips", "JOINT Hips", 2, "ROOT"),
        ("ROOT Hips", "ROOT", 2, "without a name"),
        ("OFFSET 0 100 0", "OFFSET 0 100", 9, "finite number"),
        ("OFFSET 0 100 0", "OFFSET 0 nan 0", 8, "finite number"),
        ("OFFSET 0 100 0", "OFFSET 0 inf 0", 8, "finite number"),
        ("    OFFSET 0 100 0\n", "", 6, "no OFFSET"),
        ("CHANNELS 3", "CHANNELS 4", 10, "'End'"),
        ("CHANNELS 3", "CHANNELS 2", 9, "'Yrotation'"),
        ("CHANNELS 3", "CHANNELS x", 9, "number of channels"),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", 9, "Wrotation"),
        ("Yposition", "Xposition", 5, "twice"),
        ("JOINT Spine", "JOINT Hips", 6, "'Hips'"),
        ("JOINT Spine", "JNT Spine", 6, "'JNT'"),
        ("  }\n}\nMOTION", "  }\nMOTION", 15, "ends early"),
        ("}\nMOTION", "}\n}\nMOTION", 16, "'}'"),
        ("}\nMOTION", "}\nROOT Other\n{\n}\nMOTION", 16, "'Other' has no OFFSET"),
        ("Frames: 3", "Frames: 0", 17, "at least 1"),
        ("Frames: 3", "Frames: -3", 17, "whole number"),
        ("Frames: 3", "Frames: many", 17, "many"),
        ("Frames: 3\n", "", 17, "Frames:"),
        ("Frame Time: 0.0333333", "Frame Time: 0", 18, "positive"),
        ("Frame Time: 0.0333333", "Frame Time: nan", 18, "positive"),
        ("Frame Time: 0.0333333", "Frame Time:", 18, "positive"),
        ("Frame Time: 0.0333333\n", "", 18, "Frame Time:"),
        ("Frames: 3", "Frames: 4", 21, "3 of 4 frames"),
        ("Frames: 3", "Frames: 2", 21, "another line"),
        ("Frames: 3", "Frames: 99999999999999", 21, "3 of 99999999999999"),
        (LAST * 3, LAST + "1 2 3 4 5 6 7 8\n" + LAST, 20, "too few"),
        (LAST * 3, LAST + "1 2 3 4 5 6 7 8 9 10\n" + LAST, 20, "too many values on the line, from '10'"),
        (LAST * 3, LAST + "1 2 3 4 5 6 7 8\n9 " + LAST, 20, "too few"),
        (LAST * 3, LAST + "1 2 3 4 nan 6 7 8 9\n" + LAST, 20, "'nan'"),
        (LAST * 3, LAST + "1 2 3 4 -inf 6 7 8 9\n" + LAST, 20, "'-inf'"),
        (LAST * 3, LAST + "1 2 3 4 1e999 6 7 8 9\n" + LAST, 20, "'1e999'"),
        (LAST * 3, LAST + "1 2 3 4 1,5 6 7 8 9\n" + LAST, 20, "'1,5'"),
        (LAST * 3, LAST + "1 2 3 4 1.2.3 6 7 8 9\n" + LAST, 20, "'1.2.3'"),
        (LAST * 3, LAST + "1 2 3 4 1e 6 7 8 9\n" + LAST, 20, "'1e'"),
        (LAST * 3, LAST + "1 2 3 4 - 6 7 8 9\n" + LAST, 20, "'-'"),
        (LAST * 3, LAST + "1 2 3 4 . 6 7 8 9\n" + LAST, 20, "'.'"),
        (LAST * 3, LAST + "1 2 3 4 5 6 7 8 #\n" + LAST, 20, "'#'"),
        (LAST * 3, "", 18, "0 of 3"),
        (LAST * 3, LAST * 2 + "1 2 3 4 5", 21, "too few"),
    ],
)
def test_fault_names_line_and_what_was_expected(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    error = fault(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(error)
    assert error.line == line


def test_line_numbers_hold_with_windows_line_ends(tmp_path: Path) -> None:
    text = GOOD.replace(LAST * 3, LAST * 2 + "1 2 3 4 x 6 7 8 9\n").replace("\n", "\r\n")
    assert fault(tmp_path, text).line == 21


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b"PK\x03\x04" + b"x" * 50, b"\xff\xfeH\0I\0", b" \n \n"])
def test_other_files_are_told(tmp_path: Path, content: bytes) -> None:
    assert "HIERARCHY" in str(fault(tmp_path, content)) or "empty" in str(fault(tmp_path, content))


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_bvh(tmp_path / "none.bvh")
    with pytest.raises(FormatError, match="directory"):
        read_bvh(tmp_path)


def test_no_channels_and_no_motion(tmp_path: Path) -> None:
    assert "MOTION" in str(fault(tmp_path, GOOD.split("MOTION")[0]))
    still = GOOD.replace("CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation", "CHANNELS 0")
    still = still.replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 0")
    assert "no joint has channels" in str(fault(tmp_path, still))


def test_every_truncation_is_an_error_but_for_digits_of_the_last_value(tmp_path: Path) -> None:
    path = tmp_path / "cut.bvh"
    for size in range(len(GOOD) - 2):
        path.write_text(GOOD[:size])
        with pytest.raises(FormatError):
            read_bvh(path)


def test_random_damage_is_refused_or_read_but_never_crashes(tmp_path: Path) -> None:
    chance, path = random.Random(0), tmp_path / "fuzz.bvh"
    refused = 0
    for _ in range(400):
        content = bytearray(GOOD.encode())
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(content))
            kind = chance.randrange(3)
            if kind == 0:
                content[place] = chance.choice(b"0123456789.-+eE{} \n\t\r\0\xffNa")
            elif kind == 1:
                del content[place : place + chance.randint(1, 30)]
            else:
                content[place:place] = content[place : place + chance.randint(1, 30)]
        path.write_bytes(content)
        try:
            read_bvh(path)
        except MotionClipError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 250


def test_deep_nesting_is_no_limit(tmp_path: Path) -> None:
    depth = 3000
    body = "".join(f"JOINT j{level}\n{{\nOFFSET 0 1 0\n" for level in range(depth)) + "}\n" * depth
    path = tmp_path / "deep.bvh"
    head = "HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n"
    path.write_text(f"{head}{body}}}\nMOTION\nFrames: 1\nFrame Time: 1\n5\n")
    assert read_bvh(path).skeleton.num_joints == depth + 1
