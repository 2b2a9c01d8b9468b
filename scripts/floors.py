"""The lowest versions that pyproject.toml names, as a constraints file for pip: what `make floors` tests with.

python scripts/floors.py > floors.txt
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: Extras of which everything is installed for it; docs and bench are not.
EXTRAS = ("video", "train", "clip", "usd", "fbx", "onnx", "server", "mcp", "studio", "dev")


def floors() -> list[str]:
    """One line for each package: its name and the lowest version that is allowed."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in EXTRAS)]
    wanted = [Requirement(text) for each in lists for text in each]
    return [
        f"{each.name}=={specifier.version}"
        for each in wanted
        for specifier in each.specifier
        if specifier.operator == ">="
    ]


if __name__ == "__main__":
    print("\n".join(floors()))
