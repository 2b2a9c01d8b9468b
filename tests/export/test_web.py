"""The page of `motionclip export web` in Chromium: its parts, and what it makes, are those of Python."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import motionclip
from motionclip.encoders.cache import cache_folder
from motionclip.export.npm import ONNXRUNTIME, THREE
from motionclip.export.web import write_page
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion
from motionclip.sides import mirror_words

pytestmark = pytest.mark.slow

PAGE = Path(motionclip.__file__).parent / "export" / "page"
#: Of the user, whose packages the tests take; those of the tests themselves are in a cache of their own.
USERS_CACHE = cache_folder()
PATIENCE = 300_000
SENTENCES = [
    "Jumping-jacks, café!", "[MASK] walks [SEP]", "ΑΣ ὈΔΥΣΣΕΎΣ", "走る人 walks", "a\u200bb \u00ad c", "a_b", "", "   ",
    "tab\tnew\nline\u00a0x\u3000y", "İstanbul ŞİŞ", "ﬁ ligature", "$5 + 3 = 8 < 9 `x` ~ | ^", "e\u0301té",
    "😀 emoji walks", "x" * 100, "x" * 101, "\0a\ufffd", "don't—stop…", "«quote»", "한국어 걷다", "ǅ ẞ ß", "नमस्ते",
    "\u0378 unassigned", "\ue000 private",
]  # fmt: skip
SIDED = ["Left, right and leftwards", "copyright", "turn counter-clockwise, then CLOCKWISE", "anticlockwise", "left."]


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[Path], str]]:
    """Serves folders as `python -m http.server` does; gives their addresses."""
    servers: list[ThreadingHTTPServer] = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    def serve(folder: Path) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_tokens_noise_and_sides_are_those_of_python(
    chromium: Any, served: Callable[[Path], str], base_model: MotionCLIP, tmp_path: Path
) -> None:
    for name in ("tokenizer.js", "noise.js", "sides.js"):
        shutil.copy(PAGE / name, tmp_path)
    tokenizer = base_model.text_encoder.tokenizer
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str())
    (tmp_path / "index.html").write_text("<!doctype html>")
    letters = [
        chr(code)
        for block in ((32, 127), (160, 592), (880, 1120), (8192, 8300), (8352, 8384))
        for code in range(*block)
    ]
    drawn = random.Random(0)
    texts = SENTENCES + [
        "".join(drawn.choices(letters + ["a walk "] * 200, k=drawn.randint(1, 30))) for _ in range(500)
    ]
    seeds = [(0, 383), (1, 383), (2**31, 64), (2**32 + 5, 100), (2**64 - 1, 16), (12345, 17)]
    tab = chromium.new_page()
    tab.goto(served(tmp_path))
    ids, noise, sides = tab.evaluate(
        """async ([texts, seeds, sided]) => {
          const [{ Tokenizer }, { normal }, { mirrorWords }] =
            await Promise.all(["tokenizer", "noise", "sides"].map(name => import(`./${name}.js`)));
          const tokenizer = new Tokenizer(await (await fetch("tokenizer.json")).json());
          const noise = seeds.map(([seed, count]) => Array.from(normal(BigInt(seed), count)));
          return [texts.map(text => tokenizer.encode(text)), noise, sided.map(mirrorWords)];
        }""",
        [texts, [[str(seed), count] for seed, count in seeds], SIDED],
    )
    tab.close()
    assert ids == [tokenizer.encode(text).ids for text in texts]
    assert sides == [mirror_words(text) for text in SIDED]
    for (seed, count), found in zip(seeds, noise, strict=True):
        expected = torch.randn(count, generator=torch.Generator().manual_seed(seed))
        assert np.abs(np.array(found) - expected.numpy()).max() < 1e-5


@pytest.fixture(scope="module")
def page(tiny_graphs: Path, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page around the tiny model."""
    archives = [f"{package.name}-{package.version}.tgz" for package in (THREE, ONNXRUNTIME)]
    if not all((USERS_CACHE / "npm" / name).is_file() for name in archives):
        pytest.skip("three and onnxruntime-web are not in the cache; `motionclip export web DIR` fetches them once")
    (cache_folder() / "npm").mkdir(exist_ok=True)
    for name in archives:
        shutil.copy(USERS_CACHE / "npm" / name, cache_folder() / "npm")
    made = tmp_path_factory.mktemp("web") / "page"
    written = write_page(made)
    assert sorted(written) == sorted(path for path in made.rglob("*") if path.is_file())
    (made / "model").symlink_to(tiny_graphs, target_is_directory=True)
    return made


def test_a_sentence_becomes_the_motion_that_python_makes(
    chromium: Any, served: Callable[[Path], str], page: Path, model: MotionCLIP, tmp_path: Path
) -> None:
    address, asked, errors = served(page), [], []
    tab = chromium.new_page(viewport={"width": 900, "height": 640}, accept_downloads=True)
    tab.set_default_timeout(PATIENCE)
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(address)
    says(tab, "ready: a model of")
    tab.get_by_label("what the person does").fill("a person dances on the left")
    tab.get_by_label("seconds").fill("2")
    tab.get_by_label("seed").fill("5")
    tab.get_by_role("button", name="Make").click()
    says(tab, "60 frames in")
    expected = motionclip.text_to_motion(model, "a person dances on the left", seconds=2, seed=5)
    for suffix in ("BVH", "GLB"):
        path = tmp_path / f"made.{suffix.lower()}"
        with tab.expect_download() as download:
            tab.get_by_role("button", name=suffix).click()
        assert download.value.suggested_filename == f"a_person_dances_on_the_left.{suffix.lower()}"
        download.value.save_as(path)
        assert apart(motionclip.read_motion(path), expected) < 1e-3
    tab.get_by_role("button", name="Pause").click()
    frames = [seen(tab, number) for number in (0, 40)]
    assert np.abs(frames[0] - frames[1]).max() > 40, "the body stands elsewhere in another frame"
    tab.get_by_label("what the person does").fill("a person walks")  # no side: its own mirror image
    tab.get_by_label("seconds").fill("1")
    tab.get_by_role("button", name="Make").click()
    says(tab, "30 frames in")
    tab.get_by_label("what the person does").fill("走")
    tab.get_by_role("button", name="Make").click()
    says(tab, "expected English words")
    assert not errors
    assert {url.split("/", 3)[2] for url in asked if url.startswith("http")} == {address.removeprefix("http://")}
    tab.close()


def says(tab: Any, text: str) -> None:
    """Waits until the page says something; at once if it says that something failed."""
    status = tab.locator("#said")  # the clock is a status, too
    status.get_by_text(text).or_(status.get_by_text("that did not work")).wait_for()
    assert text in status.inner_text()


def seen(tab: Any, frame: int) -> np.ndarray:
    """What the page shows of a frame, (H, W) grey."""
    tab.get_by_label("frame").fill(str(frame))
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shot = tab.screenshot(clip={"x": 0, "y": 0, "width": 900, "height": 480})
    return np.asarray(Image.open(BytesIO(shot)).convert("L"), np.int16)


def apart(found: Motion, expected: Motion) -> float:
    """The largest distance of a joint, metres."""
    assert found.num_frames == expected.num_frames
    order = found.skeleton.indices(CANONICAL.names)
    return float((found.positions[:, order] - expected.positions).norm(dim=-1).max())
