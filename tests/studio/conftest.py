"""A studio in this process over the shipped model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import motionclip
from motionclip.model.pipeline import MotionCLIP
from motionclip.studio.app import Studio


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
