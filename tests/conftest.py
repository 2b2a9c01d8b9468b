"""What every test shares: one thread, and a cache folder of its own, so that none reads or writes the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tensors are small here: threads gain nothing, and on a busy machine they wait for each other (up to 90 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIONCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def synthetic_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small prepared store of procedural motions."""
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source

    folder = tmp_path_factory.mktemp("stores") / "synthetic"
    prepare(open_source("synthetic:200"), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_run(synthetic_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the `tiny` preset: it knows little, but all its parts are real."""
    from motionclip.data.store import Store
    from motionclip.towers import load_tower
    from motionclip.training.presets import preset
    from motionclip.training.trainer import train

    out = tmp_path_factory.mktemp("runs") / "tiny"
    train(preset("tiny"), [Store.open(synthetic_store)], out, load_tower("minilm"))
    return out
