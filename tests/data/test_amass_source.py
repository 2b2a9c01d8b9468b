"""AMASS with words: names, splits, frame rates, and captions on the right frames of the store."""

import pytest
import torch
from amass_files import annotation, babel, humanml3d, label, sequence, smplh, smplx

from motionclip.cli.main import main
from motionclip.data.amass import amass_source, find_sequences
from motionclip.data.amass_names import SUBSETS, published_split
from motionclip.data.prepare import prepare
from motionclip.data.sources import detect, open_source
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.errors import DataError

KEY, FEAT = "CMU/01/01_01", "CMU/CMU/01/01_01_poses.npz"


def labels(folder, dur=4.0, feat_p=FEAT, split="train"):
    frames = annotation(label("step", 0.5, 1.5), label("wave", 1, 3, ["wave"]), label("step", 0.5, 1.5, ["step"]))
    row = sequence(feat_p, dur=dur, seq_ann=annotation(label("walk", cats=["walk"])), frame_ann=frames)
    return babel(folder, **{split: [row]})


def sentences(folder, source="./pose_data/CMU/01/01_01_poses.npy", frames=(20, 60), split="val"):
    lines = ["a person walks#a/DET#0.0#0.0", "a person stops#a/DET#1.0#1.5"]
    return humanml3d(folder, [(source, *frames, "000004.npy")], {"000004": lines}, **{split: "000004 M000004"})


def prepared(tmp_path, **options):
    prepare(amass_source(tmp_path / "amass", **options), tmp_path / "store", workers=1)
    return Store.open(tmp_path / "store")


def spans(store, index=0):
    return [(caption.text, caption.start, caption.end) for caption in store.entries[index].captions]


def seconds(store, frame, index=0):
    """The time at which a frame was recorded, which is where the body was along x."""
    return store.motion(index).root[frame, 0].item()


@pytest.mark.parametrize("fps", [60, 100, 120, 150, 240, 250])
def test_labels_are_on_the_right_frames_at_every_rate(tmp_path, fps):
    smplh(tmp_path / "amass" / FEAT, fps=fps)
    store = prepared(tmp_path, babel=labels(tmp_path / "babel"))
    assert spans(store) == [("step", 15, 45), ("wave", 30, 90), ("walk", 0, store.entries[0].num_frames)]
    assert [caption.categories for caption in store.entries[0].captions] == [("step",), ("wave",), ()]
    assert seconds(store, 30) == pytest.approx(1.0, abs=1e-3)
    assert seconds(store, 90) == pytest.approx(3.0, abs=1e-3)
    assert store.entries[0].num_frames in (119, 120)


def test_both_sources_of_words_stand_side_by_side(tmp_path):
    smplh(tmp_path / "amass" / FEAT)
    store = prepared(tmp_path, babel=labels(tmp_path / "babel"), humanml3d=sentences(tmp_path / "h"))
    assert spans(store)[:2] == [("a person walks", 30, 90), ("a person stops", 60, 75)]
    assert [text for text, *_ in spans(store)[2:]] == ["step", "wave", "walk"]
    windows = WindowSet([store], "train", {}, min_frames=10)
    assert {"a person walks", "step", "wave", "walk"} <= set(windows.texts)


@pytest.mark.parametrize(("fps", "lead"), [(120, 0), (250, 0), (100, 3)])
def test_clips_of_humanml3d_are_cut_out_at_its_frames(tmp_path, fps, lead):
    subset = "MPI_HDM05" if lead else "CMU"
    smplh(tmp_path / "amass" / subset / "bk" / "x_poses.npz", seconds=8, fps=fps)
    source = sentences(tmp_path / "h", f"./pose_data/{subset}/bk/x_poses.npy")
    store = prepared(tmp_path, humanml3d=source, split="humanml3d")
    (entry,) = store.entries
    second = 20 * int(fps / 20) / fps
    assert (entry.key, entry.dataset, entry.split) == ("000004", "humanml3d", "val")
    assert seconds(store, 0) == pytest.approx((lead + 1) * second, abs=1e-3)
    assert entry.num_frames == pytest.approx(60 * second, abs=1)
    assert spans(store) == [("a person walks", 0, entry.num_frames), ("a person stops", *told(second))]


