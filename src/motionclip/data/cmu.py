"""CMU motion capture with its captions: a folder with ``captions.jsonl`` and ``SS/SS_TT.amc`` or ``.bvh``.

A line of ``captions.jsonl`` is one trial: its file, frame rate, skeleton, and sentences of three kinds: HumanML3D's
(each about a clip of the trial, or a part of that clip), KIT's, and the text of CMU's own index, which is coarse and
used only where there is no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motionclip.data.clip import Clip, Source, TimedText, captions_within, fixed_split
from motionclip.errors import DataError
from motionclip.formats.asf_amc import read_amc
from motionclip.formats.bvh import read_bvh
from motionclip.motion import Motion

DATASET = "cmu"

#: Metres per unit of the two BVH conversions: cgspeed's keeps ASF's 1/0.45 inch / 10, daz's is centimetres.
BVH_SCALES = {"cgspeed-bvh": 0.0564, "daz43": 0.01}

#: Seconds after a BVH's T-pose frame in which the conversion still blends from that pose into the movement.
BLEND_IN = 1 / 15

#: Frames of a file, first and one after the last, outside which a recording is damaged: it starts with
#: arms held in a T-pose or with the body elsewhere (03_02, 07_12, 09_10, 16_*), a leg swings to the
#: other side for five frames (01_06), the whole body is somewhere else from one frame to the next (01_07).
GOOD_FRAMES: dict[str, tuple[int, int | None]] = {
    "01_06": (0, 4755),
    "01_07": (0, 3364),
    "03_02": (50, None),
    "07_12": (2, None),
    "09_10": (4, None),
    "16_15": (2, None),
    "16_23": (3, None),
    "16_28": (6, None),
}


@dataclass(frozen=True)
class CmuTrial:
    """One trial, as a line of ``captions.jsonl`` describes it.

    Attributes:
        key: ``SS_TT``.
        path: its ``.amc`` (with ``SS.asf`` beside it) or ``.bvh``.
        fps: frames per second, from ``captions.jsonl``: the Frame Time of these BVH files is wrong.
        skeleton: ``cmu31-asf``, ``cgspeed-bvh`` or ``daz43``.
        first: first frame of the file that is kept.
        stop: one after the last that is kept, or None for all.
        zero: frame of the file at which the time of the trial starts: 1 after a T-pose.
        texts: sentences, in seconds of the trial.
    """

    key: str
    path: Path
    fps: float
    skeleton: str
    first: int
    stop: int | None
    zero: int
    texts: tuple[TimedText, ...]

    def read(self) -> Clip:
        """Returns the good frames of the trial at the file's rate and on its skeleton.

        Raises:
            DataError: if the file is missing or nothing is left of it.
            FormatError: if it is damaged.
        """
        if not self.path.is_file():
            raise DataError(f"{self.path} is missing; expected the file that captions.jsonl names")
        whole = _read_motion(self)
        stop = whole.num_frames if self.stop is None else min(self.stop, whole.num_frames)
        if self.first >= stop:
            raise DataError(f"{self.path} has {whole.num_frames} frames; expected good ones from frame {self.first} on")
        motion = whole.frames(self.first, stop)
        captions = captions_within(self.texts, motion.duration, offset=(self.first - self.zero) / self.fps)
        return Clip(self.key, DATASET, fixed_split(DATASET, self.key), motion, captions)


def cmu_source(folder: Path) -> Source:
    """Returns the trials that ``folder/captions.jsonl`` lists, in its order.

    Raises:
        DataError: if that file is missing, or a line of it is not a trial.
    """
    table = folder / "captions.jsonl"
    if not table.is_file():
        raise DataError(f"{table} is missing; expected the CMU folder with its captions.jsonl")
    lines = table.read_text(encoding="utf-8").splitlines()
    trials = tuple(_trial(folder, table, number, line) for number, line in enumerate(lines, 1) if line.strip())
    if not trials:
        raise DataError(f"{table} lists no trials; expected one JSON object per line")
    return Source(f"cmu:{folder}", trials)


def _read_motion(trial: CmuTrial) -> Motion:
    if trial.skeleton in BVH_SCALES:
        return read_bvh(trial.path, unit=BVH_SCALES[trial.skeleton], fps=trial.fps)
    return read_amc(trial.path, fps=trial.fps)


def _trial(folder: Path, table: Path, number: int, line: str) -> CmuTrial:
    try:
        row = json.loads(line)
        key, fps, zero = str(row["trial"]), float(row["fps"]), int(row["drop_first_frame"])
        first, stop = GOOD_FRAMES.get(key, (0, None))
        blend_end = zero + round(fps * BLEND_IN) if zero else 0
        return CmuTrial(
            key=key,
            path=folder / row["file"],
            fps=fps,
            skeleton=row["skeleton"],
            first=max(first, blend_end),
            stop=stop,
            zero=zero,
            texts=tuple(_texts(row)),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{table}, line {number}: not a trial ({type(error).__name__}: {error}); expected a JSON object with "
            "trial, file, fps, skeleton, drop_first_frame, duration_s, cmu_description, kit and humanml3d"
        ) from error


def _texts(row: dict[str, Any]) -> Iterator[TimedText]:
    """Yields the sentences of a trial, the most exact first; the index text only where there is no other."""
    for clip in row["humanml3d"]:
        first, last = clip["start"], clip["end"]
        for text, start, end in clip["captions"]:  # in seconds of the clip, 0 to 0 for all of it
            yield TimedText(text, *((first, last) if start == end == 0 else (first + start, min(first + end, last))))
    for start, end, text in row["kit"]:
        yield TimedText(text, start, end)
    index_text = row["cmu_description"].strip()
    others = row["kit"] or any(clip["captions"] for clip in row["humanml3d"])
    if not others and index_text and index_text.lower() != "unknown":
        yield TimedText(index_text, 0.0, row["duration_s"])
