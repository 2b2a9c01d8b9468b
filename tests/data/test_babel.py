"""BABEL's files as published: which labels become captions, and which are recognised."""

import json
from pathlib import PurePosixPath

import pytest
from amass_files import annotation, babel, label, sequence, smplh

from motionclip.data.amass import amass_source
from motionclip.data.amass_names import sequence_key
from motionclip.data.babel import babel_actions, babel_chunks, read_babel
from motionclip.data.clip import captions_within
from motionclip.data.prepare import prepare
from motionclip.data.store import Store
from motionclip.errors import DataError

WALK = "CMU/CMU/01/01_01_poses.npz"


def texts(found, key="CMU/01/01_01", duration=4.0):
    return [(c.text, c.start, c.end, c.categories) for c in captions_within(found[key].labels, duration)]


def test_frame_labels_come_first_and_alone_have_categories(tmp_path):
    frames = annotation(label("turn left", 2, 4, ["turn"]), label("walk", 0, 3.5, ["walk", "forward movement"]))
    row = sequence(WALK, seq_ann=annotation(label("walk around", cats=["walk"])), frame_ann=frames)
    found = read_babel(babel(tmp_path, train=[row]))
    assert texts(found) == [
        ("turn left", 2, 4, ("turn",)),
        ("walk", 0, 3.5, ("walk", "forward movement")),
        ("walk around", 0, 4, ()),
    ]
    assert found["CMU/01/01_01"].split == "train"


def test_sequence_labels_have_categories_where_there_are_no_frame_labels(tmp_path):
    row = sequence(WALK, seq_ann=annotation(label("sit", cats=["sit"]), label("read", cats=None)), frame_ann=None)
    assert texts(read_babel(babel(tmp_path, val=[row]))) == [("sit", 0, 4, ("sit",)), ("read", 0, 4, ())]


def test_extra_files_add_words_to_sequences_and_sequences_to_splits(tmp_path):
    first = sequence(WALK, seq_ann=annotation(label("walk", cats=["walk"])), frame_ann=None)
    more = sequence(WALK, seq_anns=[annotation(label("stroll", cats=["walk"]))], frame_anns=None)
    timed = [annotation(label("hop", 1, 2, ["hop"])), annotation(label("jump", 0.5, 2, ["jump"]))]
    other = sequence("KIT/KIT/3/jump01_poses.npz", seq_anns=None, frame_anns=timed)
    found = read_babel(babel(tmp_path, train=[first], extra_train=[more], extra_val=[other]))
    assert texts(found) == [("walk", 0, 4, ("walk",)), ("stroll", 0, 4, ())]
    assert texts(found, "KIT/3/jump01") == [("hop", 1, 2, ()), ("jump", 0.5, 2, ())]
    assert found["KIT/3/jump01"].split == "val"


def test_test_sequences_have_no_labels(tmp_path):
    found = read_babel(babel(tmp_path, test=[sequence(WALK)]))
    assert (found["CMU/01/01_01"].split, texts(found)) == ("test", [])


def test_blank_text_is_never_a_caption_and_transitions_stay(tmp_path):
    blank = label("  ", 0, 1, ["transition"]) | {"proc_label": None}
    nameless = label(None, 1, 2, None)
    frames = annotation(blank, nameless, label("transition", 2, 3, ["transition"]), label("beyond", 5, 6, ["walk"]))
    found = read_babel(babel(tmp_path, train=[sequence(WALK, seq_ann=None, frame_ann=frames)]))
    assert texts(found) == [("transition", 0, 1, ("transition",)), ("transition", 2, 3, ("transition",))]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"dur": 4.0}, "feat_p"),
        (sequence("mine/walk.npz"), "in no sub-data set"),
        (sequence(WALK, dur=0.0), "> 0.0 at `.dur`"),
        (sequence(WALK, frame_ann=annotation(label("walk"))), "start_t"),
        (sequence(WALK, seq_ann=["walk"]), "labels"),
    ],
)
def test_what_is_not_babel_is_named_with_its_sequence(tmp_path, row, says):
    with pytest.raises(DataError, match=f"train.json, sequence 0.*{says}"):
        read_babel(babel(tmp_path, train=[row]))


def test_a_folder_without_babel_and_a_torn_file_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"expected BABEL's folder with train\.json"):
        read_babel(tmp_path)
    (tmp_path / "val.json").write_text('{"1": {')
    with pytest.raises(DataError, match=r"val\.json is damaged"):
        read_babel(tmp_path)


def test_classes_are_in_rank_order():
    names = babel_actions(120)
    assert (len(set(names)), names[:60]) == (120, babel_actions(60))
    assert [names.index(name) for name in ("walk", "stand", "martial art", "balance", "golf", "sudden movement")] == [
        *(0, 1),
        *(59, 60),
        *(116, 119),
    ]
    with pytest.raises(DataError, match="BABEL-150"):
        babel_actions(150)