def told(second):
    return round(30 * second), round(45 * second)


def test_a_clip_keeps_babels_labels_of_its_frames(tmp_path):
    smplh(tmp_path / "amass" / FEAT)
    store = prepared(tmp_path, babel=labels(tmp_path / "b"), humanml3d=sentences(tmp_path / "h"), split="humanml3d")
    assert spans(store)[2:] == [("step", 0, 15), ("wave", 0, 60), ("walk", 0, 60)]


@pytest.mark.parametrize(
    ("path", "write"),
    [
        ("CMU/01/01_01_poses.npz", lambda path: smplh(path, gender=b"female")),
        ("CMU/CMU/01/01_01_poses.npz", smplh),
        ("CMU/01/01_01_stageii.npz", smplx),
        ("CMU/01/01_01_stageii.npz", lambda path: smplx(path, whole=False)),
        ("CMU/01/01_01_stageii.npz", lambda path: smplx(path, fps=60.0, said=120.0)),
        ("CMU/01/01_01_stageii.npz", lambda path: smplx(path, fps=150.0, said=120.0)),
    ],
)
def test_every_layout_of_a_file_gives_the_same_motion(tmp_path, path, write):
    write(tmp_path / "amass" / path)
    smplh(tmp_path / "amass" / "KIT" / "3" / "x_poses.npz")
    store = prepared(tmp_path, babel=labels(tmp_path / "babel"))
    assert [entry.key for entry in store.entries] == [KEY, "KIT/3/x"]
    assert spans(store)[1] == ("wave", 30, 90)
    assert seconds(store, 30) == pytest.approx(1.0, abs=1e-3)
    assert torch.allclose(store.motion(0).rotations[5], store.motion(1).rotations[5], atol=1e-5)


def test_files_that_hold_no_motion_are_left_out_and_smplh_goes_before_smplx(tmp_path):
    smplx(tmp_path / "CMU/01/01_01_stageii.npz")
    smplh(tmp_path / "old" / FEAT)
    smplx(tmp_path / "MoSh/50007/misc_1_stageii.npz")
    for name in ("shape.npz", "neutral_stagei.npz", "LICENSE.txt"):
        (tmp_path / "CMU/01" / name).touch()
    found = find_sequences(tmp_path)
    assert {key: path.name for key, path in found.items()} == {
        KEY: "01_01_poses.npz",
        "MoSh/50007/misc_1": "misc_1_stageii.npz",
    }
    assert list(find_sequences(tmp_path / "CMU")) == [KEY]


def test_the_split_of_amass_is_by_sub_data_set():
    splits = {subset: published_split(f"{subset}/1/x") for subset in SUBSETS}
    assert {name for name, split in splits.items() if split == "val"} == {"HumanEva", "HDM05", "SFU", "MoSh"}
    assert {name for name, split in splits.items() if split == "test"} == {"Transitions", "SSM"}


def test_the_split_of_babel_takes_the_sequences_of_babel(tmp_path):
    smplh(tmp_path / "SFU/1/x_poses.npz")
    smplh(tmp_path / "SFU/1/y_poses.npz")
    source = labels(tmp_path / "b", feat_p="SFU/SFU/1/y_poses.npz", split="test")
    (item,) = amass_source(tmp_path, babel=source, split="babel").items
    assert (item.key, item.read().split) == ("SFU/1/y", "test")
    assert [item.read().split for item in amass_source(tmp_path, babel=source).items] == ["val", "val"]


