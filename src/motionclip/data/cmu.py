"""CMU motion capture: the trials below a folder, with the captions of its ``captions.jsonl`` where there is one.

A line of ``captions.jsonl`` is one trial: its file, frame rate, skeleton, and sentences of three kinds: HumanML3D's
(each about a clip of the trial, or a part of that clip), KIT's, and the text of CMU's own index, which is coarse and
used only where there is no other. Trials without a line are read as they are published (``data/cmu_files.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from msgspec import Meta, Struct

from motionclip.data.clip import Clip, Source, TimedText, captions_within
from motionclip.data.cmu_files import (
    DATASET,
    find_skeletons,
    find_trials,
    frame_rate,
    read_index,
    recorded_twice,
    split_of,
)
from motionclip.data.text_files import read_text
from motionclip.errors import DataError
from motionclip.formats.asf_amc import read_amc
from motionclip.formats.bvh import read_bvh, read_known_bvh
from motionclip.gate.documents import Count, DocumentError, Name, Number, parse
from motionclip.motion import Motion
from motionclip.motion import rotations as rot

#: Metres per unit of the BVH conversions: cgspeed's keeps ASF's 1/0.45 inch / 10, daz's is centimetres.
BVH_UNITS = {"cgspeed-bvh": 0.0564, "cgspeed-daz21": 0.01, "daz43": 0.01}

#: A joint by which the skeleton of a conversion is known.
_KNOWN_BY = {"LHipJoint": "cgspeed-bvh", "abdomen": "daz43"}

#: Frames of a file in which that shows.
_LEADING = 10

#: Bytes of a BVH file among which such a joint stands.
_HEADER = 16384

#: Seconds after a BVH's T-pose frame in which the conversion still blends from that pose into the movement.
BLEND_IN = 1 / 15

#: The T-pose that conversions begin with: most joints are turned by less than this, or some joint turns by more than
#: that to the next frame and all by less than a part of it in the frames behind it, radians.
_AT_REST, _LEAP, _CALM = 0.05, 0.35, 0.2

#: Of a cut, the share of the trial's frames that it has at most.
_CUT = 0.9

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
    """One trial, as a line of ``captions.jsonl`` describes it, or as it is published.

    Attributes:
        key: ``SS_TT``.
        path: its ``.amc`` or ``.bvh``.
        fps: frames per second: the Frame Time of these BVH files is wrong.
        skeleton: ``cmu31-asf`` or one of ``BVH_UNITS``; None to know it by the joints of the file.
        first: first frame of the file that is kept; None to leave out a T-pose where the file begins with one.
        stop: one after the last that is kept, or None for all.
        zero: frame of the file at which the time of the trial starts: 1 after a T-pose.
        texts: sentences, in seconds of the trial.
        asf: the skeleton of an ``.amc``; the one beside it if None.
    """

    key: str
    path: Path
    fps: float
    skeleton: str | None
    first: int | None
    stop: int | None
    zero: int
    texts: tuple[TimedText, ...]
    asf: Path | None = None

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
        first, zero = self.first, self.zero
        if first is None:
            zero = int(_begins_at_rest(whole))
            first = _first_frame(self.key, zero and zero + round(self.fps * BLEND_IN))
        if first >= stop:
            raise DataError(f"{self.path} has {whole.num_frames} frames; expected good ones from frame {first} on")
        motion = whole.frames(first, stop)
        captions = captions_within(self.texts, motion.duration, offset=(first - zero) / self.fps)
        return Clip(self.key, DATASET, split_of(self.key), motion, captions, lead=first / self.fps)


def cmu_source(folder: Path) -> Source:
    """Returns the trials that ``folder/captions.jsonl`` lists, in its order, then the others below the folder.

    Raises:
        DataError: if there are none, or a line of that file is not a trial.
    """
    table, asfs = folder / "captions.jsonl", find_skeletons(folder)
    lines = read_text(table).splitlines() if table.is_file() else []
    listed = [_trial(folder, table, asfs, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    files, index = find_trials(folder), read_index(folder)
    left = {trial.key for trial in listed} | recorded_twice(files)
    others = [_published(key, path, asfs, index.get(key)) for key, path in files.items() if key not in left]
    if not listed and not others:
        raise DataError(
            f"no CMU trial below {folder}; expected files called SS_TT.amc or SS_TT.bvh, for example 01_01.amc, "
            "or a captions.jsonl that lists them"
        )
    return Source(f"cmu:{folder}", (*listed, *others), tuple(_notes(others)))


def _notes(others: list[CmuTrial]) -> Iterator[str]:
    mute = sum(not trial.texts for trial in others)
    if others:
        yield f"{len(others)} trials have no line in captions.jsonl, {mute} of them no text in CMU's index either"


def _read_motion(trial: CmuTrial) -> Motion:
    """Returns all frames of the trial's file, in metres."""
    if trial.path.suffix.lower() == ".amc":
        return read_amc(trial.path, trial.asf, fps=trial.fps)
    unit = BVH_UNITS.get(_conversion(trial.path) or trial.skeleton or "")
    return read_bvh(trial.path, fps=trial.fps) if unit is None else read_known_bvh(trial.path, unit, fps=trial.fps)


