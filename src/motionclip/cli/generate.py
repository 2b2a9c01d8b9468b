"""`motionclip generate`: sentences become motion files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import tyro


def generate(
    texts: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    out: Path = Path("out"),
    seconds: float = 4.0,
    model: str = "base",
    seed: int = 0,
    guidance: float = 2.0,
    formats: tuple[str, ...] = ("bvh",),
) -> None:
    """Make a motion for each sentence.

    Args:
        texts: what the person does, one sentence per motion, in quotes.
        out: a file for one sentence, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png), or a folder.
        seconds: length of each motion.
        model: a shipped model's name, a model folder, or a run folder.
        seed: another seed gives another motion of the same words.
        guidance: above 1 follows the words more closely, with less variety.
        formats: what to write for each sentence into a folder; `sheet` adds a contact sheet of all.
    """
    from motionclip.applications.text_to_motion import text_to_motion
    from motionclip.cli.console import say
    from motionclip.formats import write_motion
    from motionclip.model.pipeline import load

    targets = _targets(texts, out, formats)
    motions = text_to_motion(load(model), list(texts), seconds=seconds, seed=seed, guidance=guidance)
    for motion, paths in zip(motions, targets, strict=True):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_motion(motion, path)
            say(f"{path}")
    if _SHEET in formats:
        from motionclip.render import contact_sheet

        contact_sheet(motions, list(texts)).save(out / "sheet.png")
        say(f"{out / 'sheet.png'}")


_SHEET = "sheet"


def _targets(texts: tuple[str, ...], out: Path, formats: tuple[str, ...]) -> list[list[Path]]:
    """The files to write for each sentence.

    Raises:
        MotionClipError: on no sentences, or several for one file.
    """
    from motionclip.errors import MotionClipError
    from motionclip.formats import check_writable

    if not texts:
        raise MotionClipError('no sentence; expected one or more in quotes, such as "a person walks"')
    if out.suffix:
        if len(texts) > 1:
            raise MotionClipError(f"{len(texts)} sentences for the one file {out}; give a folder as --out")
        check_writable(out)
        return [[out]]
    names = _distinct([_file_name(text) for text in texts])
    targets = [[out / f"{name}.{suffix.lstrip('.')}" for suffix in formats if suffix != _SHEET] for name in names]
    for path in targets[0]:
        check_writable(path)
    return targets


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "motion"


def _distinct(names: list[str]) -> list[str]:
    """Names with a number behind those that occur before."""
    return [f"{name}_{names[:i].count(name) + 1}" if name in names[:i] else name for i, name in enumerate(names)]
