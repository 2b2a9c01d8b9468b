"""`motionclip studio` as a process: it serves its page, and ends when it is told to."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from motionclip.cli.main import main


@pytest.mark.slow
def test_it_serves_its_page_on_this_machine_until_it_is_stopped(files: Path, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copy(files / "walk.bvh", tmp_path)
    command = [sys.executable, "-m", "motionclip", "studio", "--port", "0", "--no-open-page", "--model", str(tiny_run)]
    process = subprocess.Popen(
        [*command, "--library", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with urllib.request.urlopen(address, timeout=60) as page:
            assert page.status == 200 and b"<html" in page.read()[:2000].lower()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130 and process.stderr is not None
        assert process.stderr.read().strip() == "motionclip: stopped"
    finally:
        process.kill()
        process.wait()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("motionclip.cli.serve.find_spec", lambda name: None if name == "viser" else object())
    assert main(["studio"]) == 2
    assert "no viser; expected the studio's packages: pip install motionclip[studio]" in capsys.readouterr().err
