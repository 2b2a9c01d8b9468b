"""`motionclip generate`: sentences become motion files."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE

if TYPE_CHECKING:
    from motionclip.formats import Rig


def generate(
    texts: Annotated[tuple[str, ...], tyro.conf.Positional],
    /,
    out: Path = Path("out"),
    seconds: float | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    formats: tuple[str, ...] | None = None,
    rig: str | None = None,
) -> None:
    """Make a motion for each sentence.

    Args:
        texts: what the person does, one sentence per motion, in quotes.
        out: a file for one sentence, its suffix choosing the format (.bvh .glb .usd .csv .npz .mp4 .gif .webp .png), or
            a folder.
        seconds: length of each motion; 4, or the longest that the model makes, if not given.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        seed: another seed gives another motion of the same words.
        guidance: above 1 follows the words more closely, with less variety.
        formats: what to write for each sentence into a folder, bvh if nothing is said; `sheet` adds a picture of all.
        rig: blender, mixamo, unreal or unity, or a .bvh or .glb file of your own: on whose skeleton to write them.
    """
    from motionclip.applications.text_to_motion import text_to_motion
    from motionclip.cli.console import save_motion, say, write_sheet
    from motionclip.formats import load_rig
    from motionclip.model.pipeline import load

    worn = None if rig is None else load_rig(rig)
    targets = _targets(texts, out, formats, worn)
    network = load(model, encoder_weights=encoder_weights)
    motions = text_to_motion(network, list(texts), seconds=seconds, seed=seed, guidance=guidance)
    for motion, paths in zip(motions, targets, strict=True):
        for path in paths:
            save_motion(motion, path, worn)
            say(path)
    if formats and _SHEET in formats:
        write_sheet(motions, texts, out / "sheet.png", cell=(720, 216))
        say(out / "sheet.png")


_SHEET = "sheet"


def _targets(texts: tuple[str, ...], out: Path, formats: tuple[str, ...] | None, rig: Rig | None) -> list[list[Path]]:
    """The files to write for each sentence.

    Raises:
        MotionClipError: on no sentences, several for one file, or formats for a file.
    """
    from motionclip.errors import MotionClipError
    from motionclip.io import check_writable

    if not texts:
        raise MotionClipError('no sentence; expected one or more in quotes, such as "a person walks"')
    if out.suffix:
        if len(texts) > 1 or formats is not None:
            raise MotionClipError(f"{len(texts)} sentences or --formats for the one file {out}; give a folder as --out")
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
    """Names with a number behind those that are taken."""
    taken: list[str] = []
    for name in names:
        free = (f"{name}_{number}" for number in itertools.count(2))
        taken.append(name if name not in taken else next(n for n in free if n not in taken and n not in names))
    return taken
