"""`motionclip generate`: a motion file for each text."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_SECONDS, DEFAULT_TAKES
from motionclip.cli.console import save_motion, say, track, write_sheet
from motionclip.cli.constraints import Constraints, errors_in_words
from motionclip.cli.options import AboutRig, Formats, Guidance, Model, RigName, Seed, names_file, optional, read_text
from motionclip.cli.retime import Cycles, looped
from motionclip.errors import FormatError, MotionClipError
from motionclip.io import check_writable

if TYPE_CHECKING:
    from motionclip.applications.candidates import Candidate
    from motionclip.formats import Rig

#: Motions that one thread makes as fast as several.
_FEW = 16
#: In `--formats`: a contact sheet of all motions.
_SHEET = "sheet"


def generate(
    texts: Annotated[tuple[str, ...], Positional, arg(metavar="TEXT|FILE.txt [...]", help_behavior_hint="(required)")],
    /,
    *,
    out: Annotated[Path, arg(metavar="FILE|DIR")] = Path("out"),
    seconds: Annotated[float | None, optional(float, "SECONDS", default="4 for each thing that is done")] = None,
    formats: Formats = (),
    rig: RigName = None,
    seed: Seed = 0,
    guidance: Guidance = DEFAULT_GUIDANCE,
    candidates: Annotated[int, arg(metavar="N")] = DEFAULT_TAKES,
    keep: Annotated[int, arg(metavar="N")] = 1,
    asked: Constraints,
    loop: Cycles = 0,
    about: AboutRig,
    options: Model,
) -> None:
    """Make a motion for each text.

    Args:
        texts: What the person does, a sentence in quotes for each motion, or a .txt file with one in each line.
        out: A file for one text, its suffix choosing the format, or a folder. A folder gets a file for each text and
            each of --formats; the format `sheet` adds a picture of all motions, sheet.png.
        seconds: Length of each motion; of any length, longer ones in windows that go on from each other. What a
            sentence says is done "..., then ..." is done one after the other.
        candidates: Takes to draw for each text. They are ranked by how well they agree with the words and by whether a
            body can do that; with --keep, by their difference from each other, too.
        keep: Takes to keep of them, the best; each has a file of its own.
    """
    from motionclip.applications.familiarity import familiarity  # which import torch
    from motionclip.applications.long import shots_of

    target_rig = None if rig is None else motionclip.load_rig(rig, about.known())
    prompts, constraints = _prompts(texts), asked.read(seconds or DEFAULT_SECONDS)
    if not 1 <= keep <= candidates or (constraints and keep > 1):
        raise MotionClipError(
            f"--keep {keep} of --candidates {candidates}; expected 1 or more, at most all of them, and one "
            "with --path, --pose or --pin"
        )
    targets = _targets([prompt for prompt in prompts for _ in range(keep)], out, formats, target_rig)
    how: dict[str, Any] = {"seconds": seconds, "seed": seed, "guidance": guidance}
    model, titles = options.load(many=len(prompts) * candidates > _FEW), prompts
    is_long = (seconds or 0) > model.max_seconds or any(len(shots_of(text)) > 1 for text in prompts)
    if is_long and (constraints or keep > 1):
        raise MotionClipError(
            f"more than {model.max_seconds:g} seconds, or one thing after another, with --keep, --path, --pose or "
            "--pin; make the parts one by one, and join them with `motionclip storyboard`"
        )
    say(*(str(known) for known in familiarity(model, prompts) if not known.is_known))
    if constraints:
        with track("steps") as on_step:
            directed = [motionclip.direct(model, text, constraints, on_step=on_step, **how) for text in prompts]
        motions = [each.motion for each in directed]
        say(*(line for each in directed for line in errors_in_words(constraints, each)))
    elif keep > 1:
        takes = [motionclip.candidates(model, text, count=candidates, keep=keep, **how) for text in prompts]
        listed = [(prompt, take) for prompt, kept in zip(prompts, takes, strict=True) for take in kept]
        motions, titles = (
            [take.motion for _, take in listed],
            [f"{prompt}, seed {take.seed}" for prompt, take in listed],
        )
        say(*(_about(prompt, take) for prompt, take in listed))
    elif is_long:
        with track("pieces") as on_piece:
            motions = [motionclip.long_motion(model, text, on_piece=on_piece, **how) for text in prompts]
    else:
        motions = motionclip.text_to_motion(model, prompts, takes=candidates, **how)
    if loop:
        motions = [looped(motion, loop) for motion in motions]
    for motion, paths in zip(motions, targets, strict=True):
        for path in paths:
            save_motion(motion, path, target_rig)
            say(path)
    if _SHEET in formats:
        write_sheet(motions, titles, out / "sheet.png", cell=(720, 216))
        say(out / "sheet.png")


def _about(prompt: str, take: Candidate) -> str:
    faults = ", ".join(f"{name} {ratio:.1f} x its limit" for name, ratio in take.plausibility.faults.items())
    seed = f"seed {take.seed} (again by --candidates 1)"
    return f"{prompt}: {seed}, agreement {take.agreement:.2f}, {faults or 'physically plausible'}"


def _prompts(texts: tuple[str, ...]) -> list[str]:
    """Returns the sentences of arguments; blank lines of a file and those that begin with # are left out.

    Raises:
        FormatError: if an argument is a file and not a list of sentences.
    """
    prompts = []
    for text in texts:
        if not names_file(text):
            prompts.append(text)
            continue
        if not text.lower().endswith(".txt"):
            raise FormatError(text, "this names a file", "words without / and \\, or a .txt file of sentences")
        lines = [line.strip() for line in read_text(Path(text)).splitlines()]
        prompts += [line for line in lines if line and not line.startswith("#")]
    return prompts


def _targets(texts: list[str], out: Path, formats: tuple[str, ...], rig: Rig | None) -> list[list[Path]]:
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
