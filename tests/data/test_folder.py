"""A user's own folder: captions by row, words from names, bad rows with their lines."""

import json
import os
import struct

import pytest

from motionclip.data.folder import folder_source
from motionclip.data.prepare import prepare
from motionclip.data.sources import open_source
from motionclip.data.store import Store
from motionclip.data.synthetic import hold, to_motion
from motionclip.errors import DataError
from motionclip.io import write_motion
from motionclip.motion.conventions import Known


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    (folder / "arms").mkdir(parents=True)
    write_motion(to_motion(hold(60)), folder / "walk_forward01.bvh")
    write_motion(to_motion(hold(30)), folder / "arms" / "WaveLeft.npz")
    return folder


def captions(folder, *rows):
    (folder / "captions.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_without_captions_words_come_from_names(folder):
    clips = [item.read() for item in folder_source(folder).items]
    assert [(clip.key, clip.captions[0].text) for clip in clips] == [
        ("arms/WaveLeft.npz", "wave left"),
        ("walk_forward01.bvh", "walk forward"),
    ]
    assert all((clip.dataset, clip.split) == ("mine", "train") for clip in clips)
    assert clips[1].captions[0].end == pytest.approx(2.0)


def test_rows_give_texts_spans_and_splits(folder):
    captions(
        folder,
        "file,text,start,end,split",
        'walk_forward01.bvh,"stands, and waits",,,test',
        "walk_forward01.bvh,waits,0.5,1.5,test",
        "walk_forward01.bvh,until the end,1,99,test",
    )
    clip = folder_source(folder).items[1].read()
    assert clip.split == "test"
    assert [(c.text, c.start, round(c.end, 3)) for c in clip.captions] == [
        ("stands, and waits", 0, 2.0),
        ("waits", 0.5, 1.5),
        ("until the end", 1, 2.0),
    ]


def test_a_byte_order_mark_and_crlf_are_accepted(folder):
    (folder / "captions.csv").write_bytes(b"\xef\xbb\xbffile,text\r\nwalk_forward01.bvh,a person waits\r\n")
    assert folder_source(folder).items[1].read().captions[0].text == "a person waits"


def test_each_bad_row_is_named_with_its_line(folder):
    captions(
        folder,
        "file,text,start,end,split",
        "walk_forward01.bvh,fine,,,",
        "gone.bvh,text,,,",
        "walk_forward01.bvh,,,,",
        "walk_forward01.bvh,text,one,,",
        "walk_forward01.bvh,text,2,1,",
        "walk_forward01.bvh,text,,,dev",
        "walk_forward01.bvh,a, comma,,,train",
        "walk_forward01.bvh",
    )
    with pytest.raises(DataError) as caught:
        folder_source(folder)
    told = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0] for line in told] == [f"line {number}" for number in range(3, 10)]
    for line, problem in zip(told, ("gone", "empty", "'one'", "2 s to 1 s", "'dev'", "quotes", "empty"), strict=True):
        assert problem in line


def test_one_file_in_two_splits_is_refused(folder):
    captions(folder, "file,text,split", "walk_forward01.bvh,a,train", "walk_forward01.bvh,b,test")
    with pytest.raises(DataError, match="in splits test and train"):
        folder_source(folder)


@pytest.mark.parametrize("header", ["file", "text,start", "file,text,weight"])
def test_unknown_or_missing_columns_are_refused(folder, header):
    captions(folder, header, "walk_forward01.bvh,b")
    with pytest.raises(DataError, match="line 1: columns"):
        folder_source(folder)


def test_a_folder_without_motions_is_refused(tmp_path):
    with pytest.raises(DataError, match="no motion file"):
        folder_source(tmp_path)


def test_damaged_files_and_wrong_spans_are_refused_and_the_rest_prepared(folder, tmp_path):
    (folder / "torn.bvh").write_text("HIERARCHY\nROOT hips\n{\n")
    captions(folder, "file,text,start", "arms/WaveLeft.npz,late,5")
    report = prepare(folder_source(folder), tmp_path / "store", workers=1)
    assert [refusal.key for refusal in report.refused] == ["arms/WaveLeft.npz", "torn.bvh"]
    assert "expected a span inside the 1.00 s" in report.refused[0].reason
    assert Store.open(tmp_path / "store").entries[0].key == "walk_forward01.bvh"


