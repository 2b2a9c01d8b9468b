"""CMU: the words of a line come onto the trial's time, and damaged frames are left out."""

import json

import pytest

from motionclip.data import cmu
from motionclip.data.cmu import cmu_source
from motionclip.data.synthetic import hold, to_motion
from motionclip.errors import DataError

ROW = {
    "trial": "01_01",
    "file": "01/01_01.amc",
    "fps": 120.0,
    "frames": 1200,
    "duration_s": 10.0,
    "skeleton": "cmu31-asf",
    "drop_first_frame": False,
    "cmu_description": "walk",
    "kit": [],
    "humanml3d": [],
}


def trial(tmp_path, **changes):
    """The only trial of a folder whose table has one line; its file exists but is empty."""
    row = {**ROW, **changes}
    (tmp_path / "captions.jsonl").write_text(json.dumps(row) + "\n")
    path = tmp_path / row["file"]
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return cmu_source(tmp_path).items[0]


def spans(item):
    return [(timed.text, timed.start, timed.end) for timed in item.texts]


def test_a_caption_of_a_part_is_put_onto_the_trials_time(tmp_path):
    captions = [["whole", 0.0, 0.0], ["part", 1.0, 3.0], ["too long", 2.0, 9.0]]
    item = trial(tmp_path, humanml3d=[{"id": "000001", "start": 4.0, "end": 8.0, "captions": captions}])
    assert spans(item) == [("whole", 4.0, 8.0), ("part", 5.0, 7.0), ("too long", 6.0, 8.0)]


def test_kit_sentences_follow_and_replace_the_index_text(tmp_path):
    assert spans(trial(tmp_path, kit=[[0.0, 5.0, "A person walks."]])) == [("A person walks.", 0.0, 5.0)]


def test_the_index_text_is_used_only_where_there_is_nothing_better(tmp_path):
    assert spans(trial(tmp_path)) == [("walk", 0.0, 10.0)]
    assert spans(trial(tmp_path, cmu_description="Unknown")) == []


@pytest.fixture
def read(monkeypatch):
    """Trials read as 1,200 frames of standing whose root's x counts the frames of the file."""

    def stand(item):
        motion = to_motion(hold(1200))
        motion.root[:, 0] = motion.root.new_tensor(range(1200))
        return type(motion)(motion.rotations, motion.root, item.fps, motion.skeleton)

    monkeypatch.setattr(cmu, "_read_motion", stand)
    return lambda item: item.read()


def test_a_whole_trial_keeps_its_time(tmp_path, read):
    clip = read(trial(tmp_path))
    assert (clip.key, clip.dataset, clip.split, clip.motion.fps) == ("01_01", "cmu", "train", 120)
    assert clip.motion.num_frames == 1200
    assert (clip.captions[0].start, clip.captions[0].end) == (0.0, 10.0)


def test_a_t_pose_and_its_blend_are_dropped_and_captions_moved(tmp_path, read):
    clip = read(trial(tmp_path, drop_first_frame=True, kit=[[1.0, 2.0, "walks"]]))
    assert float(clip.motion.root[0, 0]) == 9
    assert (clip.captions[0].start, clip.captions[0].end) == pytest.approx((1 - 8 / 120, 2 - 8 / 120))


def test_damaged_beginnings_and_ends_are_dropped(tmp_path, read):
    clip = read(trial(tmp_path, trial="09_10", kit=[[0.0, 2.0, "runs"]]))
    assert float(clip.motion.root[0, 0]) == 4
    assert (clip.captions[0].start, clip.captions[0].end) == pytest.approx((0, 2 - 4 / 120))
    item = trial(tmp_path, trial="01_07", kit=[[0.0, 9.0, "climbs"], [31.0, 33.0, "gone"]])
    assert item.stop == 3364
    assert [caption.text for caption in read(item).captions] == ["climbs"]


def test_a_missing_file_is_named(tmp_path):
    item = trial(tmp_path)
    item.path.unlink()
    with pytest.raises(DataError, match=r"01_01\.amc is missing"):
        item.read()


def test_a_folder_without_trials_is_refused(tmp_path):
    with pytest.raises(DataError, match="no CMU trial below"):
        cmu_source(tmp_path)


def test_the_frames_to_drop_may_be_counted(tmp_path, read):
    clip = read(trial(tmp_path, drop_first_frame=True, drop_first_frames=1, kit=[[0.0, 2.0, "walks"]]))
    assert float(clip.motion.root[0, 0]) == 1
    assert (clip.captions[0].start, clip.captions[0].end, clip.lead) == pytest.approx((0, 2, 1 / 120))


def test_spans_that_end_behind_the_trial_are_cut(tmp_path, read):
    clip = read(trial(tmp_path, kit=[[2.0, 99.0, "walks"], [98.0, 99.0, "gone"]]))
    assert [(c.text, c.start, c.end) for c in clip.captions] == [("walks", 2, 10)]


def test_of_a_cut_only_the_index_text_holds(tmp_path):
    item = trial(tmp_path, frames=240, index_frames=497, duration_s=2.0, kit=[[0.0, 4.15, "hops"]])
    assert spans(item) == [("walk", 0.0, 2.0)]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"trial": "01_01"}',
        json.dumps({**ROW, "kit": [[0.0]]}),
        json.dumps({**ROW, "fps": 0}),
        json.dumps({**ROW, "drop_first_frame": float("inf")}),
    ],
)
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "captions.jsonl").write_text(json.dumps(ROW) + "\n\n" + line + "\n")
    with pytest.raises(DataError, match="line 3: not a trial"):
        cmu_source(tmp_path)
