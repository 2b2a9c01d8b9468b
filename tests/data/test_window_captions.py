"""Window captions: sentences about spans of any source, by the keys or the files of its clips."""

import json

import pytest

from motionclip.data.clip import Caption, Clip, Source
from motionclip.data.folder import folder_source
from motionclip.data.prepare import prepare
from motionclip.data.store import Store
from motionclip.data.synthetic import hold, to_motion
from motionclip.data.window_captions import shipped_captions, with_window_captions
from motionclip.data.words import shipped_phrases
from motionclip.errors import DataError
from motionclip.io import write_motion

LINE = {"set": "mine", "clip": "walk.bvh", "start": 0.5, "end": 1.5, "label": "walk", "texts": ["go", "someone goes"]}


def lines(tmp_path, *changes):
    path = tmp_path / "windows.jsonl"
    path.write_text("\n".join(json.dumps(LINE | change) for change in changes) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def source(tmp_path):
    (tmp_path / "Mine").mkdir()
    write_motion(to_motion(hold(60)), tmp_path / "Mine" / "walk.bvh")
    return folder_source(tmp_path / "Mine")


def test_they_are_in_the_store_before_others_with_their_label(source, tmp_path):
    path = lines(tmp_path, {}, {"start": 1.8, "end": 9, "texts": ["stop"], "quality": "static"}, {"set": "other"})
    described = with_window_captions(source, path)
    assert described.notes == ("windows.jsonl describes windows of 1 clips",)
    prepare(described, tmp_path / "store", workers=1)
    captions = Store.open(tmp_path / "store").entries[0].captions
    assert [(c.text, c.start, c.end, c.categories) for c in captions] == [
        ("go", 15, 45, ("walk",)),
        ("someone goes", 15, 45, ("walk",)),
        ("stop", 54, 60, ("walk",)),
        ("walk", 0, 60, ()),
    ]


def test_damaged_windows_are_left_out_and_counted(source, tmp_path):
    path = lines(tmp_path, {}, {"start": 0, "quality": "damaged"}, {"clip": "gone.bvh", "quality": "damaged"})
    described = with_window_captions(source, path)
    assert described.notes[-1].endswith("; 1 of damaged recordings are left out")
    assert len(described.items[0].read().captions) == 3


class Late:
    """A clip whose source leaves out the first second of its file."""

    key, split = "07_01", "train"

    def __init__(self, folder):
        self.path = folder / "07" / "07_01.bvh"

    def read(self):
        return Clip(self.key, "cmu", "val", to_motion(hold(60)), (Caption("walk", 0.0, 2.0),), lead=1.0)


@pytest.mark.parametrize(("clip", "start"), [("07_01", 1.5), ("07/07_01.bvh", 0.5), ("07_01.bvh", 0.5)])
def test_times_are_those_of_the_clip_by_its_key_and_of_the_file_by_its_name(clip, start, tmp_path):
    path = lines(tmp_path, {"set": "CMU", "clip": clip, "start": 1.5, "end": 2.5})
    (item,) = with_window_captions(Source("cmu:anywhere", (Late(tmp_path),)), path).items
    assert item.read().captions[0].start == start


def test_lines_without_a_set_are_about_any_source(source, tmp_path):
    path = tmp_path / "windows.jsonl"
    path.write_text('{"clip": "walk.bvh", "start": 0, "end": 1, "texts": ["go"]}')
    (first, *_) = with_window_captions(source, path).items[0].read().captions
    assert (first.text, first.categories) == ("go", ())


def test_a_file_about_other_clips_is_refused(source, tmp_path):
    with pytest.raises(DataError, match=r"about no clip of folder:.*its sets are accad"):
        with_window_captions(source, lines(tmp_path, {"set": "accad"}))
    with pytest.raises(DataError, match="is missing"):
        with_window_captions(source, tmp_path / "gone.jsonl")


@pytest.mark.parametrize(
    "change",
    [
        {"end": 0.5},
        {"start": "soon"},
        {"texts": "go"},
        {"texts": [1]},
        {"quality": "good"},
        {"set": 1},
        {"texts": None},
        {"clip": []},
    ],
)
def test_a_bad_line_is_named(change, source, tmp_path):
    with pytest.raises(DataError, match="line 2: not a window"):
        with_window_captions(source, lines(tmp_path, {}, change))


def test_the_shipped_file_has_labels_that_people_have_phrases_for() -> None:
    rows = [json.loads(line) for line in shipped_captions().read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 2000
    assert {row["label"] for row in rows} <= shipped_phrases().keys()
