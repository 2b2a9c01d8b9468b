"""The packages stand in order and a package imports only those above it; no print outside cli; no pickle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "motionclip"
ORDER = (
    "errors",
    "progress",
    "motion",
    "body",
    "formats",
    "render",
    "io",
    "encoders",
    "data",
    "model",
    "losses",
    "metrics",
    "training",
    "applications",
    "export",
    "motionclip",  # the front door, motionclip/__init__.py: it may show all of the above
    "serving",
    "server",
    "studio",
    "cli",
    "__main__",
)
FILES = sorted(SOURCE.rglob("*.py"))
PICKLING_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RESTRICTED_UNPICKLER = "body/smpl.py"
TENSORS_ONLY = ("model/official.py", "torch.load(weights_only=True)")  # the one file that may, and how


def package_of(module: str) -> str:
    """The package that a dotted name belongs to; the front door for ``motionclip`` and names in it."""
    parts = module.split(".")
    is_package = len(parts) > 1 and (parts[1] in ORDER or (SOURCE / parts[1]).exists())
    return parts[1] if is_package else "motionclip"


def module_of(path: Path) -> str:
    """The dotted name of a source file, with ``__init__`` written out."""
    return ".".join(["motionclip", *path.relative_to(SOURCE).with_suffix("").parts])


def imported_names(tree: ast.Module, module: str) -> Iterator[str]:
    """Absolute dotted names of all that a module imports, wherever in the file it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            yield from (".".join([*base, *(node.module or "").split("."), alias.name]) for alias in node.names)


def clean(name: str) -> str:
    return re.sub(r"\.+", ".", name)


def upward_imports(source: str, module: str) -> list[str]:
    """The imports of a module that go to a package below its own in the order."""
    own = ORDER.index(package_of(module.removesuffix(".__init__")))
    names = [clean(name) for name in imported_names(ast.parse(source), module)]
    return [n for n in names if n.split(".")[0] == "motionclip" and ORDER.index(package_of(n)) > own]


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def pickling(source: str) -> list[str]:
    """What in a source file reads or writes pickles."""
    tree = ast.parse(source)
    found = [n for n in imported_names(tree, "motionclip.x") if n.split(".")[0] in PICKLING_MODULES]
    for name, call in calls(tree):
        options = [ast.unparse(keyword) for keyword in call.keywords]
        if name in ("torch.load", "torch.save"):
            found.append(f"{name}(weights_only=True)" if "weights_only=True" in options else name)
        for keyword in call.keywords:
            if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                found.append(f"{name}(allow_pickle=...)")
    return found


def test_every_package_has_a_place_in_the_order() -> None:
    packages = {package_of(module_of(path).removesuffix(".__init__")) for path in FILES}
    assert packages <= set(ORDER), f"give {packages - set(ORDER)} a place in ORDER and in docs/architecture.md"


def test_the_document_shows_the_same_order() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().split("## Packages, in import order")[1]
    listing = section.split("```")[1]
    shown = re.findall(r"^  (\w+)(?:/|\.py)", listing, flags=re.MULTILINE)
    assert shown == [name for name in ORDER if name not in ("motionclip", "__main__")]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_one_way(path: Path) -> None:
    upward = upward_imports(path.read_text(), module_of(path))
    assert not upward, f"{module_of(path)} imports {', '.join(upward)}; expected only packages above its own"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_only_the_cli_prints(path: Path) -> None:
    printing = [call.lineno for name, call in calls(ast.parse(path.read_text())) if name == "print"]
    assert not printing or path.is_relative_to(SOURCE / "cli"), f"print in lines {printing}: return a value instead"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_nothing_is_pickled(path: Path) -> None:
    if path != SOURCE / RESTRICTED_UNPICKLER:
        allowed = TENSORS_ONLY[1:] if path == SOURCE / TENSORS_ONLY[0] else ()
        assert set(pickling(path.read_text())) <= set(allowed), "use safetensors, JSON or npz"


@pytest.mark.parametrize(
    "source",
    [
        "import motionclip.model",
        "import motionclip.model.config as config",
        "from motionclip.model import config",
        "from motionclip import model",
        "from motionclip import load",
        "from ..model.config import Config",
        "from .. import model",
        "from .. import load",
        "def load():\n    from motionclip.cli.main import main",
        "if TYPE_CHECKING:\n    from motionclip.data import Store",
        "try:\n    from ..losses import objective\nexcept ImportError:\n    pass",
    ],
)
def test_the_check_sees_upward_imports(source: str) -> None:
    assert upward_imports(source, "motionclip.encoders.minilm")


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from . import base\nfrom .base import TextEncoder", "motionclip.encoders.minilm"),
        ("from .base import TextEncoder\nfrom .. import errors", "motionclip.encoders.__init__"),
        ("from motionclip import errors\nimport torch.nn as model", "motionclip.encoders.minilm"),
        ("from .. import load\nfrom ..model import config", "motionclip.cli.main"),
        ("from motionclip.model import MotionCLIP", "motionclip.__init__"),
    ],
)
def test_the_check_allows_the_way_down(source: str, module: str) -> None:
    assert not upward_imports(source, module)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    from pickle import loads",
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_check_sees_pickles(source: str) -> None:
    assert pickling(source)
    assert not pickling("np.load(path, allow_pickle=False)\nsafetensors.torch.load_file(path)")
