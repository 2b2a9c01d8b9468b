"""What every test shares: one thread, and a cache folder of its own, so that none reads or writes the user's."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tensors are small here: threads gain nothing, and on a busy machine they wait for each other (up to 90 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "1")


ROOT = Path(__file__).parents[1]
ARCHIVES = ROOT.parent / "shared" / "data"
TAKE = "dataset/Bandai-Namco-Research-Motiondataset-{}/data/dataset-{}_{}.bvh"

#: The few real files that tests read; none of them is in the repository.
REAL_FILES = {
    "cmu.tar.xz": [f"cmu/{subject}/{subject}.asf" for subject in ("01", "02", "07", "17", "35", "39")]
    + [f"cmu/{trial[:2]}/{trial}.amc" for trial in ("01_01", "02_01", "07_05", "17_10", "35_01", "39_10")]
    + ["cmu/06/06_02.bvh", "cmu/131/131_02.bvh", "cmu/60/60_01.bvh"],
    "bandai_namco.tar.xz": [TAKE.format(1, 1, "walk_normal_001")]
    + [TAKE.format(2, 2, f"raise-up-{side}-hand_normal_001") for side in ("left", "right")]
    + [TAKE.format(2, 2, f"{take}_007") for take in ("walk_elderly", "run_normal", "wave-both-hands_active")],
}


@pytest.fixture(scope="session")
def real_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds ``REAL_FILES``: ``.data`` where the data is unpacked, else unpacked from the archives."""
    if (ROOT / ".data" / "dataset").is_dir() and (ROOT / ".data" / "cmu").is_dir():
        return ROOT / ".data"
    if not all((ARCHIVES / name).is_file() for name in REAL_FILES):
        pytest.skip("the real motion data is neither in .data nor packed in ../shared/data")
    folder = tmp_path_factory.mktemp("real")
    for name, wanted in REAL_FILES.items():
        with tarfile.open(ARCHIVES / name, "r|xz") as archive:
            for member in archive:
                if member.name.removeprefix("./") in wanted:
                    archive.extract(member, folder, filter="data")
    return folder


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
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP with random weights in the hub's layout: the weights of the text encoder `clip:random/tiny`."""
    from encoders.random_clip import tiny_clip

    return tiny_clip(tmp_path_factory.mktemp("text encoders") / "clip")


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a few procedural motions, for tests that look at every frame of it."""
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source

    folder = tmp_path_factory.mktemp("stores") / "small"
    prepare(open_source("synthetic:16"), folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def tiny_run(synthetic_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the `tiny` preset: it knows little, but all its parts are real."""
    from motionclip.data.store import Store
    from motionclip.encoders import load_text_encoder
    from motionclip.training.config import preset
    from motionclip.training.trainer import train

    out = tmp_path_factory.mktemp("runs") / "tiny"
    train(preset("tiny"), [Store.open(synthetic_store)], out, load_text_encoder("minilm"))
    return out
