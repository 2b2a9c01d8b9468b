"""Output of a command: whatever it is connected to, and whatever the names of files hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from motionclip.cli.console import plain, say
from motionclip.cli.main import main
from motionclip.cli.options import names_file, read_source
from motionclip.cli.streams import printable

INFO = ("-m", "motionclip", "info")


def run(command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line for a shell, in which `"$@"` is Python with arguments."""
    whole = ["bash", "-c", command, "bash", sys.executable, *arguments]
    return subprocess.run(whole, capture_output=True, text=True, env=os.environ | environment, errors="replace")


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", ">&- 2>&- <&-"])
def test_a_command_without_an_output_does_its_work(files: Path, tmp_path: Path, closed: str) -> None:
    made = tmp_path / "walk.csv"
    done = run(f'"$@" {closed}', "-m", "motionclip", "convert", str(files / "walk.bvh"), str(made))
    assert done.returncode == 0, done.stderr
    assert made.stat().st_size > 1000


@pytest.mark.slow
def test_names_that_an_encoding_lacks_are_escaped(files: Path, tmp_path: Path) -> None:
    made = tmp_path / "wälk.csv"
    arguments = ("-m", "motionclip", "convert", str(files / "walk.bvh"), str(made))
    done = run('"$@"', *arguments, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "w\\xe4lk.csv" in done.stdout and made.is_file()


@pytest.mark.slow
def test_an_output_that_is_full_or_not_read_is_a_line_at_most(files: Path) -> None:
    walk = str(files / "walk.bvh")
    full = run('"$@" > /dev/full', *INFO, walk, PYTHONUNBUFFERED="")
    assert full.returncode == 2 and full.stderr == "motionclip: No space left on device\n"
    left = run('"$@" > >(exec 0<&-) ', "-c", "import time; time.sleep(0.5); " + MAIN, "info", walk)
    assert left.returncode == 1 and left.stderr == ""


MAIN = "import sys; from motionclip.cli.main import main; sys.exit(main(sys.argv[1:]))"


def test_what_files_say_does_not_steer_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printable("a\x1b[31m\x07\x9bä\n\t") == "a\\x1b[31m\\x07\\x9bä\n\t"
    assert plain("[/b]\x1b").plain == "[/b]\\x1b"
    say("[/b]\x1b]0;title\x07")
    assert capsys.readouterr().out == "[/b]\\x1b]0;title\\x07\n"
    Path("take.bvh").write_text("HIERARCHY\nROOT hips\n{\n\x1b]0;title\x07 1 2 3\n}\nMOTION\n")
    assert main(["info", "take.bvh"]) == 2
    assert main(["info", "\x1b[31mred.bvh"]) == 2
    error = capsys.readouterr().err
    assert "\x1b" not in error and "\\x1b[31mred.bvh" in error


def test_a_text_is_as_long_as_it_likes(here: Path) -> None:
    text = "a person walks and then waves " * 1000
    assert not names_file(text) and read_source(text) == text
