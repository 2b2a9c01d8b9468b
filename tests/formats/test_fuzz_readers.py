"""Every reader on damaged files: a finite result or an error of ours, soon.

`benchmarks/fuzz.py` tries many more, and measures their memory.
"""

from __future__ import annotations

import random
import time
import warnings
from pathlib import Path

import pytest
import torch
from corpus import Kind, document_kinds, motion_kinds
from mutations import damaged

from motionclip.errors import MotionClipError

COUNT = 30
#: A file of this size is read in a few milliseconds, one of FBX in a process that has to start.
MOST_SECONDS = 20.0
FBX_COUNT = 2


def check(kind: Kind, count: int) -> None:
    """Reads a file as it is and with damage."""
    content = kind.file.read_bytes()
    assert kind.read() is not None
    for seed in range(count):
        kind.file.write_bytes(damaged(random.Random(seed), content, kind.suffix))
        started = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = kind.read()
        except MotionClipError:
            pass
        except Exception as error:
            pytest.fail(f"{kind.name}, seed {seed}: {error!r}")
        else:
            assert all(torch.isfinite(tensor).all() for tensor in result), f"{kind.name}, seed {seed}"
        assert time.monotonic() - started < MOST_SECONDS, f"{kind.name}, seed {seed}"
    kind.file.write_bytes(content)


def test_damaged_motions_are_read_or_refused(tmp_path: Path) -> None:
    for kind in motion_kinds(tmp_path):
        check(kind, FBX_COUNT if kind.suffix == ".fbx" else COUNT)


def test_damaged_documents_are_read_or_refused(tmp_path: Path) -> None:
    for kind in document_kinds(tmp_path):
        check(kind, COUNT)
