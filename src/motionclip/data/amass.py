"""AMASS with the captions of BABEL and HumanML3D: a folder of ``*_poses.npz`` (SMPL+H) or ``*_stageii.npz`` (SMPL-X).

The split is AMASS's own (by sub-data set, as in the paper), BABEL's (by sequence), or HumanML3D's (by clip: then each
clip is an item, as some sequences have clips in several splits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, get_args

from motionclip.data.amass_names import SUBSETS, published_split, sequence_key
from motionclip.data.babel import BabelSequence, read_babel
from motionclip.data.clip import Caption, Clip, Item, Source, captions_within
from motionclip.data.humanml3d import HumanML3DClip, read_humanml3d
from motionclip.errors import DataError
from motionclip.formats.amass import read_amass
from motionclip.motion import Motion

DATASET = "amass"

#: How motion files of SMPL-X and of SMPL+H end; of both, the later one is taken, as its frame rate is right.
ENDINGS = ("_stageii.npz", "_poses.npz")

Split = Literal["amass", "babel", "humanml3d"]

#: Frame rates of AMASS. About 5,000 SMPL-X files say 120 where the same frames of SMPL+H have another rate
#: (https://github.com/nghorbani/amass/issues/49); BABEL's durations imply the true one.
RATES = (50, 60, 100, 120, 150, 200, 240, 250)

#: Share by which a file may be longer or shorter than BABEL says before its frame rate is doubted.
_TOLERANCE = 0.05

#: Seconds by which a HumanML3D clip may end after its file.
_SLACK = 1.0

#: Names that an error or a note shows of each side.
_SHOWN = 3


@dataclass(frozen=True)
class AmassSequence:
    """One file of AMASS with its labels.

    Attributes:
        key: ``CMU/01/01_01``: new name of the sub-data set, folders, file; ``_`` for blanks.
        path: the file.
        split: ``train``, ``val`` or ``test``.
        babel: its BABEL labels, if any.
        clips: HumanML3D's clips of it.
    """

    key: str
    path: Path
    split: str
    babel: BabelSequence | None
    clips: tuple[HumanML3DClip, ...]

    def read(self) -> Clip:
        """Returns the whole file at its own rate, with HumanML3D's captions, then BABEL's frame and sequence labels.

        Raises:
            DataError: if it is not as long as BABEL and HumanML3D say.
            FormatError: if it is damaged.
        """
        motion = read_amass(self.path)
        if self.babel is not None:
            motion = _at_true_rate(motion, self.babel.duration, self.path)
        captions: list[Caption] = []
        for clip in self.clips:
            first, stop = clip.span(motion.fps)
            if first >= motion.num_frames or stop > motion.num_frames + _SLACK * motion.fps:
                raise DataError(
                    f"{self.path} has {motion.num_frames} frames at {motion.fps:g} fps, and HumanML3D's clip "
                    f"{clip.name} is its frames {first} to {stop}; expected them inside. Rates in SMPL-X files can be "
                    "wrong: give babel=DIR, or use SMPL+H"
                )
            captions += clip.captions(motion.fps, motion.duration)
        if self.babel is not None:
            captions += captions_within(self.babel.labels, motion.duration)
        return Clip(self.key, DATASET, self.split, motion, _distinct(captions))


@dataclass(frozen=True)
class AmassClip:
    """A HumanML3D clip, cut out of its sequence.

    Attributes:
        clip: which frames, and their sentences.
        sequence: the file, with this clip alone.
    """

    clip: HumanML3DClip
    sequence: AmassSequence

    @property
    def key(self) -> str:
        return self.clip.name

    @property
    def path(self) -> Path:
        return self.sequence.path

    def read(self) -> Clip:
        """Returns the frames of the clip, with HumanML3D's captions first.

        Raises:
            DataError: if the file is not as long as BABEL and HumanML3D say.
            FormatError: if it is damaged.
        """
        whole = self.sequence.read()
        fps = whole.motion.fps
        first, stop = self.clip.span(fps)
        motion = whole.motion.frames(first, min(stop, whole.motion.num_frames))
        captions = captions_within(whole.captions, motion.duration, offset=first / fps)
        return Clip(self.key, "humanml3d", self.sequence.split, motion, captions)


def amass_source(
    folder: Path, *, babel: Path | None = None, humanml3d: Path | None = None, split: str = "amass"
) -> Source:
    """Returns the sequences below ``folder``, by key, with the captions that are given.

    Args:
        folder: AMASS, in folders by sub-data set under old or new names. Of a sequence that is there as SMPL+H
            and as SMPL-X, SMPL+H is taken.
        babel: BABEL's folder ``babel_v1.0_release``.
        humanml3d: HumanML3D's folder, or one file of its clips.
        split: ``amass``: every sequence, split by sub-data set; ``babel``: the sequences that BABEL has, in its
            splits; ``humanml3d``: the clips of HumanML3D, in its splits.

    Raises:
        DataError: if the folder is not AMASS, labels are not what they should be or fit no file, or the split
            is unknown or of labels that are not given.
    """
    if split not in get_args(Split):
        raise DataError(f"split {split!r}; expected one of {', '.join(get_args(Split))}")
    paths = find_sequences(folder)
    labels = read_babel(babel) if babel is not None else {}
    clips: dict[str, list[HumanML3DClip]] = {}
    for clip in read_humanml3d(humanml3d) if humanml3d is not None else ():
        clips.setdefault(clip.sequence, []).append(clip)
    given: dict[str, Mapping[str, object]] = {"babel": labels, "humanml3d": clips}
    if split != "amass" and not given[split]:
        raise DataError(f"split={split} needs its labels; expected {split}=PATH beside it")
    notes = [_match(name, found, paths) for name, found in given.items() if found]
    bare = [key for key in paths if key not in labels and key not in clips]
    if notes and bare:
        notes.append(f"{len(bare)} of the {len(paths)} motion files have no captions, such as {bare[0]}")
    items: list[Item] = []
    for key, path in paths.items():
        sequence, own = labels.get(key), tuple(clips.get(key, ()))
        if split == "humanml3d":
            items += [
                AmassClip(clip, AmassSequence(key, path, clip.split, sequence, (clip,)))
                for clip in own
                if clip.split is not None
            ]
        elif split == "amass":
            items.append(AmassSequence(key, path, published_split(key), sequence, own))
        elif sequence is not None:
            items.append(AmassSequence(key, path, sequence.split, sequence, own))
    options = {"babel": babel, "humanml3d": humanml3d, "split": split if split != "amass" else None}
    spec = "".join(f",{name}={value}" for name, value in options.items() if value is not None)
    return Source(f"amass:{folder}{spec}", tuple(items), tuple(notes))


def find_sequences(folder: Path) -> dict[str, Path]:
    """Returns the motion files below a folder by their keys, in the order of keys.

    Raises:
        DataError: if there is none, or one is in no known sub-data set, or two of a kind have one key.
    """
    found: dict[str, Path] = {}
    unknown = []
    for ending in ENDINGS:
        seen: dict[str, Path] = {}
        for path in sorted(folder.rglob(f"*{ending}")):
            key = sequence_key(PurePath(folder.resolve().name, path.relative_to(folder)))
            if key is None:
                unknown.append(path)
            elif key in seen:
                raise DataError(f"{seen[key]} and {path} are the same sequence; expected one of them")
            else:
                seen[key] = path
        found |= seen
    if unknown or not found:
        what = f"{len(unknown)} files such as {unknown[0]} are" if unknown else f"nothing in {folder} is"
        raise DataError(
            f"{what} in a sub-data set of AMASS; expected files such as {folder}/CMU/01/01_01_poses.npz (or "
            f"_stageii.npz) in folders called {', '.join(SUBSETS)}, or by their old names. "
            "For files of your own use folder:DIR"
        )
    return dict(sorted(found.items()))


def _match(name: str, labels: Mapping[str, object], paths: Mapping[str, Path]) -> str:
    """Returns a note on how many labelled sequences are there; raises a DataError where none is."""
    missing = [key for key in labels if key not in paths]
    share = f"{len(labels) - len(missing)} of the {len(labels)} sequences of {name} are in the folder"
    if len(missing) == len(labels):
        raise DataError(
            f"{share}: it has {', '.join(list(paths)[:_SHOWN])}, and {name} {', '.join(missing[:_SHOWN])}; "
            "expected the sub-data sets that the labels are about"
        )
    return share + (f", without {', '.join(missing[:_SHOWN])}" if missing else "")


def _at_true_rate(motion: Motion, duration: float, path: Path) -> Motion:
    """Returns the motion at the frame rate at which it lasts as long as BABEL says."""
    if abs(motion.duration - duration) <= _TOLERANCE * duration + 1 / motion.fps:
        return motion
    implied = motion.num_frames / duration
    rate = min(RATES, key=lambda rate: abs(rate - implied))
    if abs(rate - implied) > _TOLERANCE * rate:
        raise DataError(
            f"{path} lasts {motion.duration:.2f} s ({motion.num_frames} frames at {motion.fps:g} fps), and "
            f"{duration:.2f} s in BABEL; expected the same, at one of the rates {', '.join(map(str, RATES))}"
        )
    return replace(motion, fps=float(rate))


def _distinct(captions: list[Caption]) -> tuple[Caption, ...]:
    """Returns the captions without repetitions: equal texts of equal spans become one, with the categories of all."""
    kept: dict[tuple[str, float, float], Caption] = {}
    for caption in captions:
        first = kept.setdefault((caption.text, caption.start, caption.end), caption)
        categories = tuple(dict.fromkeys(first.categories + caption.categories))
        kept[caption.text, caption.start, caption.end] = replace(first, categories=categories)
    return tuple(kept.values())
