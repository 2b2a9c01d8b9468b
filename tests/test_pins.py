"""Every package that an extra asks for is pinned, to a version that the extra allows."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


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
