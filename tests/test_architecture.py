"""Packages import only those above them, modules not each other; short files; no print outside cli; no pickle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "motionclip"
ORDER = (
    "errors",
    "progress",
    "seeds",
    "sides",
    "pickles",
    "gate",
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
    "isolation",
    "serving",
    "warm",
    "server",
    "studio",
    "cli",
    "__main__",
)
FILES = sorted(SOURCE.rglob("*.py"))
PICKLING_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
#: Published files that are pickles: read by an unpickler that makes arrays only, or by torch as tensors only.
ALLOWED_PICKLING = {
    "pickles.py": {"pickle", "torch.load(weights_only=True)"},
}
LONGEST = 500


def package_of(module: str) -> str:
    """The package that a dotted name belongs to; the front door for ``motionclip`` and names in it."""
    parts = module.split(".")
    is_package = len(parts) > 1 and (parts[1] in ORDER or (SOURCE / parts[1]).exists())
    return parts[1] if is_package else "motionclip"


def module_of(path: Path) -> str:
    """The dotted name of a source file, with ``__init__`` written out."""
    return ".".join(["motionclip", *path.relative_to(SOURCE).with_suffix("").parts])


MODULES = {module_of(path): ast.parse(path.read_text()) for path in FILES}


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


def imported_files(tree: ast.AST, module: str) -> set[str]:
    """The modules of this package that a module imports when it is imported: not in functions, not for types alone."""
    found = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in map(clean, imported_names(ast.Module([node], []), module)):
                # `from a.b import c` imports the module a.b.c, or else a.b
                candidates = (name, f"{name}.__init__", name.rpartition(".")[0], f"{name.rpartition('.')[0]}.__init__")
                found |= set([known for known in candidates if known in MODULES][:1])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found |= imported_files(node, module)
    return found - {module}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules in an order in which each imports the next and the last the first; empty if there are none."""
    done: set[str] = set()

    def walk(path: list[str]) -> list[str]:
        for name in sorted(graph[path[-1]] - done):
            if name in path:
                return path[path.index(name) :]
            if found := walk([*path, name]):
                return found
        done.add(path[-1])
        return []

    return next((found for name in sorted(graph) if name not in done and (found := walk([name]))), [])


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
    known = {path.name for path in FILES} | {f"{path.name}/" for path in SOURCE.rglob("*") if path.is_dir()}
    listed = re.findall(r"^ +([\w/]+(?:/|\.py)) ", listing, flags=re.MULTILINE)
    assert set(listed) <= known, "the document lists files that are gone"


def test_imports_go_one_way() -> None:
    wrong = {module_of(path): upward_imports(path.read_text(), module_of(path)) for path in FILES}
    assert not {module: upward for module, upward in wrong.items() if upward}, "import only packages above your own"


def test_no_modules_import_each_other() -> None:
    graph = {name: imported_files(tree, name) for name, tree in MODULES.items()}
    assert not circle(graph), "one of these imports has to go"


def test_files_are_short() -> None:
    lengths = {module_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}, f"at most {LONGEST} lines"


def test_only_the_cli_prints() -> None:
    printing = {
        f"{module_of(path)}:{call.lineno}"
        for path in FILES
        if not path.is_relative_to(SOURCE / "cli")
        for name, call in calls(ast.parse(path.read_text()))
        if name == "print"
    }
    assert not printing, "return a value instead"


def test_nothing_is_pickled() -> None:
    found = {str(path.relative_to(SOURCE)): set(pickling(path.read_text())) for path in FILES}
    found = {path: names - ALLOWED_PICKLING.get(path, set()) for path, names in found.items()}
    assert not {path: names for path, names in found.items() if names}, "use safetensors, JSON or npz"


def test_the_checks_see_what_they_forbid() -> None:
    for source in (
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
    ):
        assert upward_imports(source, "motionclip.encoders.minilm"), source
    for source in (
        "import pickle",
        "def f():\n    from pickle import loads",
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=True)",
    ):
        assert pickling(source), source
    source = "class A:\n    from motionclip import io\nfrom .base import x\nfrom . import minilm"
    found = imported_files(ast.parse(source), "motionclip.encoders.clip")
    assert found == {"motionclip.io", "motionclip.encoders.base", "motionclip.encoders.minilm"}
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d"]


def test_the_checks_allow_the_rest() -> None:
    for source, module in (
        ("from . import base\nfrom .base import TextEncoder", "motionclip.encoders.minilm"),
        ("from .base import TextEncoder\nfrom .. import errors", "motionclip.encoders.__init__"),
        ("from motionclip import errors\nimport torch.nn as model", "motionclip.encoders.minilm"),
        ("from .. import load\nfrom ..model import config", "motionclip.cli.main"),
        ("from motionclip.model import MotionCLIP", "motionclip.__init__"),
    ):
        assert not upward_imports(source, module), source
    assert not pickling("np.load(path, allow_pickle=False)\nsafetensors.torch.load_file(path)")
    lazily = "if TYPE_CHECKING:\n    from motionclip import io\ndef f():\n    from motionclip import errors"
    assert not imported_files(ast.parse(lazily), "motionclip.encoders.clip")
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
