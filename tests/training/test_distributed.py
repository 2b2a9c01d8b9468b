"""Processes that train together give what one would, and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from curve_job import CONFIGS, run_curves
from small import rows

from motionclip.cli.main import main
from motionclip.errors import ModelError
from motionclip.model.checkpoint import load_network
from motionclip.training.config import PHASES
from motionclip.training.distributed import DistributedContext
from motionclip.training.learner import derived_seed

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_network(run / "model").state_dict()


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one_with_twice_the_batch(small_store: Path, tmp_path: Path) -> None:
    script, paraphrases = Path(__file__).with_name("curve_job.py"), tmp_path / "paraphrases.jsonl"
    groups = [{"captions": [f"{n} goes", f"{n} walks", f"{n} strolls"]} for n in range(9)]
    paraphrases.write_text("".join(json.dumps(group) + "\n" for group in groups))
    job = [*TORCHRUN, str(script), str(small_store), str(paraphrases), str(tmp_path / "two")]
    subprocess.run(job, check=True, timeout=600)
    run_curves(small_store, paraphrases, tmp_path / "one", processes=2)
    for name, config in CONFIGS.items():
        one, two = tmp_path / "one" / name, tmp_path / "two" / name
        expected, found = (json.loads((run / "losses.json").read_text()) for run in (one, two))
        assert len(found) == sum(getattr(config, phase).steps for phase in PHASES)
        assert found == pytest.approx(expected, rel=1e-4)
        for row, other in zip(rows(one), rows(two), strict=True):
            assert other.pop("phase") == row.pop("phase")
            assert other == pytest.approx(row, rel=5e-3)  # the gradient's norm rounds most
        for weight, value in weights(one).items():
            torch.testing.assert_close(weights(two)[weight], value, rtol=1e-3, atol=1e-3, msg=weight)


def start(store: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """A job of the command; the first of its many steps is saved, so that it can be killed soon."""
    flags = ["--autoencoder.steps", "200", "--save-every", "2", "--head.steps", "0", "--prior.steps", "2"]
    command = ["-m", "motionclip", "train", "--preset", "tiny", *flags, "--data", str(store), "--out", str(out), *more]
    return subprocess.Popen([*TORCHRUN, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def process_of(job: subprocess.Popen[str], rank: int) -> int:
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    wanted = f"RANK={rank}".encode()
    return next(int(pid) for pid in children if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes of a job in /proc")
def test_a_killed_process_ends_the_job_and_as_many_resume(
    small_store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = start(small_store, tmp_path)
    try:
        while not (tmp_path / "state" / "autoencoder.safetensors").exists():
            assert job.poll() is None, job.communicate()[0]
            time.sleep(0.05)
        os.kill(process_of(job, 1), signal.SIGKILL)
        killed = time.monotonic()
        output = job.communicate(timeout=300)[0]
    finally:
        job.kill()
    assert job.returncode != 0
    assert time.monotonic() - killed < 120  # the other does not wait for it, which it would for 15 minutes
    assert "process 0 of 2" in output and "--resume" in output
    assert "rank      : 1 (local_rank: 1)" in output.split("Root Cause")[1]
    assert not (tmp_path / "model").exists()
    command = ["train", "--preset", "tiny", "--data", str(small_store), "--out", str(tmp_path), "--resume"]
    assert main(command) == 2
    assert "a run of 2 processes, this is one of 1" in capfd.readouterr().err


def test_a_process_without_a_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert DistributedContext(3, 8, 3).device("cuda") == "cuda:3"
    assert DistributedContext(3, 8, 3).device("cpu") == "cpu"
    with pytest.raises(ModelError, match="--nproc-per-node"):
        DistributedContext(4, 8, 4).device("cuda")


def test_processes_draw_their_own_dropout() -> None:
    seeds = {derived_seed(0, "autoencoder", step, "dropout", rank) for step in range(1000) for rank in range(3)}
    assert len(seeds) == 3000


@pytest.mark.parametrize(("count", "rank", "own"), [(4, 0, slice(0, 4)), (4, 2, slice(8, 12))])
def test_each_process_takes_its_share_of_rows(count: int, rank: int, own: slice) -> None:
    assert DistributedContext(rank, 3, rank).shares(count) == (12, own)