def test_labels_of_a_manifest_describe_files_without_rows(folder):
    rows = [{"file": "walk_forward01.bvh", "label": "CMU index: Mickey walk"}, {"file": "gone.bvh", "label": "run"}]
    (folder / "manifest.json").write_text(json.dumps(rows))
    assert [item.texts[0].text for item in folder_source(folder).items] == ["wave left", "Mickey walk"]
    (folder / "manifest.json").write_text('{"start_url": "/"}')
    assert [item.texts[0].text for item in folder_source(folder).items] == ["wave left", "walk forward"]


def with_animations(path, *names):
    """A GLB whose only animation is there once for each name."""
    write_motion(to_motion(hold(30)), path)
    content = path.read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + length])
    document["animations"] = [document["animations"][0] | {"name": name} for name in names]
    header = json.dumps(document).encode()
    header += b" " * (-len(header) % 4)
    body = struct.pack("<II", len(header), 0x4E4F534A) + header + content[20 + length :]
    path.write_bytes(content[:8] + struct.pack("<I", 12 + len(body)) + body)


def test_each_animation_of_a_file_is_a_clip(folder):
    with_animations(folder / "pack.glb", "Jog_Fwd_Loop", "Hit", "Hit")
    with_animations(folder / "wave.glb", "ArmatureAction")
    items = {item.key: item for item in folder_source(folder).items}
    assert list(items)[1:] == ["pack.glb#Jog_Fwd_Loop", "pack.glb#2", "pack.glb#3", "walk_forward01.bvh", "wave.glb"]
    clips = [items[key].read() for key in ("pack.glb#Jog_Fwd_Loop", "pack.glb#3", "wave.glb")]
    assert [clip.captions[0].text for clip in clips] == ["jog forward", "hit", "wave"]
    captions(folder, "file,text", "pack.glb#Jog_Fwd_Loop,someone jogs", "pack.glb,pack")
    with pytest.raises(DataError, match=r"'pack.glb'; its animations are pack.glb#Jog_Fwd_Loop, pack.glb#2"):
        folder_source(folder)


def test_patterns_split_what_no_row_splits(folder):
    captions(folder, "file,text,split", "walk_forward01.bvh,a,train")
    source = folder_source(folder, {"test": "wave*", "val": "WALK*"})
    assert [item.split for item in source.items] == ["test", "train"]
    assert source.spec == f"folder:{folder},test=wave*,val=WALK*"
    with pytest.raises(DataError, match=r"val=run\* fits no motion"):
        folder_source(folder, {"val": "run*"})


def test_the_actor_that_figures_are_measured_on_is_never_trained_on(folder):
    for name in ("Male1_B10_WalkTurnLeft45.bvh", "Female1_B10_WalkTurnLeft45.bvh", "Male1_walk.bvh"):
        write_motion(to_motion(hold(30)), folder / name)
    splits = {item.key: item.split for item in folder_source(folder).items}
    assert [key for key in splits if splits[key] == "test"] == ["Male1_B10_WalkTurnLeft45.bvh"]


def test_what_is_known_of_the_files_is_believed(folder):
    (item, _) = folder_source(folder, about=Known(fps=15, unit="m")).items
    assert item.read().motion.fps == 15
    (folder / "captions.jsonl").touch()
    with pytest.raises(DataError, match="are given for cmu"):
        open_source(str(folder), Known(up="z"))


def test_names_that_are_no_text_and_links_to_nowhere_are_left_out(folder, tmp_path):
    before = folder_source(folder).items
    for name, target in {"loop.bvh": "loop.bvh", "nothing.bvh": "nowhere", "self": ".", "up": ".."}.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.bvh")
    (folder / "folder.bvh").mkdir()
    (folder / os.fsdecode(b"\xff.bvh")).write_bytes((folder / "walk_forward01.bvh").read_bytes())
    with pytest.warns(UserWarning, match="1 files in .* no UTF-8"):
        assert [item.key for item in folder_source(folder).items] == [item.key for item in before]
    with pytest.warns(UserWarning):
        prepare(folder_source(folder), tmp_path / "store", workers=1)
    assert len(Store.open(tmp_path / "store").entries) == 2
