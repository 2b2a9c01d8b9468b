"""Any folder of motion files, with an optional ``captions.csv`` (``data/folder_captions.py``).

Each animation of a file that has several is a clip, ``file.glb#Walk``. Clips without a row of ``captions.csv`` are
described by the label of a ``manifest.json``, else by the words of their names. 100STYLE is known by its table of cuts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from motionclip.data.clip import Caption, Clip, Source, TimedText, captions_within
from motionclip.data.file_names import words_of_take
from motionclip.data.folder_captions import CAPTIONS, MANIFEST, CaptionRow, read_captions, read_labels
from motionclip.data.style100 import CUTS, STYLES, StyleTake, is_100style, style_takes
from motionclip.errors import DataError
from motionclip.formats.files import is_partial
from motionclip.io import animations, is_motion_file, read_with_conventions, readable
from motionclip.motion.conventions import Known, warn_of

#: Files that are for testing wherever they lie: the actor of ACCAD that figures are measured on.
HELD_OUT = "Male1_[ABCD][0-9]*"

_TABLES = frozenset({CAPTIONS, CUTS, STYLES})
_ANYTHING = "a person moves"


@dataclass(frozen=True)
class MotionFile:
    """One motion of a file, with the sentences about it.

    Attributes:
        path: the file.
        key: its path relative to the folder, and ``#`` with the animation where it has several.
        dataset: name of the folder.
        split: ``train``, ``val`` or ``test``.
        texts: sentences, in seconds of the file.
        take: the animation, where the file has several.
        style: what a data set's tables say of it.
        about: what is known of the file's rate, axes, unit and joints.
    """

    path: Path
    key: str
    dataset: str
    split: str
    texts: tuple[TimedText, ...]
    take: str | None = None
    style: StyleTake | None = None
    about: Known = field(default_factory=Known)

    def read(self) -> Clip:
        """Returns the motion with its captions.

        Raises:
            MotionClipError: if the file is damaged, or a caption lies outside it.
        """
        name = self.path if self.take is None else f"{self.path}#{self.take}"
        motion, conventions = read_with_conventions(name, self.about)
        warn_of(name, conventions)
        known, lead = self.style, 0.0
        if known is not None:
            stop = motion.num_frames if known.stop is None else min(known.stop, motion.num_frames)
            if known.first >= stop:
                raise DataError(f"{self.path} has {motion.num_frames} frames; its cut begins at frame {known.first}")
            motion, lead = motion.frames(known.first, stop), known.first / motion.fps
        captions: list[Caption] = []
        for timed in self.texts:
            within = captions_within([timed], motion.duration, offset=lead)
            if not within:
                raise DataError(
                    f"{self.path}: caption {timed.text!r} spans {timed.start:g} s to {timed.end:g} s; "
                    f"expected a span inside the {motion.duration:.2f} s of the motion"
                )
            captions += within
        content, style = (known.content, known.style) if known else (None, None)
        return Clip(self.key, self.dataset, self.split, motion, tuple(captions), content, style, lead)


def folder_source(folder: Path, splits: Mapping[str, str] | None = None, about: Known | None = None) -> Source:
    """Returns all motions below ``folder``, by name; the data set is called like the folder.

    Args:
        folder: with motion files, and what says something of them.
        splits: for ``val`` and ``test`` a pattern of keys, as in file names: ``*_subject5*``. It counts where
            ``captions.csv`` names no split.
        about: what is known of all its files.

    Raises:
        DataError: if there is none, ``captions.csv`` has bad rows, or a pattern fits no motion.
    """
    found = motion_files(folder)
    clips = {key: (path, take, name) for path in found for key, take, name in _takes(folder, path)}
    if not clips:
        raise DataError(f"no motion file below {folder}; expected files ending in {', '.join(readable())}")
    for split, pattern in (splits or {}).items():
        if not any(_fits(key, pattern) for key in clips):
            raise DataError(f"{split}={pattern} fits no motion below {folder}; expected a pattern of names")
    table, manifest = folder / CAPTIONS, folder / MANIFEST
    rows = read_captions(table, clips.keys()) if table.is_file() else {}
    labels = read_labels(manifest) if manifest.is_file() else {}
    styles = style_takes(folder) if is_100style(folder) else {}
    items = []
    for key, (path, take, name) in clips.items():
        own, style = rows.get(key, []), styles.get(path.stem)
        split = (own[0].split if own else None) or _split(key, splits or {})
        texts = _texts(own, style, labels.get(key) or words_of_take(name, path.name))
        items.append(MotionFile(path, key, folder.resolve().name, split, texts, take, style, about or Known()))
    options = "".join(f",{split}={pattern}" for split, pattern in (splits or {}).items())
    return Source(f"folder:{folder}{options}", tuple(items))


def motion_files(folder: Path) -> list[Path]:
    """Returns the files below a folder that can be read, in order; tables about them and partial files are none.

    Files whose names are no UTF-8 are left out with a warning: no list of them could be written.
    """
    named = (path for path in folder.rglob("*") if is_motion_file(path.name) and path.name not in _TABLES)
    found = sorted(path for path in named if path.is_file() and not is_partial(path))
    kept = [path for path in found if _is_text(str(path.relative_to(folder)))]
    if odd := len(found) - len(kept):
        warnings.warn(f"{odd} files in {folder} are left out: their names are no UTF-8", stacklevel=2)
    return kept


def _is_text(name: str) -> bool:
    """Whether a name is Unicode; the system hands other bytes over as halves of characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _takes(folder: Path, path: Path) -> Iterator[tuple[str, str | None, str | None]]:
    """Yields the key of each motion of a file, the animation to ask for where there are several, and its name."""
    key, found = path.relative_to(folder).as_posix(), animations(path)
    if len(found) < 2:
        yield key, None, next(iter(found.values()), None)
        return
    for take, name in found.items():
        yield f"{key}#{take}", take, name


def _texts(rows: Sequence[CaptionRow], style: StyleTake | None, words: str) -> tuple[TimedText, ...]:
    if rows:
        return tuple(row.text for row in rows)
    return tuple(TimedText(text, 0.0, float("inf")) for text in (style.texts if style else (words or _ANYTHING,)))


def _split(key: str, splits: Mapping[str, str]) -> str:
    for split, pattern in splits.items():
        if _fits(key, pattern):
            return split
    return "test" if _fits(key, HELD_OUT) else "train"


def _fits(key: str, pattern: str) -> bool:
    """Whether the key of a clip, or its last part, is as a pattern says, without regard to case."""
    names = (key.lower(), key.rpartition("/")[2].lower())
    return any(fnmatchcase(name, pattern.lower()) for name in names)