def _conversion(path: Path) -> str | None:
    """Returns which conversion a BVH file is of, by the names of its joints; None for neither."""
    with path.open("rb") as file:
        names = file.read(_HEADER).decode("latin-1").split()
    return next((skeleton for joint, skeleton in _KNOWN_BY.items() if joint in names), None)


def _begins_at_rest(motion: Motion) -> bool:
    """Whether the first frame of a file is the T-pose that the conversions to BVH put there."""
    if motion.num_frames < 3 or motion.skeleton.num_joints < 2:
        return False
    few = motion.rotations[:_LEADING]
    turned = rot.geodesic_angle(few[0, 1:], torch.eye(3).expand_as(few[0, 1:]))
    steps = rot.geodesic_angle(few[:-1], few[1:]).amax(dim=-1)
    leaps = float(steps[0]) > _LEAP and float(steps[1:].max()) < _CALM * float(steps[0])
    return float(turned.median()) < _AT_REST or leaps


def _first_frame(key: str, first: int) -> int:
    return max(first, GOOD_FRAMES.get(key, (0, None))[0])


def _published(key: str, path: Path, asfs: Mapping[str, Path], text: str | None) -> CmuTrial:
    """Returns a trial that no line describes."""
    stop = GOOD_FRAMES.get(key, (0, None))[1]
    texts = (TimedText(text, 0.0, float("inf")),) if text and text.lower() != "unknown" else ()
    return CmuTrial(key, path, frame_rate(key), None, None, stop, 0, texts, asfs.get(key.partition("_")[0]))


def _trial(folder: Path, table: Path, asfs: Mapping[str, Path], number: int, line: str) -> CmuTrial:
    """Returns the trial of a line of ``captions.jsonl``."""
    try:
        row = parse(line, _Line)
        key, fps, zero = row.trial, row.fps, int(row.drop_first_frame)
        blended = zero + round(fps * BLEND_IN) if zero else 0
        after = blended if row.drop_first_frames is None else row.drop_first_frames
        return CmuTrial(
            key=key,
            path=folder / row.file,
            fps=fps,
            skeleton=row.skeleton,
            first=_first_frame(key, after),
            stop=GOOD_FRAMES.get(key, (0, None))[1],
            zero=zero,
            texts=tuple(_texts(row)),
            asf=asfs.get(key.partition("_")[0]),
        )
    except DocumentError as error:
        raise DataError(
            f"{table}, line {number}: not a trial ({error}); expected a JSON object with "
            "trial, file, fps, skeleton, drop_first_frame, duration_s, cmu_description, kit and humanml3d"
        ) from error


class _Clip(Struct):
    """A clip of HumanML3D within a trial, and its captions with their first and last second."""

    start: Number
    end: Number
    captions: list[tuple[str, Number, Number]]


class _Line(Struct):
    """A line of ``captions.jsonl``."""

    trial: Name
    file: Name
    fps: Annotated[float, Meta(ge=1, le=1000)]
    skeleton: str | None
    drop_first_frame: bool
    duration_s: Number
    cmu_description: str
    kit: list[tuple[Number, Number, str]]
    humanml3d: list[_Clip]
    drop_first_frames: Count | None = None
    frames: Count = 0
    index_frames: Count = 0


def _texts(row: _Line) -> Iterator[TimedText]:
    """Yields the sentences of a trial, the most exact first; the index text only where there is no other."""
    is_cut = row.frames < _CUT * row.index_frames  # then the times of the sentences do not hold
    clips, kit = ([], []) if is_cut else (row.humanml3d, row.kit)
    for clip in clips:
        first, last = clip.start, clip.end
        for text, start, end in clip.captions:  # in seconds of the clip, 0 to 0 for all of it
            whole = start == end == 0
            since, until = (first, last) if whole else (first + start, min(first + end, last))
            yield TimedText(text.strip(), float(since), float(until))
    for start, end, text in kit:
        yield TimedText(text.strip(), float(start), float(end))
    index_text = row.cmu_description.strip()
    others = kit or any(clip.captions for clip in clips)
    if not others and index_text and index_text.lower() != "unknown":
        yield TimedText(index_text, 0.0, row.duration_s)
