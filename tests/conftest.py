"""What every test shares: one thread, and a cache folder of its own, so that none reads or writes the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Tensors are small here: threads gain nothing, and on a busy machine they wait for each other (up to 90 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(tmp_path.with_name(f"{tmp_path.name}-cache")))


@pytest.fixture(scope="session")
def synthetic_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small prepared store of procedural motions."""
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source

    folder = tmp_path_factory.mktemp("stores") / "synthetic"
    prepare(open_source("synthetic"), folder)
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
