"""A wheel holds all that the package needs: built, installed outside the repository, and used there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "motionclip"
#: The distributions of all modules that a command has imported, one a line.
GENERATE = """
import sys
from importlib.metadata import packages_distributions
from motionclip.cli.main import main
status = main(["generate", "a person walks", "--seconds", "1", "--out", "walk.glb"])
known = packages_distributions()
imported = {name.split(".")[0] for name in sys.modules}
print(*sorted({found for name in imported for found in known.get(name, ())}))
sys.exit(status)
"""


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built of a copy, so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(PACKAGE, source / "src" / "motionclip", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", "-q", *options, source, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh_python(wheel: Path) -> Path:
    """Python, to be run with -I, of a new environment with the wheel; the tests' environment lends what it needs."""
    environment = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=wheel.parent)
    windows = sys.platform == "win32"
    python = environment / ("Scripts/python.exe" if windows else "bin/python")
    (site_packages,) = environment.glob("Lib/site-packages" if windows else "lib/*/site-packages")
    installing = ("-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    run(sys.executable, *installing, folder=wheel.parent)
    lent = Path(str(metadata.distribution("torch").locate_file("")))  # its .pth files, editable installs, stay out
    (site_packages / "lent.pth").write_text(f"{lent}\n")
    return python


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    shipped = {path.relative_to(PACKAGE.parent).as_posix() for path in files}
    found = zipfile.ZipFile(wheel).namelist()
    assert {name for name in found if name.startswith("motionclip/")} == shipped
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in found}


def test_a_sentence_becomes_a_file_outside_the_repository(fresh_python: Path, tmp_path: Path) -> None:
    where = run(fresh_python, "-I", "-c", "import motionclip; print(motionclip.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(fresh_python.parents[1])
    imported = run(fresh_python, "-I", "-c", GENERATE, folder=tmp_path).split("\n")[-2].split()
    assert (tmp_path / "walk.glb").stat().st_size > 100_000
    # rich looks at attrs where another package has brought it
    assert {plain(name) for name in imported} <= needed("motionclip") | {"attrs"}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str) -> set[str]:
    """A distribution and all that it requires, without extras."""
    found, todo = set(), [name]
    while todo:
        current = plain(todo.pop())
        if current in found:
            continue
        found.add(current)
        try:
            requirements = metadata.requires(current) or []
        except metadata.PackageNotFoundError:  # for another system or version of Python
            continue
        todo += [re.split(r"[^\w.-]", each)[0] for each in requirements if "extra ==" not in each]
    return found
