"""Pictures of a store: which frames, the same bytes however they were made, and damage is found."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from motionclip.data.clip import Clip, Source
from motionclip.data.frames import each_picture, pictured_frames
from motionclip.data.prepare import prepare
from motionclip.data.store import FRAMES, MANIFEST, ROOT, SIXD, Store
from motionclip.data.synthetic import SyntheticClip, synthetic_source
from motionclip.errors import DataError, FormatError
from motionclip.render import render_clip_frames

CLIPS = 12

PREPARE_SLOWLY = f"""
import sys, time
from motionclip.data.prepare import prepare
from motionclip.data.synthetic import synthetic_source

def slow(done, of):
    print(done, flush=True)
    time.sleep(0.2)

prepare(synthetic_source({CLIPS}), sys.argv[1], frames=2, workers=1, progress=slow)
"""


@dataclass(frozen=True)
class BadFile:
    """An item that cannot be read."""

    key: str = "bad"
    path: Path | None = None

    def read(self) -> Clip:
        raise FormatError("bad.bvh", "nothing", "a motion", line=3)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A store without pictures."""
    folder = tmp_path_factory.mktemp("plain") / "store"
    prepare(synthetic_source(CLIPS), folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """A store with two pictures for every two seconds, made in one go in this process."""
    folder = tmp_path_factory.mktemp("pictured") / "store"
    prepare(synthetic_source(CLIPS), folder, frames=2, workers=1)
    return folder


@pytest.mark.parametrize("per_window", [1, 3, 60])
@pytest.mark.parametrize("num_frames", [1, 7, 59, 60, 61, 200])
def test_pictured_frames_are_evenly_spaced(num_frames, per_window):
    frames = pictured_frames(num_frames, per_window)
    assert len(frames) == len(set(frames)) >= 1
    assert min(frames) >= 0 and max(frames) < num_frames
    for start in range(num_frames - 59):
        assert any(start <= frame < start + 60 for frame in frames)
    gaps = np.diff([-frames[0] - 1, *frames, 2 * num_frames - frames[-1] - 1])  # the ends are half a gap away
    assert np.ptp(gaps) <= 2


@pytest.mark.parametrize("per_window", [-1, 61])
def test_a_number_that_makes_no_sense_is_refused(per_window, tmp_path):
    with pytest.raises(DataError, match="1 to 60"):
        prepare(synthetic_source(2), tmp_path / "store", frames=per_window, workers=1)
    assert not list(tmp_path.iterdir())


def test_pictures_are_portraits_of_the_store_s_motions(pictured):
    store = Store.open(pictured, verify=True)
    expected = [(n, f) for n, entry in enumerate(store.entries) for f in pictured_frames(entry.num_frames, 2)]
    with ZipFile(pictured / FRAMES) as archive:
        assert archive.namelist() == [f"{entry}/{frame}.png" for entry, frame in expected]
        for entry, frame in expected[:: len(expected) // 4]:
            image = Image.open(io.BytesIO(archive.read(f"{entry}/{frame}.png")))
            assert np.array_equal(np.asarray(image), render_clip_frames(store.motion(entry), [frame])[0])
    assert (store.pictures.per_window, store.pictures.count, store.pictures.size) == (2, len(expected), 224)


def test_a_store_without_pictures_says_nothing_of_them(plain, pictured):
    assert set(contents(pictured)) - set(contents(plain)) == {FRAMES}
    without = json.loads((pictured / MANIFEST).read_text())
    assert without.pop("pictures")
    assert without == json.loads((plain / MANIFEST).read_text())
    assert Store.open(plain).pictures is None


def test_several_processes_draw_the_same_bytes(pictured, tmp_path):
    prepare(synthetic_source(CLIPS), tmp_path / "store", frames=2, workers=2)
    assert contents(tmp_path / "store") == contents(pictured)


def test_a_killed_run_goes_on_and_draws_the_same_bytes(pictured, tmp_path):
    out, counts = tmp_path / "store", []
    child = subprocess.Popen([sys.executable, "-c", PREPARE_SLOWLY, str(out)], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if int(line) >= 4:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    prepare(synthetic_source(CLIPS), out, frames=2, workers=1, progress=lambda done, of: counts.append(done))
    assert 4 <= counts[0] < CLIPS
    assert contents(out) == contents(pictured)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_clips_of_a_run_without_pictures_are_used(plain, pictured, tmp_path):
    def stop(done, of):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), tmp_path / "store", workers=1, progress=stop)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / ".store.partial").glob("*.npz")}
    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), tmp_path / "store", frames=2, workers=1, progress=stop)
    assert kept and all(path.stat().st_mtime_ns == time for path, time in kept.items())
    prepare(synthetic_source(CLIPS), tmp_path / "store", frames=2, workers=1)
    assert contents(tmp_path / "store") == contents(pictured)


