"""`import motionclip`: what it offers, and that it does so without waiting for PyTorch."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import motionclip
from motionclip import _MODULES


@pytest.mark.parametrize("name", motionclip.__all__)
def test_every_name_resolves_is_listed_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(motionclip, name))
    assert name in dir(motionclip)


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(motionclip.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {node.names[0].asname: node.module for node in block.body if isinstance(node, ast.ImportFrom)}
    assert seen == {name: f"motionclip.{module}" for name, module in _MODULES.items()}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'walk'"):
        _ = motionclip.walk  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", ["import motionclip, motionclip.io, motionclip.applications"])
def test_imports_that_do_not_wait_for_torch(statement: str) -> None:
    check = f"import sys; {statement}; assert not {{'torch', 'matplotlib'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_words_to_a_file_import_no_compiler(tmp_path: Path) -> None:
    check = "import sys, motionclip as m; m.write_motion(m.text_to_motion(m.load(), 'walk'), sys.argv[1]); "
    check += "assert not {'numba', 'torch._dynamo', 'sympy', 'matplotlib', 'transformers'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check, str(tmp_path / "walk.bvh")], check=True)
