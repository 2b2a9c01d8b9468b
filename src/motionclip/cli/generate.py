"""`motionclip generate`: a motion file for each text."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
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
    from motionclip.applications.direct import Constraint
    from motionclip.formats import Rig
    from motionclip.model.pipeline import MotionCLIP
    from motionclip.motion import Motion

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

    For example: motionclip generate "a person walks" --out walk.glb

    Args:
        texts: What the person does, a sentence in quotes for each motion, or a .txt file with one in each line.
        out: A file for one text, its suffix choosing the format, or a folder. A folder gets a file for each text and
            each of --formats; the format `sheet` adds a picture of all motions, sheet.png.
        seconds: Length of each motion; of any length, longer ones in windows that go on from each other. What a
            sentence says is done "..., then ..." is done one after the other.
        candidates: Takes to draw for each text. They are ranked by how well they match the words and by whether a
            body can do that; with --keep, by their difference from each other, too.
        keep: Takes to keep of them, the best; each has a file of its own.
    """
    from motionclip.applications.familiarity import familiarity  # which imports torch

    target_rig = None if rig is None else motionclip.load_rig(rig, about.known())
    prompts, constraints = _prompts(texts), asked.read(seconds or DEFAULT_SECONDS)
    if not 1 <= keep <= candidates or (constraints and keep > 1):
        raise MotionClipError(
            f"--keep {keep} of --candidates {candidates}; expected 1 or more, at most all of them, and one "
            "with --path, --pose or --pin"
        )
    targets = _targets([prompt for prompt in prompts for _ in range(keep)], out, formats, target_rig)
    model = options.load(many=len(prompts) * candidates > _FEW)
    how = _How(model, seconds, seed, guidance)
    say(*(known.note for known in familiarity(model, prompts) if known.note))
    if constraints:
        made = [how.directed(prompt, constraints) for prompt in prompts]
    elif keep > 1:
        made = [take for prompt in prompts for take in how.best(prompt, candidates, keep)]
    elif any(how.is_long(prompt) for prompt in prompts):
        made = [how.long(prompt) for prompt in prompts]
    else:
        made = how.short(prompts, candidates)
    if loop:
        made = [replace(each, motion=looped(each.motion, loop)) for each in made]
    _write(made, targets, target_rig, out / "sheet.png" if _SHEET in formats else None)


@dataclass(frozen=True, eq=False)
class _Made:
    """A motion, and what stands above it in a picture."""

    title: str
    motion: Motion


@dataclass(frozen=True)
class _How:
    """The ways to make motions of sentences, with the options that all of them have."""

    model: MotionCLIP
    seconds: float | None
    seed: int
    guidance: float

    @property
    def _options(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "seed": self.seed, "guidance": self.guidance}

    def is_long(self, prompt: str) -> bool:
        """Whether it takes several windows."""
        from motionclip.applications.long import is_long

        return is_long(self.model, prompt, self.seconds)

    def short(self, prompts: list[str], takes: int) -> list[_Made]:
        """Returns the best take of each sentence."""
        motions = motionclip.text_to_motion(self.model, prompts, takes=takes, **self._options)
        return [_Made(prompt, motion) for prompt, motion in zip(prompts, motions, strict=True)]

    def best(self, prompt: str, count: int, keep: int) -> list[_Made]:
        """Returns the best takes of a sentence, and says what they are worth.

        Raises:
            MotionClipError: if it takes several windows, which have no takes.
        """
        if self.is_long(prompt):
            raise MotionClipError(
                f"--keep {keep} with more than {self.model.max_seconds:g} seconds, or one thing after another; keep 1"
            )
        takes = motionclip.candidates(self.model, prompt, count=count, keep=keep, **self._options)
        say(*(_about(prompt, take) for take in takes))
        return [_Made(f"{prompt}, seed {take.seed}", take.motion) for take in takes]

    def long(self, prompt: str) -> _Made:
        """Returns a motion of several windows."""
        with track("pieces") as on_piece:
            return _Made(prompt, motionclip.long_motion(self.model, prompt, on_piece=on_piece, **self._options))

    def directed(self, prompt: str, constraints: list[Constraint]) -> _Made:
        """Returns a motion under constraints, and says how far it is from each."""
        with track("steps") as on_step:
            made = motionclip.direct(self.model, prompt, constraints, on_step=on_step, **self._options)
        say(*errors_in_words(constraints, made.errors))
        return _Made(prompt, made.motion)


def _write(made: list[_Made], targets: list[list[Path]], rig: Rig | None, sheet: Path | None) -> None:
    """Writes the files of each motion, and a picture of all if one is wanted."""
    for each, paths in zip(made, targets, strict=True):
        for path in paths:
            save_motion(each.motion, path, rig)
            say(path)
    if sheet is not None:
        write_sheet([each.motion for each in made], [each.title for each in made], sheet, cell=(720, 216))
        say(sheet)


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
        if formats:
            raise MotionClipError(f"--formats for the one file {out}; expected a folder as --out")
        if len(texts) > 1:
            raise MotionClipError(
                f"{len(texts)} texts for the one file {out}; expected one sentence in quotes, or a folder as --out"
            )
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
