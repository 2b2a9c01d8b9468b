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
from curve_job import configs, run_curves

from motionclip.cli.main import main
from motionclip.data import open_source, prepare
from motionclip.errors import ModelError
from motionclip.model.checkpoint import load_network
from motionclip.training.distributed import DistributedContext

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
STEPS = 60  # a process is killed soon after the tenth, the first that is saved


@pytest.fixture(scope="module")
def few_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "few"
    prepare(open_source("synthetic:40"), folder, workers=1)
    return folder


def rows(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_network(run / "model").state_dict()


def start(store: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = ["-m", "motionclip", "train", "--preset", "tiny", "--steps", str(STEPS), "--data", str(store)]
    return subprocess.Popen(
        [*TORCHRUN, *command, "--out", str(out), *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(job: subprocess.Popen[str]) -> str:
    """Wait for the end of a job; returns what it said."""
    try:
        return job.communicate(timeout=120)[0]
    finally:
        job.kill()


def test_two_processes_give_the_losses_of_one_with_twice_the_batch(few_clips: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("curve_job.py")
    said = tmp_path / "said.jsonl"
    said.write_text(
        "".join(json.dumps({"captions": [f"{n} goes", f"{n} walks", f"{n} strolls"]}) + "\n" for n in range(9))
    )
    subprocess.run([*TORCHRUN, str(script), str(few_clips), str(said), str(tmp_path / "two")], check=True, timeout=120)
    run_curves(few_clips, said, tmp_path / "one", processes=2)
    for name, config in configs().items():
        one, two = tmp_path / "one" / name, tmp_path / "two" / name
        expected, found = (json.loads((run / "losses.json").read_text()) for run in (one, two))
        assert len(found) == config.paraphrase_steps + config.steps + config.head_steps + config.prior_steps
        assert found == pytest.approx(expected, rel=1e-4)
        for row, other in zip(rows(one), rows(two), strict=True):
            assert other.pop("phase") == row.pop("phase")
            assert other == pytest.approx(row, rel=5e-3)  # the gradient's norm rounds most
        for weight, value in weights(one).items():
            torch.testing.assert_close(weights(two)[weight], value, rtol=1e-3, atol=1e-3, msg=weight)


@pytest.fixture(scope="module")
def whole(few_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes that nothing stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    said = finish(start(few_clips, out))
    assert (out / "model").is_dir(), said
    return out


def process_of(job: subprocess.Popen[str], rank: int) -> int:
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    wanted = f"RANK={rank}".encode()
    return next(int(pid) for pid in children if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes of a job in /proc")
def test_a_killed_process_ends_the_job_and_resume_goes_on(few_clips: Path, whole: Path, tmp_path: Path) -> None:
    job = start(few_clips, tmp_path)
    while not (tmp_path / "state" / "autoencoder.safetensors").exists():
        assert job.poll() is None, finish(job)
        time.sleep(0.05)
    os.kill(process_of(job, 1), signal.SIGKILL)
    killed = time.monotonic()
    said = finish(job)
    assert job.returncode != 0
    assert time.monotonic() - killed < 30
    assert "process 0 of 2" in said and "--resume" in said
    assert "rank      : 1 (local_rank: 1)" in said.split("Root Cause")[1]
    assert not (tmp_path / "model").exists()
    said = finish(start(few_clips, tmp_path, "--resume"))
    assert (tmp_path / "model").exists(), said
    assert all(torch.equal(weights(tmp_path)[name], value) for name, value in weights(whole).items())
    assert sorted(map(str, rows(tmp_path))) == sorted(map(str, rows(whole)))


def test_a_run_is_resumed_by_as_many_processes(few_clips: Path, whole: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["train", "--preset", "tiny", "--steps", str(STEPS), "--data", str(few_clips), "--out", str(whole)]
    assert main([*command, "--resume"]) == 2
    assert "a run of 2 processes, this is one of 1" in capfd.readouterr().err


def test_a_process_without_a_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert DistributedContext(3, 8, 3).device("cuda") == "cuda:3"
    assert DistributedContext(3, 8, 3).device("cpu") == "cpu"
    with pytest.raises(ModelError, match="--nproc-per-node"):
        DistributedContext(4, 8, 4).device("cuda")


def test_processes_draw_their_own_dropout_and_always_the_same() -> None:
    def drawn(rank: int) -> torch.Tensor:
        torch.manual_seed(5)
        DistributedContext(rank, 3, rank).seed_apart()
        return torch.rand(4)

    assert torch.equal(drawn(1), drawn(1))
    assert len({tuple(drawn(rank).tolist()) for rank in range(3)}) == 3
    torch.manual_seed(5)
    alone = torch.rand(4)
    assert torch.equal(drawn(0), alone)  # a process that is alone draws what it always did
