"""What the tests share: one thread, a cache folder of their own, small models, stores, real files, and a browser.

A costly thing is made once in a session, also where several workers of pytest-xdist share the tests (``made_once``).
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from motionclip.model.pipeline import MotionCLIP

# Tensors are small here: threads gain nothing, and on a busy machine they wait for each other (up to 90 times slower).
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties are checked on a bounded number of examples, without a clock: a busy machine is no failure.
hypothesis.settings.register_profile("bounded", max_examples=30, deadline=None)
hypothesis.settings.load_profile("bounded")

ROOT = Path(__file__).parents[1]
MODELS = Path(__file__).parent / "models"
DATA = ROOT / ".data"
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
#: Draws WebGL without a graphics card, and asks nobody outside for anything.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of real files are slow where those have to be unpacked first."""
    for item in items:
        if not DATA.is_dir() and "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name``, filled by ``make`` in whichever worker asks first; the others wait for it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def real_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds ``REAL_FILES``: ``.data`` where the data is unpacked, else unpacked from the archives."""
    if (DATA / "dataset").is_dir() and (DATA / "cmu").is_dir():
        return DATA
    if not all((ARCHIVES / name).is_file() for name in REAL_FILES):
        pytest.skip("the real motion data is neither in .data nor packed in ../shared/data")

    def unpack(folder: Path) -> None:
        for name, wanted in REAL_FILES.items():
            with tarfile.open(ARCHIVES / name, "r|xz") as archive:
                for member in archive:
                    if member.name.removeprefix("./") in wanted:
                        archive.extract(member, folder, filter="data")

    return made_once(tmp_path_factory, "real", unpack)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files that the package keeps between calls: apart from the user's, and shared by the workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIONCLIP_CACHE", str(made_once(tmp_path_factory, "cache", Path.mkdir)))
        yield


def prepare_synthetic(clips: int, folder: Path) -> None:
    from motionclip.data.prepare import prepare
    from motionclip.data.sources import open_source

    prepare(open_source(f"synthetic:{clips}"), folder, workers=1)


@pytest.fixture(scope="session")
def synthetic_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared store of 200 procedural motions: the one that `models/tiny` learned from."""
    return made_once(tmp_path_factory, "synthetic", lambda folder: prepare_synthetic(200, folder))


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 16 procedural motions, for tests that look at every frame of it."""
    return made_once(tmp_path_factory, "small", lambda folder: prepare_synthetic(16, folder))


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP with random weights in the hub's layout: the weights of the text encoder `clip:random/tiny`."""
    from encoders.random_clip import tiny_clip

    return made_once(tmp_path_factory, "clip", tiny_clip)


@pytest.fixture(scope="session")
def tiny_run() -> Path:
    """A small trained model (`models/make.py`) that knows the procedural motions and their sentences."""
    return MODELS / "tiny"


@pytest.fixture(scope="session")
def tiny_model(tiny_run: Path) -> MotionCLIP:
    """The model in ``tiny_run``; not to be changed."""
    import motionclip

    return motionclip.load(tiny_run)


@pytest.fixture(scope="session")
def base_model() -> MotionCLIP:
    """The shipped model; not to be changed."""
    import motionclip

    return motionclip.load()


@pytest.fixture(scope="session")
def tiny_graphs(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ONNX graphs of the tiny model, changed so that all of it has its say (`export/tiny_graphs.py`)."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from export.tiny_graphs import export_lively_model

    return made_once(tmp_path_factory, "graphs", lambda folder: export_lively_model(tiny_run, folder))


@pytest.fixture(scope="session")
def tiny_evaluator() -> Path:
    """The folder of an evaluator network for the procedural motions (`models/make.py`)."""
    return MODELS / "evaluator"


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A browser of Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on the path")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()
