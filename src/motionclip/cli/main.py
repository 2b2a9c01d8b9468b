"""The `motionclip` command: an overview of all commands, and the one that is asked for."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from motionclip import __version__
from motionclip.cli.streams import drop_output, open_streams, printable
from motionclip.errors import MotionClipError

#: Module and function of each command, in groups of the overview. A module is imported when its command is run.
GROUPS = {
    "make motions": {
        "generate": "generate:generate",
        "interpolate": "complete:interpolate",
        "storyboard": "storyboard:storyboard",
        "edit": "edit:edit",
        "complete": "complete:complete",
        "reconstruct": "complete:reconstruct",
    },
    "understand motions": {
        "recognize": "recognize:recognize",
        "caption": "recognize:caption",
        "search": "search:search",
    },
    "files": {
        "info": "info:info",
        "convert": "convert:convert",
        "render": "render:render",
    },
    "applications": {
        "studio": "serve:studio",
        "serve": "serve:serve",
        "mcp": "serve:mcp",
    },
    "models": {
        "prepare": "prepare:prepare",
        "train": "train:train",
        "evaluate": "evaluate:evaluate",
        "train-evaluator": "train:train_evaluator",
        "adapt": "models:adapt",
        "export": "models:export",
        "import-official": "models:import_official",
    },
}
COMMANDS = {name: target for group in GROUPS.values() for name, target in group.items()}

_OVERVIEW = """\
usage: motionclip COMMAND [OPTIONS]

Text, human motion and images in one latent space.
{commands}
options:
  -h, --help       show this help; `motionclip COMMAND --help` shows that of a command
  --version        show the version
"""


def main(args: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0, or 2 for input that cannot be used."""
    given = list(sys.argv[1:] if args is None else args)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before PyTorch loads: its threads else wait at full speed
    open_streams()
    warnings.formatwarning = lambda message, *_: f"motionclip: {printable(str(message))}\n"
    name = given[0] if given else "--help"
    try:
        if name in ("-h", "--help"):
            print(_overview(), end="")
        elif name == "--version":
            print(f"motionclip {__version__}")
        elif name == "--tyro-print-completion":
            import tyro

            commands = {each: load_command(each) for each in COMMANDS}
            tyro.extras.subcommand_cli_from_dict(commands, prog="motionclip", args=given)
        else:
            import tyro  # not for the overview: it takes 0.1 s

            command = load_command(name)
            _refuse_repeated(given)
            if name == "train":  # whose flags and their defaults are those of a preset
                command = import_module("motionclip.cli.train").train_command(given)
            tyro.cli(command, prog=f"motionclip {name}", args=given[1:])
        sys.stdout.flush()  # here, where a full disk is told in a line
    except MotionClipError as error:
        print(f"motionclip: {printable(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # such as of `| head`
        drop_output()
        return 1
    except OSError as error:
        parts = (error.filename, error.strerror or error)
        print(f"motionclip: {printable(': '.join(str(part) for part in parts if part))}", file=sys.stderr)
        drop_output()
        return 2
    except KeyboardInterrupt:
        print("motionclip: stopped", file=sys.stderr)
        return 130
    return 0


def load_command(name: str) -> Callable[..., Any]:
    """Returns the function of a command, whose signature declares the options.

    Raises:
        MotionClipError: if there is no such command.
    """
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "`motionclip --help` lists the commands"
        raise MotionClipError(f"no command {name!r}; {hint}")
    module, function = COMMANDS[name].split(":")
    found: Callable[..., Any] = getattr(import_module(f"motionclip.cli.{module}"), function)
    # tyro keeps the line breaks of what is said of an argument, and wraps it once more
    found.__doc__ = re.sub(r"\n {8}(?=\S)", " ", inspect.getdoc(found) or "")
    return found


def _overview() -> str:
    """Returns the help of `motionclip`: each command with the first line of its docstring.

    It is read from the source: importing all commands would take seconds, for `train` needs PyTorch for its options.
    """
    lines = []
    for title, group in GROUPS.items():
        lines += ["", f"{title}:"]
        for name, target in group.items():
            module, function = target.split(":")
            tree = ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"))
            (found,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
            lines.append(f"  {name:<15}  {(ast.get_docstring(found) or '').partition(chr(10))[0]}")
    return _OVERVIEW.format(commands="\n".join([*lines, ""]))


def _refuse_repeated(args: Sequence[str]) -> None:
    """Refuses an option that is given twice: only the last of its values would count, without a word.

    Raises:
        MotionClipError: if there is one.
    """
    names = [arg.partition("=")[0].replace("_", "-") for arg in args if arg.startswith("--")]
    for name in names:
        if names.count(name) > 1:
            raise MotionClipError(f"{name} was given twice; expected once, with all its values behind it")


if __name__ == "__main__":
    sys.exit(main())