@pytest.fixture
def store(tmp_path):
    smplh(tmp_path / "amass/CMU/01/01_01_poses.npz", seconds=14)
    smplh(tmp_path / "amass/CMU/01/01_02_poses.npz", seconds=3)
    smplh(tmp_path / "amass/CMU/01/01_03_poses.npz", seconds=3)
    frames = annotation(
        label("walk in a circle", 1, 12.5, ["walk", "transition", "circular movement"]),
        label("balance", 2, 4, ["balance"]),
        label("fidget", 2, 4, None),
    )
    whole = annotation(label("walk", cats=["walk"]))
    rows = [
        sequence(WALK, dur=14, seq_ann=whole, frame_ann=frames),
        sequence("CMU/CMU/01/01_02_poses.npz", dur=3, seq_ann=annotation(label("sit", cats=["sit"])), frame_ann=None),
    ]
    extra = sequence("CMU/CMU/01/01_03_poses.npz", dur=3, seq_anns=[whole], frame_anns=None)
    labels = babel(tmp_path / "babel", val=rows, extra_val=[extra])
    prepare(amass_source(tmp_path / "amass", babel=labels, split="babel"), tmp_path / "store", workers=1)
    return Store.open(tmp_path / "store")


def test_segments_are_cut_into_five_seconds_with_all_their_classes(store):
    names = babel_actions(60)
    walk, circle, sit = (names.index(name) for name in ("walk", "circular movement", "sit"))
    found = [(chunk.entry, chunk.start, chunk.stop, chunk.classes) for chunk in babel_chunks(store, "val")]
    assert found == [
        (0, 30, 180, (walk, circle)),
        (0, 180, 330, (walk, circle)),
        (0, 330, 375, (walk, circle)),
        (1, 0, 90, (sit,)),
    ]
    more = [chunk.classes for chunk in babel_chunks(store, "val", 120)]
    assert more.count((babel_actions(120).index("balance"),)) == 1


def test_a_split_without_categories_says_how_to_prepare_it(store):
    with pytest.raises(DataError, match="split=babel"):
        list(babel_chunks(store, "train"))


def test_stores_without_categories_are_as_before_and_still_open(store):
    manifest = json.loads((store.folder / "manifest.json").read_text())
    rows = [row["captions"] for row in manifest["entries"]]
    assert rows[2] == [[3, 0, 90]]
    assert rows[0][0] == [0, 30, 375, ["walk", "transition", "circular movement"]]
    assert store.entries[0].captions[0].categories == ("walk", "transition", "circular movement")
    assert store.entries[2].captions[0].categories == ()


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("CMU/CMU/01/01_01_poses.npz", "CMU/01/01_01"),
        ("BMLrub/BioMotionLab_NTroje/rub055/0020_lifting_heavy2_poses.npz", "BMLrub/rub055/0020_lifting_heavy2"),
        ("BMLrub/rub055/0020_lifting_heavy2_stageii.npz", "BMLrub/rub055/0020_lifting_heavy2"),
        ("MPIHDM05/MPI_HDM05/dg/HDM_dg_03-11_03_120_poses.npz", "HDM05/dg/HDM_dg_03-11_03_120"),
        ("MPImosh/MPI_mosh/50022/stretch_poses_poses.npz", "MoSh/50022/stretch_poses"),
        ("Mosh/50020/misc_1_stageii.npz", "MoSh/50020/misc_1"),
        ("MPI_mosh/50007/misc 1_poses.npy", "MoSh/50007/misc_1"),
        ("MPILimits/MPI_Limits/03101/ulr5_poses.npz", "PosePrior/03101/ulr5"),
        ("SSM_synced/20161014_50033/ATUSquat_sync_poses.npz", "SSM/20161014_50033/ATUSquat_sync"),
        ("SSMsynced/SSM_synced/20161014_50033/ATUSquat_sync_poses.npz", "SSM/20161014_50033/ATUSquat_sync"),
        ("Transitions_mocap/mazen_c3d/airkick_running_poses.npz", "Transitions/mazen_c3d/airkick_running"),
        ("TCDhandMocap/TCD_handMocap/ExperimentDatabase/typing_2_poses.npz", "TCDHands/ExperimentDatabase/typing_2"),
        ("DFaust67/DFaust_67/50002/50002_one_leg_jump_poses.npz", "DFaust/50002/50002_one_leg_jump"),
        ("EyesJapanDataset/aita/turn-03-look_at-aita_stageii.npz", "Eyes_Japan_Dataset/aita/turn-03-look_at-aita"),
        ("ACCAD/Female1Running_c3d/C19 -  run to hop_poses.npz", "ACCAD/Female1Running_c3d/C19_-_run_to_hop"),
        ("ACCAD/Female1Running_c3d/C19_-__run_to_hop_stageii.npz", "ACCAD/Female1Running_c3d/C19_-_run_to_hop"),
        ("data/smplh/KIT/3/jump_left02_poses.npz", "KIT/3/jump_left02"),
        ("mine/walk_poses.npz", None),
        ("CMU_poses.npz", None),
    ],
)
def test_one_key_under_all_names(path, key):
    assert sequence_key(PurePosixPath(path)) == key
