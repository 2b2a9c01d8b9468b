"""The ``motionclip`` commands and Python blocks of the documents.

Those of the README, the tutorials and the page on formats are run in order; those of all other pages are at least
understood: the command is there, and so are its options with values of the right kinds.

A fenced ``bash`` block is skipped where the comment ``<!-- not tested -->`` stands before it.
"""

from __future__ import annotations

import re
import shlex
import shutil
from functools import wraps
from pathlib import Path

import pytest
import tyro

from motionclip.cli.main import load_command, main
from motionclip.cli.train import train_command

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/tutorial-animators.md", "docs/tutorial-researchers.md", "docs/formats.md")
FENCE = re.compile(r"^(?P<skip><!-- not tested -->\s*\n)?```(?P<language>bash|python)\n(?P<block>.*?)^```", re.M | re.S)


def steps(text: str) -> list[list[str] | str]:
    """What a reader of a page does: ``motionclip`` commands, split into words as a shell would, and Python blocks."""
    found: list[list[str] | str] = []
    for fence in FENCE.finditer(text):
        if fence["skip"]:
            continue
        if fence["language"] == "python":
            found.append(fence["block"])
            continue
        lines = fence["block"].replace("\\\n", " ").splitlines()
        found += [shlex.split(line, comments=True) for line in lines if line.startswith("motionclip ")]
    return found


def run(arguments: list[str]) -> None:
    try:
        status = main(arguments[1:])
    except SystemExit as refusal:  # how the parser of the command line refuses arguments
        status = refusal.code
    assert not status, f"{shlex.join(arguments)} ends with {status}"


COMMANDS = [
    pytest.param(step, id=f"{page.stem}: {shlex.join(step)[:60]}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for step in steps(page.read_text(encoding="utf-8"))
    if not isinstance(step, str) and str(page.relative_to(ROOT)) not in PAGES
]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_the_other_pages_is_understood(words: list[str]) -> None:
    name, *arguments = words[1:]
    command = train_command(words[1:]) if name == "train" else load_command(name)

    @wraps(command)
    def parsed(*_: object, **__: object) -> str:
        return name

    assert tyro.cli(parsed, args=arguments) == name


@pytest.fixture(scope="module")
def readers_files(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader is supposed to have: a character, and takes of their own."""
    import motionclip

    folder = tmp_path_factory.mktemp("reader")
    (motion,) = motionclip.text_to_motion(motionclip.load(tiny_run), ["a person walks"], seconds=1)
    for name in ("hero.glb", "take.bvh", "more.bvh", "takes/first.bvh"):
        motionclip.write_motion(motion, folder / name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_works(
    page: str, readers_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = steps((ROOT / page).read_text(encoding="utf-8"))
    assert len(shown) > 3
    folder = tmp_path / "work"  # one folder for all: a step may use what an earlier one wrote
    if page == "docs/formats.md":
        shutil.copytree(readers_files, folder)
    else:
        folder.mkdir()
    monkeypatch.chdir(folder)
    for step in shown:
        if isinstance(step, str):
            exec(compile(step, page, "exec"), {})
        else:
            run(step)


def test_steps_are_found_in_marked_blocks_only() -> None:
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
```
motionclip studio
```
<!-- not tested -->

```bash
motionclip prepare cmu
```
"""
    generate = ["motionclip", "generate", "a person walks", "--out", "walk.bvh"]
    assert steps(page) == [generate, ["motionclip", "info", "walk.bvh"], "motionclip generate\n"]
