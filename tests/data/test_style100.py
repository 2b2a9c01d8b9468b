"""100STYLE: the tables give cuts, contents, styles and words."""

import pytest

from motionclip.data.folder import folder_source
from motionclip.data.synthetic import hold, to_motion
from motionclip.errors import DataError
from motionclip.io import write_motion

CUTS = "STYLE_NAME,BW_START,BW_STOP,FW_START,FW_STOP,TR2_START,TR2_STOP\nArmsFolded,0,9,10,49,N/A,N/A\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "100STYLE"
    (folder / "ArmsFolded").mkdir(parents=True)
    motion = to_motion(hold(60))
    motion.root[:, 0] = motion.root.new_tensor(range(60))
    for code in ("FW", "XX"):
        write_motion(motion, folder / "ArmsFolded" / f"ArmsFolded_{code}.bvh")
    (folder / "Frame_Cuts.csv").write_text(CUTS)
    return folder


def test_a_take_is_cut_and_described(folder):
    (folder / "Dataset_List.csv").write_text("Style Name,Description,Random\nArmsFolded,Arms folded at the chest.,no\n")
    clip, other = (item.read() for item in folder_source(folder).items)
    assert (clip.motion.num_frames, round(float(clip.motion.root[0, 0]))) == (40, 10)
    assert (clip.category, clip.style, clip.lead) == ("walk forward", "arms folded", pytest.approx(1 / 3))
    assert [caption.text for caption in clip.captions] == [
        "walk forward, arms folded style",
        "walk forward, arms folded at the chest",
    ]
    assert (other.motion.num_frames, other.category) == (60, None)


def test_rows_of_captions_have_the_time_of_the_file(folder):
    (folder / "captions.csv").write_text("file,text,start,end\nArmsFolded/ArmsFolded_FW.bvh,walks,1,1.5\n")
    caption = folder_source(folder).items[0].read().captions[0]
    assert (caption.start, caption.end) == (pytest.approx(2 / 3, abs=1e-3), pytest.approx(7 / 6, abs=1e-3))


def test_a_bad_number_is_named_with_its_line(folder):
    (folder / "Frame_Cuts.csv").write_text(CUTS.replace("49", "late"))
    with pytest.raises(DataError, match="line 2: 'late' is no frame of ArmsFolded"):
        folder_source(folder)
