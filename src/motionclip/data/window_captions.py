"""Window captions: sentences about short spans of clips, for any source, as JSON lines.

    {"set": "accad", "clip": "Female1_A02_Sway.bvh", "start": 3.0, "end": 6.033, "label": "sway side to side",
     "texts": ["sway from one leg to the other"], "quality": "ok"}

``set`` is the kind of the source or the name of its folder; without it a line is about any source. ``clip`` is a clip's
key, and the times are then seconds from its first frame, or its file, relative to the folder, and they are seconds of
the file: they differ where a source leaves out the beginning of files. ``label`` (optional) is what is done, as the
name of a class. ``quality`` (optional) is ``ok``, ``static`` (it hardly moves) or ``damaged``, which is left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from msgspec import Struct

from motionclip.data.clip import Clip, Item, Source, TimedText, captions_within
from motionclip.data.text_files import read_text, shipped
from motionclip.errors import DataError
from motionclip.gate.documents import DocumentError, Number, parse

#: What stands for the file that comes with the package.
SHIPPED = "shipped"


@dataclass(frozen=True)
class DescribedItem:
    """An item with window captions, which come before its own.

    Attributes:
        item: of a source.
        by_key: sentences in seconds of the clip.
        by_file: sentences in seconds of the file.
    """

    item: Item
    by_key: tuple[TimedText, ...]
    by_file: tuple[TimedText, ...]

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def path(self) -> Path | None:
        return self.item.path

    def read(self) -> Clip:
        """Returns the clip with the captions of both; spans are cut to it, and those outside left out.

        Raises:
            MotionClipError: as the item's own.
        """
        clip = self.item.read()
        described = captions_within(self.by_key, clip.motion.duration)
        described += captions_within(self.by_file, clip.motion.duration, offset=clip.lead)
        return replace(clip, captions=described + clip.captions)


def shipped_captions() -> Path:
    """Returns the file that comes with the package: about clips of `cmu`, `cmu_more`, `accad` and `cc0_games`."""
    return shipped("window_captions.jsonl")


def with_window_captions(source: Source, path: Path) -> Source:
    """Returns the source with the sentences of a file of window captions.

    Raises:
        DataError: if the file is missing, a line of it is no window, or none is about a clip of the source.
    """
    sets, damaged = _read(path)
    kind, _, place = source.spec.partition(":")
    names = {None, kind.casefold(), Path(place.split(",")[0]).resolve().name.casefold()}
    windows = {clip: texts for name in names for clip, texts in sets.get(name, {}).items()}
    items: list[Item] = []
    described = left_out = 0
    for item in source.items:
        files = _endings(item.path)
        by_file = next((windows[name] for name in files if name in windows), ())
        by_key = () if by_file else windows.get(item.key, ())
        described += bool(by_key or by_file)
        left_out += sum(damaged[name, clip] for name in names for clip in {item.key, *files})
        items.append(DescribedItem(item, by_key, by_file) if by_key or by_file else item)
    if not described:
        known = ", ".join(sorted(name for name in sets if name)) or "no set"
        raise DataError(
            f"{path} is about no clip of {source.spec}; its sets are {known}, "
            "expected one that is called like the source or its folder, with the keys or files of its clips"
        )
    note = f"{path.name} describes windows of {described} clips"
    note += f"; {left_out} of damaged recordings are left out" if left_out else ""
    return replace(source, items=tuple(items), notes=(*source.notes, note))


def _endings(path: Path | None) -> list[str]:
    """The names by which a file may be called, from all of its path to its last part."""
    parts = path.as_posix().split("/") if path else []
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _read(path: Path) -> tuple[dict[str | None, dict[str, tuple[TimedText, ...]]], Counter[tuple[str | None, str]]]:
    """The sentences of each clip of each set, and the number of damaged windows of each of its clips."""
    if not path.is_file():
        raise DataError(f"{path} is missing; expected a file of window captions, JSON lines")
    sets: dict[str | None, dict[str, tuple[TimedText, ...]]] = {}
    damaged: Counter[tuple[str | None, str]] = Counter()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            window = parse(line, _Window)
            if not 0 <= window.start < window.end:
                raise DocumentError(f"a span of {window.start:g} s to {window.end:g} s")
        except DocumentError as error:
            raise DataError(
                f"{path}, line {number}: not a window ({error}); expected a JSON object with "
                "clip, start, end and texts, and optionally set, label and quality"
            ) from error
        name = None if window.set is None else window.set.casefold()
        if window.quality == "damaged":
            damaged[name, window.clip] += 1
            continue
        categories = (window.label.strip(),) if window.label else ()
        texts = tuple(TimedText(text, window.start, window.end, categories) for text in window.texts)
        clips = sets.setdefault(name, {})
        clips[window.clip] = clips.get(window.clip, ()) + texts
    return sets, damaged


class _Window(Struct):
    """A line."""

    clip: str
    start: Number
    end: Number
    texts: list[str]
    set: str | None = None
    label: str | None = None
    quality: Literal["ok", "static", "damaged"] = "ok"
