"""Shares of one preparation: together the same bytes as one run, and never two runs on the same share."""

import shutil
from pathlib import Path

import pytest

from motionclip.data.prepare import prepare, prepare_shard
from motionclip.data.shards import Shard, locked
from motionclip.data.synthetic import synthetic_source
from motionclip.errors import DataError

CLIPS = 8


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A store with pictures, made in one run."""
    folder = tmp_path_factory.mktemp("reference") / "store"
    prepare(synthetic_source(CLIPS), folder, frames=1, workers=1)
    return folder


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1.5/4", " 1/4"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(DataError, match="expected i/n"):
        Shard.parse(text)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_shares_make_the_whole(count):
    shares = [list(Shard.parse(f"{index}/{count}").of(range(10))) for index in range(1, count + 1)]
    assert sorted(number for share in shares for number in share) == list(range(10))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_shards_give_the_bytes_of_one_run(reference, tmp_path):
    out, counts = tmp_path / "store", []
    for index in (2, 1, 3):
        prepare_shard(synthetic_source(CLIPS), out, Shard(index, 3), frames=1, workers=1)
        assert not out.exists()
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, progress=lambda done, of: counts.append(done))
    assert counts == [CLIPS]
    assert contents(out) == contents(reference)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_the_last_run_makes_what_is_missing(reference, tmp_path):
    out, counts = tmp_path / "store", []
    prepare_shard(synthetic_source(CLIPS), out, Shard(2, 3), frames=1, workers=1)
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, progress=lambda done, of: counts.append(done))
    assert counts[0] == 3
    assert contents(out) == contents(reference)


def test_a_shard_counts_its_share_and_goes_on_where_it_stopped(tmp_path):
    def run(progress):
        prepare_shard(synthetic_source(CLIPS), tmp_path / "store", Shard(1, 2), workers=1, progress=progress)

    def stop(done, of):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stop)
    counts = []
    run(lambda done, of: counts.append((done, of)))
    assert counts == [(2, 4), (3, 4), (4, 4)]


def test_shards_add_pictures_to_a_store(reference, tmp_path):
    out = tmp_path / "store"
    prepare(synthetic_source(CLIPS), out, workers=1)
    for index in (1, 2):
        prepare_shard(synthetic_source(CLIPS), out, Shard(index, 2), frames=1, workers=1)
    counts = []
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, progress=lambda done, of: counts.append(done))
    assert counts == [CLIPS]
    assert contents(out) == contents(reference)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_shards_replace_a_store_only_on_request(reference, tmp_path):
    out = Path(shutil.copytree(reference, tmp_path / "store"))
    with pytest.raises(DataError, match="exists"):
        prepare_shard(synthetic_source(CLIPS), out, Shard(1, 2), workers=1)
    prepare_shard(synthetic_source(CLIPS), out, Shard(1, 2), frames=1, workers=1, overwrite=True)
    prepare(synthetic_source(CLIPS), out, frames=1, workers=1, overwrite=True)
    assert contents(out) == contents(reference)


def test_parts_of_another_source_stop_a_shard_and_not_the_whole(tmp_path):
    out = tmp_path / "store"
    prepare_shard(synthetic_source(4), out, Shard(1, 2), workers=1)
    with pytest.raises(DataError, match=r"\.store\.partial holds parts of another source"):
        prepare_shard(synthetic_source(5), out, Shard(2, 2), workers=1)
    prepare(synthetic_source(5), out, workers=1)
    prepare(synthetic_source(5), tmp_path / "other", workers=1)
    assert contents(out) == contents(tmp_path / "other")


def test_locks_keep_apart_what_must_be(tmp_path):
    out, parts = tmp_path / "store", tmp_path / ".store.partial"
    with locked(out, parts, Shard(1, 2)):
        with locked(out, parts, Shard(2, 2)):
            pass
        with pytest.raises(DataError, match="shard 1/2 of"), locked(out, parts, Shard(1, 2)):
            pass
        with pytest.raises(DataError, match="by another process"), locked(out, parts, None):
            pass
    with locked(out, parts, None):
        for other in (None, Shard(2, 2)):
            with pytest.raises(DataError, match="by another process"), locked(out, parts, other):
                pass
    with locked(out, parts, Shard(1, 2)):
        pass
