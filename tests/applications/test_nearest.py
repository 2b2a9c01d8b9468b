"""The nearest of many latents: exactly, and by an inverted file that follows what is added and taken away."""

from pathlib import Path

import numpy as np
import pytest

from motionclip.applications.search import nearest
from motionclip.applications.search.nearest import ApproximateNearest, ExactNearest, Floats, open_nearest

DIM, TOP = 32, 10


@pytest.fixture(scope="module")
def latents() -> Floats:
    """Three thousand unit vectors in clusters, as latents of motions are."""
    random = np.random.default_rng(0)
    rows = random.standard_normal((60, DIM))[random.integers(60, size=3000)] + 0.4 * random.standard_normal((3000, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few thousand are many."""
    pytest.importorskip("faiss")
    monkeypatch.setattr(nearest, "EXACT_UP_TO", 1000)


def test_exact(latents: Floats) -> None:
    cosines, rows = ExactNearest(latents).find(latents[7], TOP)
    order = np.argsort(-(latents @ latents[7]), kind="stable")[:TOP]
    assert rows.tolist() == order.tolist() and rows[0] == 7
    np.testing.assert_allclose(cosines, (latents @ latents[7])[order])


def test_fewer_than_asked_for(latents: Floats) -> None:
    assert len(ExactNearest(latents[:3]).find(latents[0], TOP)[1]) == 3
    assert len(ExactNearest(latents[:0]).find(latents[0], TOP)[1]) == 0


def test_few_are_compared_exactly(latents: Floats, tmp_path: Path) -> None:
    assert isinstance(open_nearest(latents, np.arange(3000), tmp_path / "a.faiss"), ExactNearest)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("many")
def test_many_are_compared_exactly_without_faiss(
    latents: Floats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "find_spec", lambda name: None)
    assert isinstance(open_nearest(latents, np.arange(3000), tmp_path / "a.faiss"), ExactNearest)


@pytest.mark.usefixtures("many")
def test_the_inverted_file_finds_nearly_all_of_the_nearest(
    latents: Floats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "_PROBES", 8)
    found = open_nearest(latents, 5 * np.arange(3000), tmp_path / "a.faiss")
    assert isinstance(found, ApproximateNearest)
    exact, common = ExactNearest(latents), 0
    for row in range(0, 3000, 30):
        cosines, rows = found.find(latents[row], TOP)
        np.testing.assert_allclose(cosines, latents[rows] @ latents[row], rtol=1e-6)
        assert rows[0] == row
        common += len(np.intersect1d(rows, exact.find(latents[row], TOP)[1]))
    assert common / (100 * TOP) > 0.9


@pytest.mark.usefixtures("many")
def test_the_inverted_file_follows_its_latents(latents: Floats, tmp_path: Path) -> None:
    path, ids = tmp_path / "a.faiss", np.arange(3000)
    open_nearest(latents[:2500], ids[:2500], path)
    written = path.stat().st_mtime_ns
    open_nearest(latents[:2500], ids[:2500], path)
    assert path.stat().st_mtime_ns == written, "nothing was new"
    kept = np.r_[0:100, 200:3000]  # a hundred are gone, five hundred are new
    found = open_nearest(latents[kept], ids[kept], path)
    assert isinstance(found, ApproximateNearest) and found.held == len(kept)
    for row in (50, 150, 2700):
        cosines, rows = found.find(latents[row], TOP)
        assert (kept[rows[0]] == row) == (row != 150)
        np.testing.assert_allclose(cosines, latents[kept[rows]] @ latents[row], rtol=1e-6)


@pytest.mark.usefixtures("many")
def test_a_damaged_inverted_file_is_made_anew(latents: Floats, tmp_path: Path) -> None:
    path = tmp_path / "a.faiss"
    for content in (b"", b"no index", b"IwFl" + bytes(100)):
        path.write_bytes(content)
        assert open_nearest(latents, np.arange(3000), path).find(latents[3], 1)[1].tolist() == [3]
