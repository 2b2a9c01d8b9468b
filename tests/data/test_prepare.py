"""A store has the same bytes however it was made, and says what was refused."""

import importlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_files import BadFile, contents, stop_after

from motionclip.data.clip import Caption, Clip, Source
from motionclip.data.prepare import RefusedClip, prepare
from motionclip.data.store import Store
from motionclip.data.synthetic import SyntheticClip, hold, synthetic_source, to_motion
from motionclip.errors import DataError
from motionclip.formats.files import locked
from motionclip.motion import Motion

CLIPS = 12

PREPARE_SLOWLY = f"""
import sys, time
from motionclip.data.prepare import prepare
from motionclip.data.synthetic import synthetic_source

def slow(done, of):
    print(done, flush=True)
    time.sleep(0.2)

prepare(synthetic_source({CLIPS}), sys.argv[1], frames=1, workers=1, progress=slow)
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A store with rendered frames, made in one go in this process."""
    folder = tmp_path_factory.mktemp("reference") / "store"
    prepare(synthetic_source(CLIPS), folder, frames=1, workers=1)
    return folder


def test_the_store_holds_what_the_source_yields(reference):
    store = Store.open(reference, verify=True)
    clips = [item.read() for item in synthetic_source(CLIPS).items]
    assert [entry.key for entry in store.entries] == [clip.key for clip in clips]
    for index in (0, 7, CLIPS - 1):
        entry, motion, clip = store.entries[index], store.motion(index), clips[index]
        assert (entry.dataset, entry.split, entry.category) == (clip.dataset, clip.split, clip.category)
        assert [caption.text for caption in entry.captions] == [caption.text for caption in clip.captions]
        assert all((caption.start, caption.end) == (0, motion.num_frames) for caption in entry.captions)
        assert motion.fps == 30
        assert (motion.positions - clip.motion.positions).abs().max() < 5e-3


@pytest.mark.slow
def test_several_processes_write_the_same_bytes(reference, tmp_path):
    counts, out = [], tmp_path / "store"
    prepare(synthetic_source(CLIPS), out, frames=1, workers=2, progress=lambda done, of: counts.append((done, of)))
    assert contents(out) == contents(reference)
    assert counts[0] == (0, CLIPS)
    assert counts[-1] == (CLIPS, CLIPS)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_writes_the_same_bytes(reference, tmp_path):
    out, counts = tmp_path / "store", []
    child = subprocess.Popen([sys.executable, "-c", PREPARE_SLOWLY, str(out)], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if int(line) >= 4:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not out.exists()
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, progress=lambda done, of: counts.append(done))
    assert 4 <= counts[0] < CLIPS
    assert contents(out) == contents(reference)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("much", [False, True])
def test_processes_are_started_only_for_much_work(much, monkeypatch, tmp_path):
    module = importlib.import_module("motionclip.data.prepare")
    started = []

    def pool(workers, context, initializer, initargs):
        started.append(workers)
        return ThreadPoolExecutor(1)

    monkeypatch.setattr(module, "ProcessPoolExecutor", pool)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    if much:
        monkeypatch.setattr(module, "_ESTIMATE_AFTER", 0.0)
        monkeypatch.setattr(module, "_WORTH_PROCESSES", 0.0)
    report = prepare(synthetic_source(5), tmp_path / "store")
    assert (report.clips, started) == (5, [2] if much else [])


def test_parts_of_another_source_are_not_used(tmp_path):
    out, source = tmp_path / "store", Source("mine", (SyntheticClip(0, 0), SyntheticClip(1, 0)))
    prepare(source, tmp_path / "whole", workers=1)
    with pytest.raises(KeyboardInterrupt):
        other = Source("mine", (SyntheticClip(5, 0), SyntheticClip(1, 0)))
        prepare(other, out, workers=1, progress=stop_after(1))
    prepare(source, out, workers=1)
    assert contents(out) == contents(tmp_path / "whole")


def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path):
    report = prepare(Source("mine", (BadFile(), SyntheticClip(0, 0))), tmp_path / "store", workers=1)
    reason = "FormatError: bad.bvh, line 3: nothing; expected a motion"
    assert report.refused == (RefusedClip("bad", reason),)
    assert report.clips == 1
    assert report.frames == Store.open(tmp_path / "store").entries[0].num_frames
    written = json.loads((tmp_path / "store" / "report.json").read_text())
    assert written["refused"] == [{"key": "bad", "reason": reason}]
    assert written["retargeting"][0]["key"] == "synthetic_0_00000"


