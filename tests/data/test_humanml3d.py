"""HumanML3D's clips and sentences, as published and as one file of lines."""

import json
import lzma
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from amass_files import humanml3d

from motionclip.data.amass_names import SUBSETS
from motionclip.data.clip import TimedText
from motionclip.data.humanml3d import HumanML3DClip, read_humanml3d
from motionclip.errors import DataError

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "humanml3d_captions.jsonl.xz"

ROWS = [
    ("./pose_data/KIT/3/kick_high_left02_poses.npy", 0, 117, "000000.npy"),
    ("./pose_data/humanact12/humanact12/P11G01R02F1812T1847A0402.npy", 0, -1, "000001.npy"),
    ("./pose_data/MPI_mosh/50007/misc 1_poses.npy", 10, 20, "000002.npy"),
]
TEXTS = {
    "000000": ["a man kicks.#a/DET man/NOUN kick/VERB#0.0#0.0", "he stands#he/PRON stand/VERB#1.0#2.5"],
    "000002": ["a person waits#a/DET person/NOUN wait/VERB#nan#nan"],
    "M000000": ["a man kicks to the left.#a/DET man/NOUN#0.0#0.0"],
}


def clip(subset="KIT", start=0, end=100, sentences=()):
    return HumanML3DClip("000000", f"{subset}/1/x", "train", start, end, sentences)


def test_published_layout(tmp_path):
    folder = humanml3d(tmp_path / "HumanML3D", ROWS, TEXTS, train="000000 M000000 000001", test="000009")
    kick, wait = read_humanml3d(folder)
    assert kick == HumanML3DClip(
        "000000",
        "KIT/3/kick_high_left02",
        "train",
        0,
        117,
        (TimedText("a man kicks.", 0, 0), TimedText("he stands", 1, 2.5)),
    )
    assert (wait.sequence, wait.split, wait.texts) == (
        "MoSh/50007/misc_1",
        None,
        (TimedText("a person waits", 0, 0),),
    )


@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.xz"])
def test_lines_say_the_same_as_the_published_layout(tmp_path, name):
    folder = humanml3d(tmp_path / "published", ROWS, TEXTS, train="000000")
    captions = {"000000": [["a man kicks.", 0.0, 0.0], ["he stands", 1.0, 2.5]], "000001": [["falls", 0.0, 0.0]]}
    captions["000002"] = [["a person waits", 0.0, 0.0]]
    lines = [
        {"id": key[:6], "source": path[12:], "start_frame": start, "end_frame": end, "captions": captions[key[:6]]}
        | {"split": "train" if key == "000000.npy" else None}
        for path, start, end, key in ROWS
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (tmp_path / name).write_bytes(lzma.compress(content) if name.endswith("xz") else content)
    assert read_humanml3d(tmp_path / name) == read_humanml3d(folder)


@pytest.mark.parametrize("fps", [59, 60, 100, 120, 150, 240, 250])
@pytest.mark.parametrize(("subset", "lead"), [("CMU", 0), ("HDM05", 3), ("Transitions", 0.5), ("TotalCapture", 1)])
def test_frames_are_those_of_the_data_sets_own_processing(fps, subset, lead):
    kept = np.arange(4000)[:: int(fps / 20)][int(lead * 20) :][30:70]  # what the published notebook keeps of a file
    first, stop = clip(subset, 30, 70).span(fps)
    assert (first, stop) == (kept[0], kept[-1] + int(fps / 20))


def test_seconds_of_a_sentence_are_of_its_clip_and_of_twenty_frames():
    told = (TimedText("part", 1, 2), TimedText("late", 2, 99), TimedText("swapped", 2, 1), TimedText("none", 3, 3))
    spans = {c.text: (round(c.start, 4), round(c.end, 4)) for c in clip("PosePrior", 20, 80, told).captions(100, 60)}
    assert spans == {"part": (3, 4), "late": (4, 5), "swapped": (3, 4), "none": (2, 5)}
    part = clip("CMU", 20, 80, told).captions(250, 60)[0]
    assert (part.start, part.end) == (40 * 12 / 250, 60 * 12 / 250)


def test_sentences_beyond_the_motion_are_cut_or_left_out():
    told = (TimedText("part", 1, 2), TimedText("whole", 0, 0))
    assert [(c.text, c.start, c.end) for c in clip("KIT", 0, 60, told).captions(100, 0.9)] == [("whole", 0, 0.9)]


def test_what_is_missing_of_the_published_layout_is_named(tmp_path):
    with pytest.raises(DataError, match=r"texts\.zip unpacked"):
        read_humanml3d(tmp_path)
    folder = humanml3d(tmp_path / "a", ROWS, {})
    with pytest.raises(DataError, match=r"000000\.txt is missing"):
        read_humanml3d(folder)
    (folder / "HumanML3D" / "val.txt").unlink()
    with pytest.raises(DataError, match=r"val\.txt is missing"):
        read_humanml3d(folder)
    with pytest.raises(DataError, match=r"expected its folder with index\.csv"):
        read_humanml3d(tmp_path / "nothing.jsonl")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("./pose_data/mine/3/x_poses.npy", 0, 9, "000000.npy"), "in no sub-data set"),
        (("./pose_data/KIT/3/x_poses.npy", 9, 9, "000000.npy"), "frames 9 to 9"),
        (("./pose_data/KIT/3/x_poses.npy", "", 9, "000000.npy"), "(invalid literal|Expected `int`)"),
    ],
)
def test_bad_rows_are_named_with_their_line(tmp_path, row, says):
    with pytest.raises(DataError, match=f"index.csv, line 2: .*{says}"):
        read_humanml3d(humanml3d(tmp_path, [row], TEXTS))
    source, start, end, name = row
    line = {"id": name, "source": source[12:], "start_frame": start, "end_frame": end, "split": None, "captions": []}
    (tmp_path / "x.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=f"x.jsonl, line 1: .*{says}"):
        read_humanml3d(tmp_path / "x.jsonl")


@pytest.mark.skipif(not SHARED.is_file(), reason="needs the published captions")
def test_all_published_clips_are_read():
    clips = read_humanml3d(SHARED)
    assert len(clips) == 14616 - 1191
    assert {PurePosixPath(clip.sequence).parts[0] for clip in clips} <= set(SUBSETS)
    assert len({clip.sequence for clip in clips}) == 10524  # no two files of the set share a key
    assert sum(clip.split is None for clip in clips) == 2
    assert all(clip.texts and clip.captions(120.0, 1e6) for clip in clips)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("HumanML3D/train.txt", b"\xff"),
        ("index.csv", b"\xff"),
        ("index.csv", b"source_path,start_frame,end_frame,new_name\n" + b"x" * 200_000),
        ("HumanML3D/texts/000000.txt", b"\xff"),
    ],
)
def test_damaged_tables_are_named(tmp_path, name, content):
    folder = humanml3d(tmp_path / "HumanML3D", ROWS, TEXTS, train="000000")
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=name.rpartition("/")[2]):
        read_humanml3d(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b"\xff"), ("a.jsonl.xz", b"no xz"), ("a.jsonl.xz", lzma.compress(b" " * 50_000_000)[:-9])],
)
def test_damaged_lines_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read_humanml3d(tmp_path / name)
