"""Rendered frames of a store: which ones, the same bytes however they were made, and damage is found."""

import io
import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from store_files import BadFile, contents, stop_after

from motionclip.body import load_body
from motionclip.data.clip import Source
from motionclip.data.prepare import prepare
from motionclip.data.store import FRAMES, MANIFEST, ROOT, SIXD, Store, frames_to_render
from motionclip.data.synthetic import SyntheticClip, synthetic_source
from motionclip.errors import DataError, FormatError
from motionclip.render import render_clip_frames
from smpl_files import save_npz, smpl_arrays

CLIPS = 8


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A store without rendered frames."""
    folder = tmp_path_factory.mktemp("plain") / "store"
    prepare(synthetic_source(CLIPS), folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A store with two rendered frames for every two seconds."""
    folder = tmp_path_factory.mktemp("rendered") / "store"
    prepare(synthetic_source(CLIPS), folder, frames=2, workers=1)
    return folder


@pytest.mark.parametrize("per_window", [1, 3, 60])
@pytest.mark.parametrize("num_frames", [1, 7, 59, 60, 61, 200])
def test_rendered_frames_are_evenly_spaced(num_frames, per_window):
    frames = frames_to_render(num_frames, per_window)
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


def test_images_show_the_motions_of_the_store(rendered):
    store = Store.open(rendered, verify=True)
    expected = [(n, f) for n, entry in enumerate(store.entries) for f in frames_to_render(entry.num_frames, 2)]
    with ZipFile(rendered / FRAMES) as archive:
        assert archive.namelist() == [f"{entry}/{frame}.png" for entry, frame in expected]
        for entry, frame in expected[:: len(expected) // 4]:
            image = Image.open(io.BytesIO(archive.read(f"{entry}/{frame}.png")))
            again = render_clip_frames(store.motion(entry), [frame])[0]
            assert (np.abs(np.asarray(image).astype(int) - again) > 2).mean() < 0.001  # rounding at edges
    assert (store.rendered_frames.per_window, store.rendered_frames.count, store.rendered_frames.size) == (
        2,
        len(expected),
        224,
    )


def test_a_store_without_rendered_frames_says_nothing_of_them(plain, rendered):
    assert set(contents(rendered)) - set(contents(plain)) == {FRAMES}
    without = json.loads((rendered / MANIFEST).read_text())
    assert without.pop("pictures")
    assert without == json.loads((plain / MANIFEST).read_text())
    assert Store.open(plain).rendered_frames is None


def test_clips_of_a_run_without_rendered_frames_are_used(plain, rendered, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), tmp_path / "store", workers=1, progress=stop_after(5))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / ".store.partial").glob("*.npz")}
    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), tmp_path / "store", frames=2, workers=1, progress=stop_after(5))
    assert kept and all(path.stat().st_mtime_ns == time for path, time in kept.items())
    prepare(synthetic_source(CLIPS), tmp_path / "store", frames=2, workers=1)
    assert contents(tmp_path / "store") == contents(rendered)


def test_frames_are_added_to_a_store_as_if_made_with_it(plain, rendered, tmp_path):
    out = Path(shutil.copytree(plain, tmp_path / "store"))
    times = [(out / name).stat().st_mtime_ns for name in (SIXD, ROOT)]

    with pytest.raises(KeyboardInterrupt):
        prepare(synthetic_source(CLIPS), out, frames=2, workers=1, progress=stop_after(5))
    assert contents(out) == contents(plain)
    counts = []
    report = prepare(synthetic_source(CLIPS), out, frames=2, workers=1, progress=lambda done, of: counts.append(done))
    assert counts[0] >= 4
    assert contents(out) == contents(rendered)
    assert [(out / name).stat().st_mtime_ns for name in (SIXD, ROOT)] == times
    assert report.clips == CLIPS
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_frames_are_added_only_to_a_store_of_the_same_source_that_has_none(plain, rendered, tmp_path):
    out = Path(shutil.copytree(plain, tmp_path / "store"))
    with pytest.raises(DataError, match="does not hold the clips"):
        prepare(synthetic_source(CLIPS + 1), out, frames=2, workers=1)
    same_name = Source(f"synthetic:{CLIPS}", synthetic_source(CLIPS + 1).items)
    with pytest.raises(DataError, match="does not hold the clips"):
        prepare(same_name, out, frames=2, workers=1)
    with pytest.raises(DataError, match="2 rendered frames for every two seconds already"):
        prepare(synthetic_source(CLIPS), rendered, frames=3, workers=1)
    assert contents(out) == contents(plain)