def test_a_source_of_which_nothing_is_left_makes_no_store(tmp_path):
    with pytest.raises(DataError, match=r"1 clips refused; the first: bad: FormatError"):
        prepare(Source("mine", (BadFile(),)), tmp_path / "store", workers=1)
    assert not (tmp_path / "store").exists()


def test_a_store_is_replaced_only_on_request(reference, tmp_path):
    out = tmp_path / "store"
    prepare(synthetic_source(2), out, workers=1)
    with pytest.raises(DataError, match="exists"):
        prepare(synthetic_source(CLIPS), out, workers=1)
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, overwrite=True)
    assert contents(out) == contents(reference)


def test_a_folder_that_is_no_store_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match="exists"):
        prepare(synthetic_source(2), tmp_path, workers=1, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_two_runs_at_once_are_kept_apart(tmp_path):
    out = tmp_path / "store"
    with (
        locked(tmp_path / ".store.partial" / "lock", "another run"),
        pytest.raises(DataError, match="by another process"),
    ):
        prepare(synthetic_source(1), out, workers=1)
    prepare(synthetic_source(1), out, workers=1)
    assert len(Store.open(out)) == 1


def test_captions_become_frames_of_at_least_one(tmp_path):
    captions = (Caption("a", 0.5, 1.0), Caption("b", 1.999, 2.0), Caption("c", 0.0, 2.1))

    class Standing:
        key, path = "k", None

        def read(self):
            return Clip("k", "set", "train", to_motion(hold(60)), captions)

    prepare(Source("mine", (Standing(),)), tmp_path / "store", workers=1)
    (entry,) = Store.open(tmp_path / "store").entries
    assert [(span.start, span.end) for span in entry.captions] == [(15, 30), (59, 60), (0, 60)]


def wrung(motion):
    """The same motion with the trunk turned by a right angle against the hips; arms and legs keep their directions."""
    quarter = motion.rotations.new_tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    names, rotations = motion.skeleton.names, motion.rotations.clone()
    rotations[:, names.index("spine1")] = quarter @ rotations[:, names.index("spine1")]
    whole = Motion(rotations, motion.root, motion.fps, motion.skeleton)
    for side in ("left", "right"):
        joint = names.index(f"{side}_shoulder")
        parent = motion.skeleton.parents[joint]
        rotations[:, joint] = whole.world[0][:, parent].mT @ motion.world[0][:, joint]
    return Motion(rotations, motion.root, motion.fps, motion.skeleton)


def test_a_wrung_body_is_seen_in_the_report(monkeypatch, tmp_path):
    module = importlib.import_module("motionclip.data.prepare")
    whole = module.retarget
    monkeypatch.setattr(module, "retarget", lambda source: wrung(whole(source)))
    (errors,) = prepare(Source("mine", (SyntheticClip(0, 0),)), tmp_path / "store", workers=1).retargeting
    assert errors.mean_deg < 0.01  # the limbs do not tell
    assert errors.trunk_max_deg > 80
    assert errors.trunk_mean_deg > 15
    assert errors.heading_max_deg > 40


def test_a_store_that_is_a_link_is_written_through(tmp_path):
    source = synthetic_source(2)
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk" / "store")
    for overwrite in (False, True):
        prepare(source, tmp_path / "store", workers=1, overwrite=overwrite)
        assert (tmp_path / "store").is_symlink() and len(Store.open(tmp_path / "disk" / "store").entries) == 2
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["store"]


def test_parts_that_are_a_link_are_not_emptied(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / ".store.partial").symlink_to(tmp_path / "mine")
    with pytest.raises(DataError, match="is a link"):
        prepare(synthetic_source(2), tmp_path / "store", workers=1)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_damaged_parts_are_made_again(tmp_path):
    out, source = tmp_path / "store", synthetic_source(3)
    prepare(source, tmp_path / "whole", frames=1, workers=1)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, frames=1, workers=1, progress=stop_after(2))
    parts = tmp_path / ".store.partial"
    for zipped in parts.glob("frames-1/*.zip"):
        zipped.write_bytes(b"")
    prepare(source, out, frames=1, workers=1)
    assert contents(out) == contents(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "other", workers=1, progress=stop_after(2))
    (tmp_path / ".other.partial" / "plan.json").write_bytes(b"\xff\xfe")
    prepare(source, tmp_path / "other", workers=1)
    assert len(Store.open(tmp_path / "other").entries) == 3


def test_a_full_disk_says_which_file_of_the_store(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(OSError) as full:
            prepare(synthetic_source(12), tmp_path / "store", workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert full.value.filename is not None and full.value.filename.endswith((".npy", ".npz"))
    assert not (tmp_path / "store").exists()
