"""Embeddings of rendered frames: which one a window gets, and that the image encoder sees each of them once."""

from __future__ import annotations

import dataclasses
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionclip.data.prepare import prepare
from motionclip.data.store import Store, frames_to_render
from motionclip.data.synthetic import synthetic_source
from motionclip.data.windows import WindowBatch, WindowSet
from motionclip.encoders import ImageEncoder, load_text_encoder
from motionclip.errors import DataError, ModelError
from motionclip.motion import Motion, heading
from motionclip.render import render_clip_frames
from motionclip.training.frames import FrameEmbeddings

CLIPS, SPACING = 12, 4


class PixelEncoder:
    """A text encoder that looks at pixels: a fixed random projection of the picture, shrunk to 14 x 14."""

    name, dim = "pixels", 24

    def __init__(self, fingerprint: str = "pixels0", limit: int | None = None):
        self.fingerprint, self.seen, self.limit = fingerprint, 0, limit
        self._projection = torch.randn(14 * 14, self.dim, generator=torch.Generator().manual_seed(0))

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        letters = torch.stack(
            [torch.bincount(torch.tensor(list(text.encode())) % self.dim, minlength=self.dim) for text in texts]
        )
        return torch.nn.functional.normalize(letters.float() - letters.float().mean(0), dim=-1)

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        if self.limit is not None and self.seen + len(images) > self.limit:
            raise KeyboardInterrupt
        self.seen += len(images)
        pixels = torch.stack([torch.from_numpy(image[..., 0].astype(np.float32)) for image in images])
        small = torch.nn.functional.adaptive_avg_pool2d(255 - pixels[:, None], 14).flatten(1)
        return torch.nn.functional.normalize(small @ self._projection, dim=-1)


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    """One store with pictures and one without."""
    folder = tmp_path_factory.mktemp("stores")
    prepare(synthetic_source(CLIPS), folder / "pictured", frames=SPACING, workers=1)
    prepare(synthetic_source(3), folder / "plain", workers=1)
    return [Store.open(folder / "pictured"), Store.open(folder / "plain")]


@pytest.fixture(scope="module")
def windows(stores: list[Store]) -> WindowSet:
    return WindowSet(stores, "train", {}, min_frames=20)


@pytest.fixture
def table(stores: list[Store], windows: WindowSet) -> FrameEmbeddings:
    return FrameEmbeddings.load(stores, windows, PixelEncoder(), True, SPACING)


@pytest.fixture
def distinct(table: FrameEmbeddings) -> FrameEmbeddings:
    """The table with other vectors, no two of them equal: bodies that stand still look the same in many frames."""
    vectors = torch.randn(table.embedding.shape, generator=generator(9))
    return dataclasses.replace(table, embedding=torch.nn.functional.normalize(vectors, dim=-1))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictured_rows(stores: list[Store], windows: WindowSet) -> dict[int, tuple[Store, int, int]]:
    """Row of the window set -> store, entry and frame of its picture, counted here once more."""
    found, first = {}, 0
    for store in stores:
        for number, entry in enumerate(store.entries):
            found |= {first + frame: (store, number, frame) for frame in frames_to_render(entry.num_frames, SPACING)}
            first += entry.num_frames
    assert first == len(windows.root)
    return found


def chosen_rows(table: FrameEmbeddings, draw: WindowBatch, embedding: Tensor) -> list[int]:
    """The row of the picture that each window got."""
    rows = []
    for window, side, vector in zip(draw.rows, draw.mirrored.long(), embedding, strict=True):
        mine = [row for row in window.unique().tolist() if table.number[row] >= 0]
        same = [row for row in mine if torch.equal(table.embedding[side, table.number[row]], vector)]
        assert len(same) == 1
        rows += same
    return rows