def test_pictures_are_added_to_a_store_as_if_made_with_it(plain, pictured, tmp_path):
    out = Path(shutil.copytree(plain, tmp_path / "store"))
    times = [(out / name).stat().st_mtime_ns for name in (SIXD, ROOT)]

    def stop(done, of):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), out, frames=2, workers=1, progress=stop)
    assert contents(out) == contents(plain)
    counts = []
    report = prepare(synthetic_source(CLIPS), out, frames=2, workers=1, progress=lambda done, of: counts.append(done))
    assert counts[0] >= 4
    assert contents(out) == contents(pictured)
    assert [(out / name).stat().st_mtime_ns for name in (SIXD, ROOT)] == times
    assert report.clips == CLIPS
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_pictures_are_added_only_to_a_store_of_the_same_source_that_has_none(plain, pictured, tmp_path):
    out = Path(shutil.copytree(plain, tmp_path / "store"))
    with pytest.raises(DataError, match="does not hold the clips"):
        prepare(synthetic_source(CLIPS + 1), out, frames=2, workers=1)
    same_name = Source(f"synthetic:{CLIPS}", synthetic_source(CLIPS + 1).items)
    with pytest.raises(DataError, match="does not hold the clips"):
        prepare(same_name, out, frames=2, workers=1)
    with pytest.raises(DataError, match="2 pictures for every two seconds already"):
        prepare(synthetic_source(CLIPS), pictured, frames=3, workers=1)
    assert contents(out) == contents(plain)


def test_pictures_are_numbered_by_the_store_where_clips_are_refused(tmp_path):
    source = Source("mine", (SyntheticClip(1, 0), BadFile(), SyntheticClip(0, 0)))
    prepare(source, tmp_path / "at_once", frames=1, workers=1)
    prepare(source, tmp_path / "later", workers=1)
    prepare(source, tmp_path / "later", frames=1, workers=1)
    assert contents(tmp_path / "at_once") == contents(tmp_path / "later")
    with ZipFile(tmp_path / "later" / FRAMES) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"0", "1"}


def test_pictures_are_drawn_where_there_are_none(plain, pictured):
    frames = [(3, 10), (3, 31), (0, 0)]
    wanted = [(n, f) for n, entry in enumerate(Store.open(plain).entries) for f in pictured_frames(entry.num_frames, 2)]
    read, made = (list(each_picture(Store.open(folder), wanted[:5])) for folder in (pictured, plain))
    assert all(np.array_equal(a, b) for a, b in zip(read, made, strict=True))
    assert [picture.shape for picture in each_picture(Store.open(plain), frames)] == [(224, 224, 3)] * 3


def test_damaged_pictures_are_found(pictured, tmp_path):
    out = Path(shutil.copytree(pictured, tmp_path / "store"))
    whole = (out / FRAMES).read_bytes()
    (out / FRAMES).write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    store = Store.open(out)
    with pytest.raises(DataError, match="SHA-256"):
        Store.open(out, verify=True)
    with pytest.raises(DataError, match="is damaged"):
        list(each_picture(store, [(0, pictured_frames(store.entries[0].num_frames, 2)[0])]))
    with pytest.raises(DataError, match="is damaged"):
        list(each_picture(store, [(0, 9999)]))
    (out / FRAMES).write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"has {len(whole) - 1} bytes"):
        Store.open(out)
    (out / FRAMES).unlink()
    with pytest.raises(DataError, match="is missing"):
        Store.open(out)
