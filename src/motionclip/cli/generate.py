"""`motionclip generate`: a motion file for each text."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.cli.console import save_motion, say, write_sheet
from motionclip.cli.options import Formats, Guidance, Model, RigName, Seed, optional
from motionclip.errors import MotionClipError
from motionclip.io import check_writable

if TYPE_CHECKING:
    from motionclip.formats import Rig

#: In `--formats`: a contact sheet of all motions.
_SHEET = "sheet"


def generate(
    texts: Annotated[tuple[str, ...], Positional, arg(metavar="TEXT [TEXT ...]", help_behavior_hint="(required)")],
    /,
    *,
    out: Annotated[Path, arg(metavar="FILE|DIR")] = Path("out"),
    seconds: Annotated[float | None, optional(float, "SECONDS", default="4, or the model's longest")] = None,
    formats: Formats = (),
    rig: RigName = None,
    seed: Seed = 0,
    guidance: Guidance = DEFAULT_GUIDANCE,
    options: Model,
) -> None:
    """Make a motion for each text.

    Args:
        texts: What the person does, a sentence in quotes for each motion.
        out: A file for one text, its suffix choosing the format, or a folder. A folder gets a file for each text and
            each of --formats; the format `sheet` adds a picture of all motions, sheet.png.
        seconds: Length of each motion.
    """
    target_rig = None if rig is None else motionclip.load_rig(rig)
    targets = _targets(texts, out, formats, target_rig)
    motions = motionclip.text_to_motion(options.load(), list(texts), seconds=seconds, seed=seed, guidance=guidance)
    for motion, paths in zip(motions, targets, strict=True):
        for path in paths:
            save_motion(motion, path, target_rig)
            say(path)
    if _SHEET in formats:
        write_sheet(motions, texts, out / "sheet.png", cell=(720, 216))
        say(out / "sheet.png")


def _targets(texts: tuple[str, ...], out: Path, formats: tuple[str, ...], rig: Rig | None) -> list[list[Path]]:
    """Returns the files to write for each text.

    Raises:
        MotionClipError: if there is no text, or --out is a file for several texts or with --formats.
    """
    if not texts:
        raise MotionClipError('no text; expected one or more in quotes, such as "a person walks"')
    if out.suffix:
        if len(texts) > 1 or formats:
            raise MotionClipError(f"{len(texts)} texts or --formats for the one file {out}; give a folder as --out")
        check_writable(out, rig)
        return [[out]]
    suffixes = [name.lstrip(".") for name in formats or ("bvh",) if name != _SHEET]
    targets = [[out / f"{name}.{suffix}" for suffix in suffixes] for name in _distinct([_file_name(t) for t in texts])]
    for path in targets[0]:
        check_writable(path, rig)
    return targets


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "motion"


def _distinct(names: list[str]) -> list[str]:
    """Returns names with a number behind those that are taken."""
    taken: list[str] = []
    for name in names:
        free = (f"{name}_{number}" for number in itertools.count(2))
        taken.append(name if name not in taken else next(n for n in free if n not in taken and n not in names))
    return taken
