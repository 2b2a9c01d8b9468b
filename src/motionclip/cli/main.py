"""The `motionclip` command: one thin door per application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import tyro

from motionclip.cli.complete import complete, interpolate, reconstruct
from motionclip.cli.convert import convert, info
from motionclip.cli.edit import edit
from motionclip.cli.evaluate import evaluate
from motionclip.cli.generate import generate
from motionclip.cli.models import adapt, export, import_official
from motionclip.cli.prepare import prepare
from motionclip.cli.recognize import caption, recognize
from motionclip.cli.render import render
from motionclip.cli.search import search
from motionclip.cli.serve import serve, studio
from motionclip.cli.storyboard import storyboard
from motionclip.cli.train import train, train_evaluator
from motionclip.errors import MotionClipError

COMMANDS: dict[str, Callable[..., Any]] = {
    "generate": generate,
    "interpolate": interpolate,
    "storyboard": storyboard,
    "edit": edit,
    "complete": complete,
    "reconstruct": reconstruct,
    "convert": convert,
    "info": info,
    "render": render,
    "prepare": prepare,
    "train": train,
    "evaluate": evaluate,
    "train-evaluator": train_evaluator,
    "recognize": recognize,
    "search": search,
    "caption": caption,
    "serve": serve,
    "studio": studio,
    "export": export,
    "adapt": adapt,
    "import-official": import_official,
}


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, or 2 for input that cannot be used."""
    given = sys.argv[1:] if args is None else args
    try:
        _refuse_repeated(given)
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS, prog="motionclip", description="Words and human motion in one latent space.", args=given
        )
    except MotionClipError as error:
        print(f"motionclip: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"motionclip: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("motionclip: stopped", file=sys.stderr)
        return 130
    return 0


def _refuse_repeated(args: Sequence[str]) -> None:
    """Only the last of an option's values would count, and the others would be lost without a word.

    Raises:
        MotionClipError: if an option is given twice.
    """
    names = [arg.partition("=")[0].replace("_", "-") for arg in args if arg.startswith("--")]
    for name in names:
        if names.count(name) > 1:
            raise MotionClipError(f"{name} was given twice; expected once, with all its values behind it")


if __name__ == "__main__":
    sys.exit(main())
