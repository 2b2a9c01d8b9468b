"""A library's index follows its folder, and a search finds motions by words, by motions and by both."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.search import LibraryIndex, embed_query, index_library, nearest, read_hits, search
from motionclip.applications.search import library as library_module
from motionclip.applications.search.index import Block, Entry, IndexFolder
from motionclip.data.store import Store
from motionclip.errors import DataError, ModelError, TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion

WORDS = ["a person walks", "a person waves both hands", "a person runs"]


@pytest.fixture(scope="module")
def model(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="module")
def motions(model: MotionCLIP) -> list[Motion]:
    return motionclip.text_to_motion(model, WORDS, seconds=3)


@pytest.fixture
def folder(motions: list[Motion], tmp_path: Path) -> Path:
    """A library of three files, one of them in a folder of its own, and a file that is no motion."""
    root = tmp_path / "motions"
    for motion, name in zip(motions, ("walk.bvh", "arms/wave.amass.npz", "run.npz"), strict=True):
        motionclip.write_motion(motion, root / name)
    (root / "notes.txt").write_text("not a motion")
    return root


class Progress:
    """Remembers how many files were to be read, and may stop the run."""

    def __init__(self, stop_after: int = 10**9):
        self.files, self._stop_after = 0, stop_after

    def __call__(self, done: int, of: int) -> None:
        self.files = of
        if done >= self._stop_after:
            raise KeyboardInterrupt


def read(model: MotionCLIP, folder: Path) -> tuple[LibraryIndex, int]:
    """The index, and how many files were read for it."""
    progress = Progress()
    return index_library(model, folder, progress=progress), progress.files


def test_words_and_motions_find_what_they_should(model: MotionCLIP, motions: list[Motion], folder: Path) -> None:
    index, count = read(model, folder)
    assert (set(index.files), len(index), count) == ({"walk.bvh", "arms/wave.amass.npz", "run.npz"}, 3, 3)
    for words, motion, name in zip(WORDS, motions, ("walk.bvh", "arms/wave.amass.npz", "run.npz"), strict=True):
        assert search(model, index, [words])[0].file == name
        best = search(model, index, [motion])[0]
        assert best.file == name and best.cosine > 0.98 and (best.start, best.end) == (0, pytest.approx(3, abs=0.05))
        assert search(model, index, [words, motion])[0].file == name


def test_several_queries_are_the_middle_of_their_directions(model: MotionCLIP, motions: list[Motion]) -> None:
    both, words, motion = (embed_query(model, q) for q in ([WORDS[0], motions[1]], [WORDS[0]], [motions[1]]))
    torch.testing.assert_close(both, torch.nn.functional.normalize(words + motion, dim=0))
    torch.testing.assert_close(words, model.embed_words(WORDS[:1])[0])


def test_an_index_is_read_where_nothing_changed(model: MotionCLIP, folder: Path) -> None:
    first, _ = read(model, folder)
    second, count = read(model, folder)
    assert count == 0 and second.files == first.files
    assert torch.equal(second.embeddings, first.embeddings)


def test_new_changed_and_deleted_files(model: MotionCLIP, motions: list[Motion], folder: Path) -> None:
    read(model, folder)
    (folder / "run.npz").unlink()
    motionclip.write_motion(motions[2], folder / "walk.bvh")  # now it runs
    motionclip.write_motion(motions[0], folder / "new.bvh")
    index, count = read(model, folder)
    assert count == 2 and set(index.files) == {"walk.bvh", "arms/wave.amass.npz", "new.bvh"}
    assert [search(model, index, [words])[0].file for words in WORDS] == ["new.bvh", "arms/wave.amass.npz", "walk.bvh"]


def test_a_file_with_another_time_of_change_is_read_again(model: MotionCLIP, folder: Path) -> None:
    read(model, folder)
    os.utime(folder / "walk.bvh", ns=(0, 10**18))
    assert read(model, folder)[1] == 1


def test_unreadable_files_are_listed_and_tried_again_only_when_they_change(model: MotionCLIP, folder: Path) -> None:
    (folder / "broken.bvh").write_text("HIERARCHY\nROOT")
    (folder / ".hidden.bvh").write_text("")
    (folder / "strange.bvh").write_text(
        "HIERARCHY\nROOT thing\n{\nOFFSET 0 0 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n"
        "End Site\n{\nOFFSET 0 1 0\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.033333\n0 0 0\n0 0 0\n"
    )
    for expected in (5, 0):
        index, count = read(model, folder)
        assert count == expected and len(index.files) == 3
        assert {file.name for file in index.unreadable} == {"broken.bvh", "strange.bvh"}
        assert any("not recognised as a human body" in file.problem for file in index.unreadable)
    (folder / "broken.bvh").write_bytes((folder / "walk.bvh").read_bytes())
    index, count = read(model, folder)
    assert count == 1 and "broken.bvh" in index.files


def test_a_run_that_was_stopped_goes_on(
    model: MotionCLIP, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = read(model, folder)
    monkeypatch.setattr(library_module, "_MOTIONS", 1)
    monkeypatch.setattr(library_module, "_WINDOWS_PER_BLOCK", 1)
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        index_library(model, folder, folder=kept, progress=Progress(stop_after=2))
    progress = Progress()
    index = index_library(model, folder, folder=kept, progress=progress)
    assert progress.files == 1
    order = [index.files.index(name) for name in whole.files]
    torch.testing.assert_close(index.embeddings[order], whole.embeddings, atol=1e-5, rtol=0)
    assert len(list(kept.iterdir())) == 1


def test_blocks_that_were_merged_and_not_removed_are_not_merged_twice(tmp_path: Path) -> None:
    index = IndexFolder(tmp_path / "index", 4)
    index.add(Block((Entry("a.bvh", "1", 2), Entry("b.bvh", "1", 0, "damaged")), torch.eye(2, 4), torch.eye(2)))
    index.add(Block((Entry("a.bvh", "2", 1),), torch.eye(4)[3:], torch.ones(1, 2)))
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    merged = index.merge({"a.bvh": "2", "b.bvh": "1"})
    assert merged.entries == (Entry("b.bvh", "1", 0, "damaged"), Entry("a.bvh", "2", 1))
    assert merged.embeddings.tolist() == [[0, 0, 0, 1]] and merged.spans.tolist() == [[1, 1]]
    shutil.copytree(tmp_path / "copy", tmp_path / "index", dirs_exist_ok=True)
    again = IndexFolder(tmp_path / "index", 4).merge({"a.bvh": "2", "b.bvh": "1"})
    assert set(again.entries) == set(merged.entries) and len(again.embeddings) == 1


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: b"{}", lambda whole: whole[:-100]])
def test_a_damaged_index_is_made_anew(
    model: MotionCLIP, folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    kept = tmp_path / "kept"
    whole = index_library(model, folder, folder=kept).embeddings.clone()
    (block,) = kept.iterdir()
    block.write_bytes(damage(block.read_bytes()))
    progress = Progress()
    index = index_library(model, folder, folder=kept, progress=progress)
    assert progress.files == 3
    torch.testing.assert_close(index.embeddings, whole)


def test_the_nearest_of_many() -> None:
    latents = torch.nn.functional.normalize(torch.randn(3000, 32, generator=torch.Generator().manual_seed(0)), dim=1)
    cosines, rows = nearest(latents, latents[7], 10)
    expected = (latents.double() @ latents[7].double()).sort(descending=True)
    assert rows.tolist() == expected.indices[:10].tolist() and rows[0] == 7
    torch.testing.assert_close(cosines.double(), expected.values[:10], atol=1e-5, rtol=0)
    assert len(nearest(latents[:3], latents[0], 10)[1]) == 3
    assert len(nearest(latents[:0], latents[0], 10)[1]) == 0


def test_another_model_has_another_index(model: MotionCLIP, folder: Path, tiny_run: Path) -> None:
    read(model, folder)
    other = motionclip.load(tiny_run)
    assert other.fingerprint != model.fingerprint == motionclip.load().fingerprint
    assert read(other, folder)[1] == 3
    assert read(model, folder)[1] == 0
    before = other.fingerprint
    next(other.network.parameters()).data.flatten()[0] += 1
    assert other.fingerprint != before


def test_a_store_is_a_library(model: MotionCLIP, small_store: Path) -> None:
    store = Store.open(small_store)
    index, count = read(model, small_store)
    assert len(index.files) == count == len(store)
    best = search(model, index, [store.motion(3)], top=1)[0]
    assert best.file == f"synthetic/{store.entries[3].key}" and best.cosine > 0.98
    (found,) = read_hits(index, [best])
    assert found.duration == pytest.approx(best.end - best.start)


def test_long_files_are_found_by_their_seconds(model: MotionCLIP, motions: list[Motion], tmp_path: Path) -> None:
    walk, wave = motionclip.text_to_motion(model, WORDS[:2], seconds=6)
    move = (walk.root[-1] - wave.root[0]) * torch.tensor([1.0, 0.0, 1.0])
    rotations = torch.cat([walk.rotations, wave.rotations])
    motionclip.write_motion(
        Motion(rotations, torch.cat([walk.root, wave.root + move]), 30.0, walk.skeleton), tmp_path / "lib" / "long.npz"
    )
    index, _ = read(model, tmp_path / "lib")
    hits = search(model, index, [WORDS[1]])
    assert hits[0].start >= 5 and hits[0].end == pytest.approx(12, abs=2.1)
    hits += [hits[0]]
    assert all(a is b or a.end <= b.start or b.end <= a.start for a in hits for b in hits), "hits share frames"


def test_how_many_hits_and_how_good(model: MotionCLIP, folder: Path) -> None:
    index, _ = read(model, folder)
    hits = search(model, index, [WORDS[0]])
    assert [hit.cosine for hit in hits] == sorted((hit.cosine for hit in hits), reverse=True) and len(hits) == 3
    assert search(model, index, [WORDS[0]], top=1) == hits[:1]
    assert search(model, index, [WORDS[0]], least=hits[1].cosine) == hits[:2]
    assert search(model, index, [WORDS[0]], least=0.999) == []


def test_an_empty_library_has_no_hits(model: MotionCLIP, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    index, count = read(model, tmp_path / "empty")
    assert (len(index), count, search(model, index, ["a person walks"])) == (0, 0, [])


def test_what_cannot_be_searched(model: MotionCLIP, folder: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        index_library(model, folder / "nowhere")
    index, _ = read(model, folder)
    with pytest.raises(ModelError, match="nothing to search"):
        search(model, index, [])
    with pytest.raises(ModelError, match="at least 1"):
        search(model, index, ["walk"], top=0)
    with pytest.raises(TextError):
        search(model, index, [""])


def test_hits_that_are_gone(model: MotionCLIP, folder: Path) -> None:
    index, _ = read(model, folder)
    hits = search(model, index, [WORDS[0]])
    (folder / hits[0].file).unlink()
    with pytest.raises(DataError, match="gone"):
        read_hits(index, hits)
