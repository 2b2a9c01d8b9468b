"""Where the package would mix tensors of the CPU with those of a GPU, without a GPU (`second_device/device.py`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils import backend_registration

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
        reason="this torch takes no devices that are written in Python",
    ),
]

CHECK = Path(__file__).parent / "second_device" / "check.py"


@pytest.mark.parametrize("part", ["refusals", "applications", "training", "evaluation"])
def test_all_tensors_of_a_computation_are_on_its_device(part: str, small_store: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(CHECK), part, str(small_store), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert not done.returncode, done.stderr[-2000:]
