"""`benchmarks/gpu.py` bounds its time and writes down what it found, also of what fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))


@pytest.mark.slow
def test_the_rehearsal_writes_a_table_of_all_that_it_did(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--small", "--parts", "matmul", "training"]
    subprocess.run([*command, "--out", str(tmp_path)], check=True, capture_output=True, env=os.environ)
    report = json.loads((tmp_path / "gpu_rehearsal_cpu.json").read_text())
    assert report["rehearsal"] and "no GPU" in report["machine"]
    assert [part["state"] for part in report["parts"].values()] == ["done", "done"]
    assert not [row["note"] for part in report["parts"].values() for row in part["rows"] if "note" in row]
    assert report["parts"]["training"]["rows"][0]["motion_is_finite"]
    assert "| bfloat16 |" in (tmp_path / "gpu_rehearsal_cpu.md").read_text()


def test_what_fails_is_noted_and_the_rest_goes_on() -> None:
    from gpu_parts import noted

    def too_large() -> dict[str, object]:
        raise torch.OutOfMemoryError("out of memory")

    def broken() -> dict[str, object]:
        raise ValueError("a fault\nand more")

    assert noted({"batch": 1024}, too_large) == {"batch": 1024, "note": "out of memory"}
    assert noted({"batch": 20}, broken) == {"batch": 20, "note": "ValueError: a fault"}
    assert noted({"batch": 2}, lambda: {"step_s": 1.0}) == {"batch": 2, "step_s": 1.0}


def test_a_part_is_ended_when_its_time_is_up(tmp_path: Path) -> None:
    from gpu import run_part
    from gpu_parts import Setting

    (tmp_path / "steps.jsonl").write_text('{"batch": 2, "step_s": 1.0}\n{"batch": 4, "st')
    ended = run_part("steps", Setting(tmp_path, small=True), 1.0)
    assert "were up" in ended["state"]
    assert ended["rows"] == [{"batch": 2, "step_s": 1.0}]
    assert "no time was left" in run_part("steps", Setting(tmp_path, small=True), 0.2)["state"]


def test_shares_are_of_the_rate_of_the_precision() -> None:
    from gpu import with_shares

    step = {"preset": "paper", "batch": 20, "step_s": 0.5, "gflop": 200.0}
    rows = [step | {"mode": "bfloat16", "precision": "bfloat16"}, step | {"mode": "float32", "precision": "float32"}]
    rates = [{"precision": "float32", "tflops": 1.0}, {"precision": "bfloat16", "tflops": 4.0}]
    with_shares({"matmul": {"rows": rates}, "steps": {"rows": rows}})
    assert [row["share_of_matmul_rate"] for row in rows] == [0.1, 0.4]
    assert rows[0]["windows_per_s"] == 40
