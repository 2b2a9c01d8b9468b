"""The CMU database as published, without captions.jsonl: trials are found in every layout, split by subject."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motionclip.data import cmu
from motionclip.data.cmu import cmu_source
from motionclip.data.cmu_files import find_trials, split_of
from motionclip.data.sources import detect
from motionclip.data.synthetic import hold, to_motion
from motionclip.formats.bvh import write_bvh
from motionclip.motion import Motion

LAYOUTS = {
    "as CMU has it": ["subjects/01/01.asf", "subjects/01/01_01.amc", "subjects/141/141.asf", "subjects/141/141_16.amc"],
    "flat": ["01.asf", "01_01.amc", "141.asf", "141_16.amc"],
    "skeletons apart": ["asf/01.asf", "asf/141.asf", "amc/01_01.amc", "amc/141_16.amc"],
    "for MotionBuilder": ["cmuconvert-mb2-01-09/01/01_01.bvh", "cmuconvert-mb2-141-144/141/141_16.bvh"],
    "for Daz": ["cmuconvert-daz-01-09/01/01_01.bvh", "cmuconvert-daz-141-144/141/141_16.bvh"],
    "three digits": ["data/001/01_01.bvh", "data/141/141_16.BVH"],
}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_trials_and_their_skeletons_are_found(layout, tmp_path):
    fill(tmp_path, *LAYOUTS[layout])
    trials = cmu_source(tmp_path).items
    assert [trial.key for trial in trials] == ["01_01", "141_16"]
    for trial in trials:
        named = {"01_01": "01.asf", "141_16": "141.asf"}[trial.key] if trial.path.suffix == ".amc" else None
        assert (trial.asf.name if trial.asf else None) == named


@pytest.mark.parametrize("layout", ["as CMU has it", "for MotionBuilder", "three digits"])
def test_a_bare_folder_is_known_by_its_files(layout, tmp_path):
    fill(tmp_path, *LAYOUTS[layout])
    assert detect(tmp_path) == ("folder" if layout == "three digits" else "cmu")


def test_of_several_files_of_a_trial_the_original_is_read(tmp_path):
    fill(tmp_path, "a/01_01.bvh", "b/01_01.bvh", "z/01_01.amc", "z/1_2.bvh", "z/walk_01.bvh")
    assert {key: path.name for key, path in find_trials(tmp_path).items()} == {"01_01": "01_01.amc", "01_02": "1_2.bvh"}


def test_unknown_trials_have_the_split_of_their_subject():
    held_out = {"06": "val", "07": "val", "131": "val", "08": "test", "13": "test", "39": "test", "127": "test"}
    for subject, split in held_out.items():
        assert split_of(f"{subject}_99") == split
    assert {split_of(key) for key in ("01_01", "91_01", "105_01", "144_01")} == {"train"}


def test_a_recording_that_is_published_twice_comes_once(tmp_path):
    fill(tmp_path, "105/105.asf", "91/91_01.amc", "105/105_01.amc", "105/105_02.amc")
    trials = cmu_source(tmp_path).items
    assert [(trial.key, trial.asf.name) for trial in trials] == [("91_01", "105.asf"), ("105_02", "105.asf")]


def test_the_index_gives_the_words(tmp_path):
    fill(tmp_path, "01/01_01.amc", "01/01_02.amc")
    (tmp_path / "cmu-mocap-index-text.txt").write_text(
        "Subject #1 (climb, swing)\n01_01 \tplayground - forward jumps, turn around\n01_03\tclimb\n"
    )
    source = cmu_source(tmp_path)
    assert [[text.text for text in trial.texts] for trial in source.items] == [
        ["playground - forward jumps, turn around"],
        [],
    ]
    assert source.notes == ("2 trials have no line in captions.jsonl, 1 of them no text in CMU's index either",)


def test_trials_without_a_line_follow_those_that_have_one(tmp_path):
    fill(tmp_path, "01/01_01.amc", "01/01_02.amc")
    row = (
        '{"trial": "01_02", "file": "01/01_02.amc", "fps": 120, "skeleton": "cmu31-asf", "drop_first_frame": false,'
        ' "duration_s": 1, "cmu_description": "walk", "kit": [], "humanml3d": []}'
    )
    (tmp_path / "captions.jsonl").write_text(row)
    assert [trial.key for trial in cmu_source(tmp_path).items] == ["01_02", "01_01"]


def posed(angle: float) -> torch.Tensor:
    """Rotations (1, 24, 3, 3) with every joint turned by an angle about its z axis."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return torch.tensor([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]]).float().expand(1, 24, 3, 3)


T_POSES = {"with nothing turned": posed(0.0), "of another rest pose": posed(0.9)}


@pytest.mark.parametrize("pose", T_POSES)
def test_a_t_pose_before_a_conversion_is_left_out_and_the_rate_is_the_recordings(pose, tmp_path):
    moving = torch.cat([T_POSES[pose], *(posed(0.3 + 0.001 * frame) for frame in range(59))])
    (tmp_path / "62").mkdir()
    motion = to_motion(hold(60))
    write_bvh(Motion(moving, motion.root, 30, motion.skeleton), tmp_path / "62" / "62_01.bvh")
    clip = cmu_source(tmp_path).items[0].read()
    assert (clip.key, clip.split, clip.motion.fps, clip.motion.num_frames) == ("62_01", "train", 60, 60 - 5)
    assert clip.lead == pytest.approx(5 / 60)
    write_bvh(Motion(moving[1:], motion.root[1:], 30, motion.skeleton), tmp_path / "62" / "62_01.bvh")
    assert cmu_source(tmp_path).items[0].read().motion.num_frames == 59


@pytest.mark.parametrize(("joint", "unit"), [("LHipJoint", 0.0564), ("abdomen", 0.01)])
def test_the_unit_of_a_conversion_is_known_by_its_joints(joint, unit, tmp_path, monkeypatch):
    (tmp_path / "01_01.bvh").write_text(f"HIERARCHY\nROOT hips\n{{\n  JOINT {joint}\n")
    units = []
    monkeypatch.setattr(cmu, "read_known_bvh", lambda path, unit, fps: units.append(unit) or to_motion(hold(90)))
    cmu_source(tmp_path).items[0].read()
    assert units == [unit]
