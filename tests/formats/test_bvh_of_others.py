"""BVH files as other programs write them: bodies that end in tips, decimal commas, odd lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from corpus import ending_in_tips, swaying

from motionclip.errors import FormatError
from motionclip.formats.bvh import write_bvh
from motionclip.io import read_motion, write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.retarget import find_humanoid, retarget, retarget_report
from motionclip.motion.retarget.report import limb_directions, trunk_directions

HANDS = ("left_wrist", "right_wrist")
FEET = ("left_ankle", "right_ankle")


def directions(motion: Motion) -> torch.Tensor:
    joints = find_humanoid(motion.skeleton).joints
    found = [directions(motion.positions, joints) for directions in (limb_directions, trunk_directions)]
    return torch.nn.functional.normalize(torch.cat(found, dim=1), dim=-1)


@pytest.mark.parametrize(
    "ends", [HANDS, FEET, ("head",), (*HANDS, *FEET, "head"), ("left_wrist",)], ids=lambda ends: "+".join(ends)
)
@pytest.mark.parametrize("rename", [str, "Bip01 {}".format, lambda name: f"b{CANONICAL.index(name)}"])
def test_an_end_site_stands_for_a_wrist_an_ankle_or_a_head(
    tmp_path: Path, ends: tuple[str, ...], rename: Callable[[str], str]
) -> None:
    write_bvh(ending_in_tips(ends, rename), tmp_path / "tips.bvh")
    found = read_motion(tmp_path / "tips.bvh")
    assert torch.rad2deg(torch.acos((directions(found) * directions(swaying())).sum(dim=-1).clamp(-1, 1))).max() < 0.2
    parts = find_humanoid(found.skeleton)
    assert all(torch.equal(found.rotations[:, parts.joints[end]], torch.eye(3).expand(8, 3, 3)) for end in ends)
    report = retarget_report(found, retarget(found))
    assert report.limb_max < 0.1 and report.trunk_max < 2.0
    write_motion(found, tmp_path / "again.bvh")  # the new joints are joints of any other file
    again = read_motion(tmp_path / "again.bvh")
    assert sorted(again.skeleton.names) == sorted(found.skeleton.names)


def test_without_a_neck_the_tip_over_the_arms_is_the_head(tmp_path: Path) -> None:
    write_bvh(ending_in_tips(("neck",)), tmp_path / "tips.bvh")
    found = read_motion(tmp_path / "tips.bvh")
    assert find_humanoid(found.skeleton).names["head"] == "spine3_end"


def test_tips_of_whole_bodies_and_of_no_bodies_stay_tips(tmp_path: Path) -> None:
    for motion in (swaying(), ending_in_tips(("left_elbow", "right_wrist"))):
        write_bvh(motion, tmp_path / "tips.bvh")
        found = read_motion(tmp_path / "tips.bvh")
        assert sorted(found.skeleton.names) == sorted(motion.skeleton.names)
        assert len(found.skeleton.end_sites) == len(motion.skeleton.end_sites)


def text(folder: Path) -> str:
    write_bvh(swaying(), folder / "ours.bvh")
    return (folder / "ours.bvh").read_text()


def with_commas(content: str) -> str:
    return content.replace(".", ",")


def comma_before_points(content: str) -> str:
    return with_commas(content).replace("Frame Time: 0,", "Frame Time: 0.")


def commas_between(content: str) -> str:
    head, values = content.split("Frame Time")
    first, rest = values.split("\n", 1)
    return f"{head}Frame Time{first}\n{rest.replace(' ', ',')}"


def whole_numbers_between_commas(content: str) -> str:
    head, values = content.split("Frame Time")
    _, rest = values.split("\n", 1)
    return re.sub(r"\.\d+", "", head) + "Frame Time: 1\n" + re.sub(r"\.\d+", "", rest).replace(" ", ",")


def test_decimal_commas_are_read(tmp_path: Path) -> None:
    (tmp_path / "commas.bvh").write_text(with_commas(text(tmp_path)).replace("ROOT pelvis", "ROOT pelvis, 1,5"))
    found, ours = read_motion(tmp_path / "commas.bvh"), read_motion(tmp_path / "ours.bvh")
    assert torch.equal(found.positions, ours.positions) and found.fps == ours.fps
    assert found.skeleton.names[0] == "pelvis, 1,5"


@pytest.mark.parametrize("damage", [comma_before_points, commas_between, whole_numbers_between_commas])
def test_commas_that_may_be_something_else_are_refused(tmp_path: Path, damage: Callable[[str], str]) -> None:
    (tmp_path / "commas.bvh").write_text(damage(text(tmp_path)))
    with pytest.raises(FormatError, match=r"line \d+: a comma in .* expected numbers with decimal points"):
        read_motion(tmp_path / "commas.bvh")


def test_fewer_lines_than_frames_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cut.bvh").write_text("\n".join(text(tmp_path).splitlines()[:-3]) + "\n")
    with pytest.raises(FormatError, match="ends after 5 of 8 frames; expected 8 lines of values, or 'Frames: 5' if"):
        read_motion(tmp_path / "cut.bvh")


def carried(text: str, carriers: tuple[str, ...], targets: tuple[str, ...], path: list[str]) -> str:
    """A BVH file whose root becomes a joint of its own path on carriers, of which the first has targets beside it."""
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    hierarchy, motion = text.removeprefix("HIERARCHY\n").split("MOTION\n")
    for name in reversed(carriers[1:]):
        hierarchy = f"JOINT {name}\n{{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n{hierarchy}}}\n"
    first = "".join(f"JOINT {name}\n{{\nOFFSET 9 0 9\nCHANNELS 0\n}}\n" for name in targets)
    hierarchy = f"ROOT {carriers[0]}\n{{\nOFFSET 0 0 0\n{six}\n{first}{hierarchy.replace('ROOT', 'JOINT')}}}\n"
    head, lines = motion.splitlines()[:2], motion.splitlines()[2:]
    still = " 0 0 0" * (len(carriers) - 1)
    values = [f"{place}{still} {line}" for place, line in zip(path, lines, strict=True)]
    return "\n".join([f"HIERARCHY\n{hierarchy}MOTION", *head, *values, ""])


@pytest.mark.parametrize(
    ("carriers", "targets"),
    [
        (("root",), ("ik_foot_root", "ik_hand_root", "interaction")),  # Unreal
        (("root", "attach"), ("ik_foot_root",)),  # Fortnite
        (("全ての親",), ("左足ＩＫ", "右足ＩＫ")),  # MikuMikuDance
        (("root", "torso"), ("MCH-foot_roll.L", "hand_ik.R")),  # Rigify
        (("Armature", "SKEL_ROOT", "n_hara"), ()),
    ],
)
@pytest.mark.parametrize("root_travels", [False, True])
def test_a_body_that_travels_on_what_carries_it_keeps_its_path(
    tmp_path: Path, carriers: tuple[str, ...], targets: tuple[str, ...], root_travels: bool
) -> None:
    source = swaying()
    motion = replace(source, root=source.root + torch.linspace(0, 1, len(source.root))[:, None])
    write_bvh(motion, tmp_path / "walk.bvh")
    path = [f"0 0 {frame if root_travels else 0} 0 0 90" for frame in range(len(motion.root))]  # a quarter turn about y
    (tmp_path / "carried.bvh").write_text(
        carried((tmp_path / "walk.bvh").read_text("utf-8"), carriers, targets, path), encoding="utf-8"
    )
    found = read_motion(tmp_path / "carried.bvh")
    assert found.skeleton.names == read_motion(tmp_path / "walk.bvh").skeleton.names
    order = [motion.skeleton.index(name) for name in found.skeleton.names]
    x, y, z = motion.positions[:, order].unbind(dim=-1)
    root = 0.01 * torch.arange(len(motion.root)) * root_travels
    torch.testing.assert_close(found.positions, torch.stack([z, y, root[:, None] - x], dim=-1), atol=1e-4, rtol=0)
