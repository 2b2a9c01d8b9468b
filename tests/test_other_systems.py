"""What differs between Linux, macOS and Windows: separators in paths, and locks without ``fcntl``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from motionclip.cli.options import names_file
from motionclip.data.amass_names import sequence_key
from motionclip.encoders import cache_folder

TWO_RUNS = """
import sys
from pathlib import Path
if {without_fcntl}:
    sys.modules["fcntl"] = None  # importing it fails, as on Windows
from motionclip.errors import DataError
from motionclip.formats.files import locked
path = Path(sys.argv[1]) / "lock"
with locked(path, "the first run writes"):
    try:
        with locked(path, "the first run writes"):
            sys.exit("the second run got the lock")
    except DataError as error:
        print(error)
with locked(path, "nobody writes"):
    pass
"""


@pytest.mark.parametrize("without_fcntl", [False, True])
def test_one_run_at_a_time_writes(tmp_path: Path, without_fcntl: bool) -> None:
    script = TWO_RUNS.format(without_fcntl=without_fcntl)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script, tmp_path], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert done.stdout == "the first run writes; wait for it or stop it\n"


@pytest.mark.parametrize("text", ["takes/walk", "takes\\walk", "C:\\takes\\walk.bvh", "walk.BVH"])
def test_a_path_of_either_system_is_no_sentence(text: str, tmp_path: Path) -> None:
    assert names_file(text, tmp_path)
    assert not names_file("a person walks", tmp_path)


def test_a_clip_has_one_key_on_every_system() -> None:
    parts = ("KIT", "3", "walk_poses.npz")
    assert sequence_key(PureWindowsPath(*parts)) == sequence_key(PurePosixPath(*parts))


@pytest.mark.parametrize(
    ("system", "expected"),
    [("win32", "AppData/Local/motionclip"), ("darwin", "Library/Caches/motionclip"), ("linux", ".cache/motionclip")],
)
def test_the_cache_is_where_the_system_keeps_caches(
    system: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOTIONCLIP_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / expected