def test_notes_say_how_much_fits(tmp_path):
    smplh(tmp_path / FEAT)
    smplh(tmp_path / "KIT/3/x_poses.npz")
    row = sequence("CMU/CMU/02/02_01_poses.npz", seq_ann=None, frame_ann=None)
    notes = amass_source(tmp_path, babel=babel(tmp_path / "b", train=[sequence(FEAT), row])).notes
    assert notes == (
        "1 of the 2 sequences of babel are in the folder, without CMU/02/02_01",
        "1 of the 2 motion files have no captions, such as KIT/3/x",
    )


def test_labels_that_fit_no_file_show_both_sides(tmp_path):
    smplh(tmp_path / "KIT/3/x_poses.npz")
    for options in ({"babel": labels(tmp_path / "b")}, {"humanml3d": sentences(tmp_path / "h")}):
        with pytest.raises(DataError, match=r"0 of the 1 sequences of .*has KIT/3/x, and .* CMU/01/01_01;"):
            amass_source(tmp_path, **options)


@pytest.mark.parametrize("path", ["shape.npz", "mine/walk_poses.npz", "CMU_poses.npz"])
def test_what_is_not_amass_says_what_it_looks_like(tmp_path, path):
    smplh(tmp_path / path)
    with pytest.raises(DataError, match=r"in a sub-data set of AMASS; expected files such as .*folder:DIR"):
        amass_source(tmp_path)


def test_copies_of_a_file_are_refused(tmp_path):
    smplh(tmp_path / "a" / FEAT)
    smplh(tmp_path / "b" / FEAT)
    with pytest.raises(DataError, match="are the same sequence"):
        amass_source(tmp_path)


def test_a_file_of_another_length_than_its_words_is_refused(tmp_path):
    smplh(tmp_path / "amass" / FEAT, seconds=4)
    (item,) = amass_source(tmp_path / "amass", babel=labels(tmp_path / "b", dur=6.0)).items
    with pytest.raises(DataError, match=r"480 frames at 120 fps\), and 6\.00 s in BABEL"):
        item.read()
    (item,) = amass_source(tmp_path / "amass", humanml3d=sentences(tmp_path / "h", frames=(20, 110))).items
    with pytest.raises(DataError, match="frames 120 to 660; expected them inside"):
        item.read()


@pytest.mark.parametrize(("options", "says"), [({"split": "mine"}, "'mine'"), ({"split": "babel"}, "babel=PATH")])
def test_splits_that_cannot_be_are_refused(tmp_path, options, says):
    smplh(tmp_path / FEAT)
    with pytest.raises(DataError, match=says):
        amass_source(tmp_path, **options)


def test_a_spec_names_folder_labels_and_split(tmp_path):
    folder = tmp_path / "amass, all"
    smplh(folder / FEAT)
    assert detect(folder) == "amass"
    assert open_source(str(folder)).spec == open_source(f"amass:{folder}").spec == f"amass:{folder}"
    labels(tmp_path / "b")
    sentences(tmp_path / "h")
    spec = f"amass:{folder},babel={tmp_path / 'b'},humanml3d={tmp_path / 'h'},split=humanml3d"
    source = open_source(spec)
    assert (source.spec, [item.key for item in source.items]) == (spec, ["000004"])
    with pytest.raises(DataError, match=r"amass:DIR\[,babel=DIR\]"):
        open_source(f"amass:{folder},bable={tmp_path / 'b'}")
    with pytest.raises(DataError, match="no labels in"):
        open_source(f"amass:{folder},babel={tmp_path / 'gone'}")


def test_the_command_prepares_amass_and_says_what_fits(tmp_path, capfd):
    smplh(tmp_path / "amass" / FEAT)
    spec = f"amass:{tmp_path / 'amass'},babel={labels(tmp_path / 'b')}"
    assert main(["prepare", spec, "--out", str(tmp_path / "store"), "--workers", "1"]) == 0
    assert "1 of the 1 sequences of babel" in " ".join(capfd.readouterr().out.split())
    assert [entry.key for entry in Store.open(tmp_path / "store", verify=True).entries] == [KEY]
