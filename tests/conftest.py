"""What every test shares: a cache folder of its own, so that none reads or writes the user's."""

from __future__ import annotations

from pathlib import Path

import pytest


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
