"""Runs start from few windows: what they start from is not what these tests look at."""

import pytest


@pytest.fixture(autouse=True, scope="package")
def few_windows() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("motionclip.training.phases._START_WINDOWS", 64)
        patch.setattr("motionclip.training.validation._WINDOWS", 16)
        yield