def test_embeddings_are_those_of_the_frames(stores: list[Store], windows: WindowSet, table: FrameEmbeddings) -> None:
    expected, text_encoder = pictured_rows(stores, windows), PixelEncoder()
    assert {row for row, number in enumerate(table.number.tolist()) if number >= 0} == set(expected)
    for row in list(expected)[::7]:
        store, entry, frame = expected[row]
        picture = render_clip_frames(store.motion(entry), [frame])[0]
        both = text_encoder.encode_images([picture, picture[:, ::-1].copy()])
        assert torch.allclose(table.embedding[:, table.number[row]], both, atol=1e-6)


def test_every_window_gets_a_random_picture_of_its_own(distinct: FrameEmbeddings, windows: WindowSet) -> None:
    draw = windows.draw(generator(0), 64, 60, mirror=True)
    texts = PixelEncoder().encode_texts(windows.texts)
    first, again, other = (distinct.targets(draw, texts, "random", generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.embedding, again.embedding) and (first.weight == 1).all()
    rows, others = (chosen_rows(distinct, draw, targets.embedding) for targets in (first, other))
    assert sum(a != b for a, b in zip(rows, others, strict=True)) > 16
    assert draw.mirrored.any() and not draw.mirrored.all()


def test_random_is_even(distinct: FrameEmbeddings, windows: WindowSet) -> None:
    draw = windows.central([0] * 600, 60)
    texts = PixelEncoder().encode_texts(windows.texts)
    rows = chosen_rows(distinct, draw, distinct.targets(draw, texts, "random", generator()).embedding)
    counts = np.unique(rows, return_counts=True)[1]
    assert len(counts) == int((distinct.number[draw.rows[0].unique()] >= 0).sum()) >= 3
    assert counts.min() > 0.6 * counts.max()


def test_a_window_between_pictures_has_none(table: FrameEmbeddings, windows: WindowSet) -> None:
    pictured = int((table.number >= 0).nonzero()[2])
    rows = torch.tensor([[pictured - 2, pictured - 1, pictured], [pictured - 2, pictured - 1, pictured]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    words = torch.tensor([0, 0])
    draw = WindowBatch(rows, mask, torch.tensor([False, False]), words, words)
    texts = PixelEncoder().encode_texts(windows.texts)
    for choice in ("random", "middle", "extreme", "best-text"):
        targets = table.targets(draw, texts, choice, generator())  # type: ignore[arg-type]
        assert targets.weight.tolist() == [1.0, 0.0]
        assert torch.equal(targets.embedding[0], table.embedding[0, table.number[pictured]])
        assert targets.embedding.isfinite().all()


def test_middle_is_the_picture_nearest_to_the_middle(distinct: FrameEmbeddings, windows: WindowSet) -> None:
    draw = windows.draw(generator(1), 32, 60, mirror=False)
    targets = distinct.targets(draw, PixelEncoder().encode_texts(windows.texts), "middle", generator())
    for row, rows, mask in zip(chosen_rows(distinct, draw, targets.embedding), draw.rows, draw.mask, strict=True):
        middle = (rows[mask][0] + rows[mask][-1]).item() / 2
        pictured = [r for r in rows[mask].tolist() if distinct.number[r] >= 0]
        assert row == min(pictured, key=lambda r: (abs(r - middle), r))


def test_extreme_is_the_pose_farthest_from_the_mean(
    stores: list[Store], distinct: FrameEmbeddings, windows: WindowSet
) -> None:
    where = pictured_rows(stores, windows)
    draw = windows.draw(generator(2), 48, 120, mirror=False)
    assert not draw.mask.all()
    targets = distinct.targets(draw, PixelEncoder().encode_texts(windows.texts), "extreme", generator())
    for row, rows, mask in zip(chosen_rows(distinct, draw, targets.embedding), draw.rows, draw.mask, strict=True):
        store, entry, frame = where[row]
        first, count = frame - (row - int(rows[0])), int(mask.sum())
        motion = store.motion(entry).frames(first, first + count)
        joints = _in_place(motion)
        distance = (joints - joints.mean(0)).norm(dim=-1).mean(-1)
        pictured = [number for number in range(count) if int(rows[0]) + number in where]
        assert distance[row - int(rows[0])] == pytest.approx(float(distance[pictured].max()), abs=1e-6)


def _in_place(motion: Motion) -> Tensor:
    """Joints (T, 24, 3), the root at the origin and the hips facing ahead in every frame."""
    x, y, z = (motion.positions - motion.root[:, None]).unbind(-1)
    sin, cos = -heading(motion).sin()[:, None], heading(motion).cos()[:, None]
    return torch.stack([cos * x + sin * z, y, cos * z - sin * x], dim=-1)


def test_best_text_is_the_picture_nearest_to_the_words(table: FrameEmbeddings, windows: WindowSet) -> None:
    draw = windows.draw(generator(3), 48, 60, mirror=True)
    draw.text[::3] = -1
    texts = PixelEncoder().encode_texts(windows.texts)
    best, random = (table.targets(draw, texts, choice, generator()) for choice in ("best-text", "random"))
    for number, (rows, mask) in enumerate(zip(draw.rows, draw.mask, strict=True)):
        pictured = table.number[rows[mask]]
        vectors = table.embedding[draw.mirrored.long()[number], pictured[pictured >= 0]]
        if draw.text[number] < 0:
            assert torch.equal(best.embedding[number], random.embedding[number])
        else:
            assert torch.equal(best.embedding[number], vectors[(vectors @ texts[draw.text[number]]).argmax()])
    assert not torch.equal(best.embedding, random.embedding)


def test_mirrored_windows_need_flipped_pictures(stores: list[Store], windows: WindowSet) -> None:
    table = FrameEmbeddings.load(stores, windows, PixelEncoder(), False, SPACING)
    texts = PixelEncoder().encode_texts(windows.texts)
    assert len(table.embedding) == 1
    assert (
        table.targets(windows.draw(generator(0), 8, 60, mirror=False), texts, "random", generator()).weight == 1
    ).all()
    with pytest.raises(ModelError, match="mirrored"):
        table.targets(windows.draw(generator(0), 64, 60, mirror=True), texts, "random", generator())


def test_a_tower_sees_each_picture_once(stores: list[Store], windows: WindowSet) -> None:
    text_encoder, counts = PixelEncoder(), []
    plain = FrameEmbeddings.load(
        stores, windows, text_encoder, False, SPACING, lambda done, of: counts.append((done, of))
    )
    pictures = plain.embedding.shape[1]
    assert text_encoder.seen == pictures and counts[-1] == (pictures, pictures)
    both = FrameEmbeddings.load(stores, windows, text_encoder, True, SPACING)
    assert text_encoder.seen == 2 * pictures  # only the flipped ones were new
    assert torch.equal(FrameEmbeddings.load(stores, windows, text_encoder, True, SPACING).embedding, both.embedding)
    assert text_encoder.seen == 2 * pictures
    assert torch.equal(both.embedding[:1], plain.embedding)
    FrameEmbeddings.load(stores, windows, other := PixelEncoder("pixels1"), False, SPACING)
    assert other.seen == pictures


def test_other_pictures_are_seen(stores: list[Store], tmp_path: Path) -> None:
    def load(store: Store, spacing: int) -> int:
        text_encoder = PixelEncoder()
        FrameEmbeddings.load([store], WindowSet([store], "train", {}, min_frames=20), text_encoder, False, spacing)
        return text_encoder.seen

    assert load(stores[1], 1) > 0
    assert load(stores[1], 2) > 0
    assert load(stores[1], 2) == 0
    copy = Store.open(shutil.copytree(stores[1].folder, tmp_path / "moved"))
    assert load(copy, 2) == 0
    assert load(dataclasses.replace(copy, sha256="of other motions"), 2) > 0
    assert load(only(stores[0], 0), 2) > 0
    others = dataclasses.replace(stores[0].rendered_frames, sha256="of other pictures")  # type: ignore[type-var]
    assert load(dataclasses.replace(only(stores[0], 0), rendered_frames=others), 2) > 0


def only(store: Store, number: int) -> Store:
    """The store with one entry for training and the others for validation."""
    split = [dataclasses.replace(e, split="train" if n == number else "val") for n, e in enumerate(store.entries)]
    return dataclasses.replace(store, entries=tuple(split))


def test_each_split_has_its_own_pictures(stores: list[Store]) -> None:
    counts = [len(frames_to_render(entry.num_frames, SPACING)) for entry in stores[0].entries]
    one, two = next((a, b) for b in range(CLIPS) for a in range(b) if counts[a] == counts[b])
    vectors = []
    for number in (one, two):
        store = only(stores[0], number)
        table = FrameEmbeddings.load([store], WindowSet([store], "train", {}, 20), PixelEncoder(), False, SPACING)
        vectors.append(table.embedding)
    assert vectors[0].shape == vectors[1].shape
    assert not torch.equal(*vectors)


def test_a_stop_loses_little(stores: list[Store], windows: WindowSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motionclip.training.frames._CHUNK", 5)
    whole = FrameEmbeddings.load(stores, windows, PixelEncoder("whole"), False, SPACING)
    with pytest.raises(KeyboardInterrupt):
        FrameEmbeddings.load(stores, windows, PixelEncoder(limit=12), False, SPACING)
    text_encoder = PixelEncoder()
    resumed = FrameEmbeddings.load(stores, windows, text_encoder, False, SPACING)
    assert text_encoder.seen == whole.embedding.shape[1] - 10
    assert torch.allclose(resumed.embedding, whole.embedding, atol=1e-6)


def test_a_damaged_cache_is_made_anew(stores: list[Store], windows: WindowSet, fresh_cache: Path) -> None:
    whole = FrameEmbeddings.load(stores, windows, PixelEncoder(), False, SPACING)
    files = sorted(fresh_cache.rglob("*.npy"))
    files[0].write_bytes(files[0].read_bytes()[:-7])
    np.save(files[1], np.zeros((1, 3), np.float32))
    text_encoder = PixelEncoder()
    assert torch.equal(FrameEmbeddings.load(stores, windows, text_encoder, False, SPACING).embedding, whole.embedding)
    assert text_encoder.seen > 0


def test_a_cache_that_cannot_be_written_is_a_warning(
    stores: list[Store], windows: WindowSet, fresh_cache: Path
) -> None:
    fresh_cache.write_text("in the way")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = FrameEmbeddings.load(stores, windows, PixelEncoder(), False, SPACING)
    assert table.embedding.norm(dim=-1).allclose(torch.ones(1))
    assert any("MOTIONCLIP_CACHE" in str(warning.message) for warning in caught)


def test_clip_sees_the_pictures(stores: list[Store], windows: WindowSet, clip_folder: Path) -> None:
    text_encoder = load_text_encoder("clip:random/tiny", clip_folder)
    assert isinstance(text_encoder, ImageEncoder)
    table = FrameEmbeddings.load(stores, windows, text_encoder, True, SPACING)
    draw = windows.draw(generator(0), 8, 60, mirror=True)
    targets = table.targets(draw, text_encoder.encode_texts(windows.texts), "best-text", generator())
    assert targets.embedding.shape == (8, text_encoder.dim) and (targets.weight == 1).all()
    assert targets.embedding.norm(dim=-1).allclose(torch.ones(8), atol=1e-5)


def test_a_spacing_that_makes_no_sense_is_refused(stores: list[Store], windows: WindowSet) -> None:
    with pytest.raises(DataError, match="1 to 60"):
        FrameEmbeddings.load(stores, windows, PixelEncoder(), False, 0)
