"""Every ``motionclip`` command that README.md shows works, in the order of the page.

A fenced ``bash`` block is skipped where the comment ``<!-- not tested -->`` stands before it.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

README = Path(__file__).parents[1] / "README.md"
FENCE = re.compile(r"^(?P<skip><!-- not tested -->\s*\n)?```bash\n(?P<block>.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The ``motionclip`` commands of a page, split into words as a shell would."""
    found = []
    for fence in FENCE.finditer(text):
        if not fence["skip"]:
            lines = fence["block"].replace("\\\n", " ").splitlines()
            found += [shlex.split(line, comments=True) for line in lines if line.startswith("motionclip ")]
    return found


def run(arguments: list[str]) -> None:
    from motionclip.cli.main import main

    try:
        status = main(arguments[1:])
    except SystemExit as refusal:  # how the parser of the command line refuses arguments
        status = refusal.code
    assert not status, f"{shlex.join(arguments)} ends with {status}"


@pytest.mark.slow
def test_commands_of_the_readme_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = commands(README.read_text(encoding="utf-8"))
    if not shown:
        pytest.skip("README.md shows no motionclip command yet")
    monkeypatch.chdir(tmp_path)  # one folder for all: a command may use what an earlier one wrote
    for arguments in shown:
        run(arguments)


def test_python_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_commands_are_found_in_marked_blocks_only() -> None:
    page = """
```bash
make demo
motionclip generate "a person walks" \\
    --out walk.bvh  # a file
motionclip info walk.bvh
```
<!-- not tested -->
```bash
motionclip train --preset base
```
```python
motionclip generate
```
<!-- not tested -->

```bash
motionclip prepare cmu
```
"""
    generate = ["motionclip", "generate", "a person walks", "--out", "walk.bvh"]
    assert commands(page) == [generate, ["motionclip", "info", "walk.bvh"]]
