"""The CMU database as it is published, without captions: where its files lie, and what they do not say themselves.

mocap.cs.cmu.edu has ``subjects/SS/SS_TT.amc`` with ``subjects/SS/SS.asf``. B. Hahne ("cgspeed") converted all of it to
BVH, for MotionBuilder (``cmuconvert-mb2-01-09/01/01_01.bvh``) and for Daz (``cmuconvert-daz-...``), with the text of
CMU's index in ``cmu-mocap-index-text.txt``. Any folders will do, also one that holds all files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from motionclip.data.clip import fixed_splits

DATASET = "cmu"

#: Subjects whose recordings are published twice: the number of each is that of another.
SAME_RECORDINGS = {"105": "91"}

#: Subjects whose trials were recorded at 60 frames per second, not 120.
_SLOW = frozenset({"60", "61", "62", "87", "88"})

_KEY = re.compile(r"0*(\d{1,3})_0*(\d{1,3})")
_INDEX_LINE = re.compile(r"\s*(\d{1,3}_\d{1,3})\s+(\S.*)")
_SUFFIXES = (".amc", ".bvh")  # the original before its conversions


def trial_key(name: str) -> str | None:
    """Returns ``SS_TT`` for the stem of a file or a trial's name, with two digits at least; None if it is neither."""
    match = _KEY.fullmatch(name)
    return None if match is None else f"{match[1]:0>2}_{match[2]:0>2}"


def is_cmu_file(path: Path) -> bool:
    """Whether a file lies and is called as CMU publishes its trials: ``01/01_01.amc``."""
    key = trial_key(path.stem)
    return key is not None and path.parent.name.zfill(2) == key.partition("_")[0]


def find_trials(folder: Path) -> dict[str, Path]:
    """Returns the file of each trial below ``folder`` by its key: of several files the ``.amc``, then the first."""
    found: dict[str, Path] = {}
    files = [path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()]
    for path in sorted(files, key=lambda path: (_SUFFIXES.index(path.suffix.lower()), path.as_posix())):
        if key := trial_key(path.stem):
            found.setdefault(key, path)
    return dict(sorted(found.items(), key=lambda pair: tuple(map(int, pair[0].split("_")))))


def find_skeletons(folder: Path) -> dict[str, Path]:
    """Returns the ASF file of each subject below ``folder``, also of subjects that are published twice."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".asf")
    found = {f"{int(path.stem):02d}": path for path in reversed(files) if path.stem.isdecimal()}
    for one, other in SAME_RECORDINGS.items():
        for missing, there in ((one, other), (other, one)):
            if there in found:
                found.setdefault(missing, found[there])
    return found


def read_index(folder: Path) -> dict[str, str]:
    """Returns the text of CMU's index for each trial, from the text files below ``folder`` that are called so."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*index*.txt")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if (match := _INDEX_LINE.fullmatch(line)) and (key := trial_key(match[1])):
                texts.setdefault(key, match[2].strip())
    return texts


def frame_rate(key: str) -> float:
    """Returns the frames per second of a trial, which its files do not say, or say wrongly."""
    return 60.0 if key.partition("_")[0] in _SLOW else 120.0


def split_of(key: str) -> str:
    """Returns the split of a trial: that of its subject in ``splits.json``, and ``train`` for all other subjects."""
    subject = key.partition("_")[0]
    known = {name.partition("_")[0]: split for name, split in fixed_splits(DATASET).items()}
    return known.get(SAME_RECORDINGS.get(subject, subject), "train")


def recorded_twice(keys: Iterable[str]) -> set[str]:
    """Returns the trials that are there under another number, too."""
    known = set(keys)
    twice = set()
    for key in known:
        subject, _, trial = key.partition("_")
        if subject in SAME_RECORDINGS and f"{SAME_RECORDINGS[subject]}_{trial}" in known:
            twice.add(key)
    return twice
