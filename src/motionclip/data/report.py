"""What a preparation made, and ``report.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from motionclip.data.parts import Refusal, Retargeting, write_whole
from motionclip.data.store import FPS, REPORT, Entry
from motionclip.errors import DataError


@dataclass(frozen=True)
class PrepareReport:
    """What ``prepare`` made.

    Attributes:
        source: how the source was named.
        clips: number of clips in the store.
        frames: number of frames in the store, at 30 fps.
        captions: number of captions, counted once per clip.
        texts: number of distinct sentences.
        splits: number of clips of each split that occurs.
        refused: clips that were left out.
        retargeting: errors of each clip in the store.
    """

    source: str
    clips: int
    frames: int
    captions: int
    texts: int
    splits: dict[str, int]
    refused: tuple[Refusal, ...]
    retargeting: tuple[Retargeting, ...]

    @property
    def minutes(self) -> float:
        return self.frames / FPS / 60


def report_of(
    source: str, entries: Sequence[Entry], refused: tuple[Refusal, ...], errors: Sequence[Retargeting]
) -> PrepareReport:
    """The report on the entries of a store and on what was left out."""
    splits = [entry.split for entry in entries]
    return PrepareReport(
        source=source,
        clips=len(entries),
        frames=sum(entry.num_frames for entry in entries),
        captions=sum(len(entry.captions) for entry in entries),
        texts=len({caption.text for entry in entries for caption in entry.captions}),
        splits={name: splits.count(name) for name in dict.fromkeys(splits)},
        refused=refused,
        retargeting=tuple(errors),
    )


def write_report(folder: Path, report: PrepareReport) -> None:
    """Write ``report.json`` into a store."""
    write_whole(folder / REPORT, (json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n").encode())


def read_report(folder: Path) -> PrepareReport:
    """The report of a store.

    Raises:
        DataError: if it is missing or damaged.
    """
    try:
        told = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        refused = tuple(Refusal(**row) for row in told.pop("refused"))
        retargeting = tuple(Retargeting(**row) for row in told.pop("retargeting"))
        return PrepareReport(refused=refused, retargeting=retargeting, **told)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / REPORT} is missing or damaged ({error}); prepare the store again") from error
