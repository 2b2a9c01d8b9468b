"""The model whose graphs are tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.tiny_graphs import lively_model
from motionclip.model.pipeline import MotionCLIP


@pytest.fixture(scope="session")
def model(tiny_run: Path) -> MotionCLIP:
    return lively_model(tiny_run)