def test_frames_are_numbered_by_the_store_where_clips_are_refused(tmp_path):
    source = Source("mine", (SyntheticClip(1, 0), BadFile(), SyntheticClip(0, 0)))
    prepare(source, tmp_path / "at_once", frames=1, workers=1)
    prepare(source, tmp_path / "later", workers=1)
    prepare(source, tmp_path / "later", frames=1, workers=1)
    assert contents(tmp_path / "at_once") == contents(tmp_path / "later")
    with ZipFile(tmp_path / "later" / FRAMES) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"0", "1"}


def test_frames_are_rendered_where_there_are_none(plain, rendered):
    frames = [(3, 10), (3, 31), (0, 0)]
    wanted = [
        (n, f) for n, entry in enumerate(Store.open(plain).entries) for f in frames_to_render(entry.num_frames, 2)
    ]
    read, made = (list(Store.open(folder).frame_images(wanted[:5])) for folder in (rendered, plain))
    assert all((np.abs(a.astype(int) - b) > 2).mean() < 0.001 for a, b in zip(read, made, strict=True))
    assert [image.shape for image in Store.open(plain).frame_images(frames)] == [(224, 224, 3)] * 3


def test_damaged_images_are_found(rendered, tmp_path):
    out = Path(shutil.copytree(rendered, tmp_path / "store"))
    whole = (out / FRAMES).read_bytes()
    (out / FRAMES).write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    store = Store.open(out)
    with pytest.raises(DataError, match="SHA-256"):
        Store.open(out, verify=True)
    with pytest.raises(DataError, match="is damaged"):
        list(store.frame_images([(0, frames_to_render(store.entries[0].num_frames, 2)[0])]))
    with pytest.raises(DataError, match="is damaged"):
        list(store.frame_images([(0, 9999)]))
    with ZipFile(io.BytesIO(whole)) as archive, ZipFile(out / FRAMES, "w") as large:
        for name in archive.namelist():
            picture = io.BytesIO()
            Image.new("1", (30_000, 30_000)).save(picture, "PNG")
            large.writestr(name, picture.getvalue())
            break
    with pytest.raises(DataError, match=r"\(30000, 30000\) pixels|exceeds limit"):
        list(store.frame_images([(0, frames_to_render(store.entries[0].num_frames, 2)[0])]))
    (out / FRAMES).write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"has {len(whole) - 1} bytes"):
        Store.open(out)
    (out / FRAMES).unlink()
    with pytest.raises(DataError, match="is missing"):
        Store.open(out)


def test_a_body_of_ones_own_is_rendered(tmp_path):
    own = save_npz(tmp_path / "smpl.npz", smpl_arrays(vertices=300))
    prepare(synthetic_source(2), tmp_path / "store", frames=1, body=own, workers=1)
    store = Store.open(tmp_path / "store", verify=True)
    assert store.rendered_frames.body == "smpl.npz"
    (image,) = store.frame_images([(0, frames_to_render(store.entries[0].num_frames, 1)[0])])
    expected = render_clip_frames(
        store.motion(0), [frames_to_render(store.entries[0].num_frames, 1)[0]], body=load_body(own)
    )
    assert (np.abs(image.astype(int) - expected[0]) > 2).mean() < 0.001
    with pytest.raises(FormatError, match="no such file"):
        prepare(synthetic_source(2), tmp_path / "other", frames=1, body=tmp_path / "missing.npz", workers=1)
