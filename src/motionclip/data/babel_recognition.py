"""Action recognition on BABEL: the classes of BABEL-60 and BABEL-120, and the chunks that are to be recognised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from motionclip.data.store import FPS, Store
from motionclip.errors import DataError

#: Frames of a chunk: five seconds.
CHUNK = int(5 * FPS)


@dataclass(frozen=True)
class Chunk:
    """Frames ``start`` to ``stop`` (exclusive, at most five seconds) of an entry, and what is done in them.

    Attributes:
        entry: index in the store's entries.
        classes: places in :func:`babel_actions`, at least one; by the protocol all of them are right.
    """

    entry: int
    start: int
    stop: int
    classes: tuple[int, ...]


@cache
def babel_actions(count: int = 60) -> tuple[str, ...]:
    """The classes of BABEL-60 or BABEL-120, the most frequent first; those of BABEL-60 are the first 60 of the 120.

    Source: action_label_2_idx.json of https://github.com/abhinanda-punnakkal/BABEL as of the release of BABEL 1.0 (its
    later version renames and reorders some), https://github.com/abhinanda-punnakkal/BABEL/issues/8.

    Raises:
        DataError: if ``count`` is neither 60 nor 120.
    """
    if count not in (60, 120):
        raise DataError(f"BABEL-{count}; expected 60 or 120 classes")
    names: list[str] = json.loads(files("motionclip.data").joinpath("babel_actions.json").read_text(encoding="utf-8"))
    return tuple(names[:count])


def babel_segments(store: Store, split: str, count: int = 60) -> Iterator[Chunk]:
    """What BABEL's recognition protocol classifies, in a split of a store that was prepared with BABEL.

    Each labelled segment (of the frame annotation, else of the sequence annotation; extra files do not count) is
    cut into contiguous chunks of five seconds at 30 fps. The last may be shorter: BABEL's code fills it up with
    zeros, its paper repeats it; here it stays as it is. A segment of which no category is a class is left out.
    BABEL counts a chunk once for each of its classes; MotionCLIP, which classifies windows of two seconds, counts it
    as right if any is hit. BABEL's figures are of its own validation split: prepare with ``split=babel``.

    Source: data_gen/create_dataset.py of https://github.com/abhinanda-punnakkal/BABEL.

    Raises:
        DataError: if no caption of the split has a category, or ``count`` is neither 60 nor 120.
    """
    number = {name: index for index, name in enumerate(babel_actions(count))}
    segments = [(entry, caption) for entry in store.split(split) for caption in store.entries[entry].captions]
    if not any(caption.categories for _, caption in segments):
        raise DataError(
            f"no caption of split {split} in {store.folder} has a category of BABEL; "
            "prepare the store from amass:DIR,babel=DIR,split=babel"
        )
    for entry, caption in segments:
        classes = tuple(dict.fromkeys(number[name] for name in caption.categories if name in number))
        for start in range(caption.start, caption.end, CHUNK) if classes else ():
            yield Chunk(entry, start, min(start + CHUNK, caption.end), classes)
