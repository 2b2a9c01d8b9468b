"""`motionclip` itself: overview, version, unknown commands, and what a command's help and errors look like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.cli.main import COMMANDS, load_command, main
from motionclip.cli.options import THREADS, ModelOptions
from motionclip.errors import MotionClipError
from motionclip.io import readable, writable
from motionclip.model.checkpoint import SHIPPED
from motionclip.motion.retarget import RIGS


def shown_help(*arguments: str) -> str:
    """The help of a command, as a terminal of 400 columns shows it in a process that does not load PyTorch."""
    check = "import sys; from motionclip.cli.main import main\ntry: main(sys.argv[1:])\n"
    check += "finally: assert not {'torch', 'numpy', 'matplotlib'} & sys.modules.keys()"
    environment = {"COLUMNS": "400", "PATH": "", "PYTHONPATH": str(Path(motionclip.__file__).parents[1])}
    command = [sys.executable, "-c", check, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_overview_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("arguments", ["--help", "--version"])
def test_the_overview_comes_at_once(arguments: str) -> None:
    check = f"import sys; from motionclip.cli.main import main; main(['{arguments}']); "
    check += "assert not {'torch', 'numpy', 'tyro', 'rich'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)


def test_threads_that_wait_let_others_compute() -> None:
    check = "import os; from motionclip.cli.main import main; main(['--version']); print(os.environ['OMP_WAIT_POLICY'])"
    for given, expected in (({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")):
        environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | given
        done = subprocess.run(
            [sys.executable, "-c", check], check=True, capture_output=True, text=True, env=environment
        )
        assert done.stdout.splitlines()[-1] == expected


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"motionclip {motionclip.__version__}\n"


@pytest.mark.parametrize(
    ("name", "says"), [("genrate", "did you mean generate?"), ("fly", "--help"), ("--model", "--help")]
)
def test_an_unknown_command_is_one_line(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "a person walks"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"motionclip: no command {name!r}") and says in error and error.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_summary_of_one_line(name: str) -> None:
    summary = (load_command(name).__doc__ or "").splitlines()[0]
    assert summary.endswith(".") and (name.startswith("train") or len(summary) <= 100)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_speaks_of_none(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "None" not in capsys.readouterr().out


def test_the_help_of_a_command_shows_every_format_and_default_without_torch() -> None:
    shown = shown_help("convert", "--help")
    assert all(suffix in shown for suffix in (*readable(), *writable())) and all(rig in shown for rig in RIGS)
    assert "None" not in shown
    generating = shown_help("generate", "--help")
    assert f"(default: {DEFAULT_GUIDANCE:g})" in generating
    assert "A folder gets a file for each text and each of --formats" in generating  # no line break of the source
    assert "--version" in shown_help()


@pytest.mark.parametrize("arguments", [["--seconds", "long"], ["--device", "tpu"], ["--second", "3"], ["--seed"]])
def test_a_bad_option_is_a_few_lines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["generate", "a person walks", *arguments])
    error = capsys.readouterr().err
    assert refusal.value.code == 2 and error.count("\n") <= 13 and "None" not in error


def test_completion_scripts_know_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tyro-print-completion", "bash"])
    assert "storyboard" in capsys.readouterr().out


def test_threads_come_from_the_option_or_the_environment(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", wanted.append)
    monkeypatch.delenv(THREADS, raising=False)
    ModelOptions(str(tiny_run)).load()
    ModelOptions(str(tiny_run)).load(many=True)  # as many as PyTorch takes
    ModelOptions(str(tiny_run), threads=3).load()
    monkeypatch.setenv(THREADS, "2")
    ModelOptions(str(tiny_run)).load(many=True)
    assert wanted == [1, 3, 2]
    for options in (ModelOptions(threads=0), ModelOptions(threads=-1)):
        with pytest.raises(MotionClipError, match="1 or more"):
            options.load()


def test_model_and_device(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ModelOptions().model == SHIPPED
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert ModelOptions(str(tiny_run), device="auto").load().device.type == "cpu"
    with pytest.raises(MotionClipError, match="no GPU"):
        ModelOptions(str(tiny_run), device="cuda").load()
