"""A studio in this process over the shipped model, and a headless Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import motionclip
from motionclip.model.pipeline import MotionCLIP
from motionclip.studio.app import Studio

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


@pytest.fixture(scope="session")
def model(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="session")
def walk(model: MotionCLIP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk of three seconds as BVH."""
    path = tmp_path_factory.mktemp("takes") / "walk.bvh"
    motionclip.write_motion(motionclip.text_to_motion(model, "a person walks", seconds=3), path)
    return path


@pytest.fixture
def studio(model: MotionCLIP) -> Iterator[Studio]:
    page = Studio(model, port=0)
    yield page
    page.close()


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
