"""Every package that an extra asks for is pinned, to a version that the extra allows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
_EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
#: Extras that users install.
SHIPPED = sorted(Requirement(_EXTRAS["all"][0]).extras)


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(text) for each in lists for text in each]
    return [each for each in found if each.name != "motionclip"]


def pins(part: str) -> dict[str, str]:
    """Versions by name."""
    lines = (line.partition("#")[0].strip() for line in part.splitlines())
    return {name.lower(): version for name, _, version in (line.partition("==") for line in lines if line)}


def test_every_package_is_pinned_to_a_version_that_is_allowed() -> None:
    pinned = pins((ROOT / "constraints.txt").read_text())
    wrong = {str(each): pinned.get(each.name) for each in requirements() if pinned.get(each.name) not in each.specifier}
    assert not wrong


def test_every_pin_of_ours_has_its_extra() -> None:
    ours = (ROOT / "constraints.txt").read_text().split("# needed by those")[0]
    assert pins(ours).keys() - {each.name for each in requirements()} == set()


@pytest.mark.parametrize("extra", ["always", *SHIPPED])
def test_the_licence_of_every_package_that_is_installed_is_listed(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if extra == "always" else project["optional-dependencies"][extra]
    page = (ROOT / "docs" / "install.md").read_text().partition("## Licences")[2]
    (row,) = (line for line in page.splitlines() if line.startswith((f"| {extra} |", f"| `{extra}` |")))
    listed = set(re.findall(r"[a-z0-9-]+", row.split("|")[2]))
    assert {Requirement(text).name for text in wanted} <= listed


def test_everything_that_is_installed_is_tested_with_its_lowest_version() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "floors.py"], check=True, capture_output=True, text=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in SHIPPED)]
    assert {Requirement(text).name for each in lists for text in each} <= pins(done.stdout).keys()
