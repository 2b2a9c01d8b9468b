"""Finished clips of a preparation that is under way: one npz file each, written whole or not at all.

The folder has a plan, which names all that the clips depend on; clips never lie in it without one.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from motionclip.data.store import Entry, FrameCaption
from motionclip.errors import DataError
from motionclip.formats.files import replacing
from motionclip.motion import Motion
from motionclip.motion import rotations as rot

_PLAN = "plan.json"


@dataclass(frozen=True)
class Refusal:
    """A clip that is not in the store, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Retargeting:
    """How well a clip was put onto the canonical skeleton.

    Attributes:
        key: name of the clip.
        mean_deg: mean angle between its bones' directions and the source's, degrees.
        max_deg: largest such angle, degrees.
        foot_height_m: height of the lowest sole over the floor, metres.
        flips: joints that jump by more than a body can, between two frames.
    """

    key: str
    mean_deg: float
    max_deg: float
    foot_height_m: float
    flips: int


@dataclass(frozen=True)
class Prepared:
    """A clip that is done: its entry, whose first row is not known yet (0), and its errors."""

    entry: Entry
    errors: Retargeting


def open_parts(folder: Path, plan: str, *, shared: bool) -> None:
    """Make the folder of finished clips, or go on with the one that is there.

    Args:
        folder: where they are kept.
        plan: names all that the clips depend on.
        shared: others may be working in the folder; else, what belongs to another plan is removed.

    Raises:
        DataError: if a shared folder belongs to another plan.
    """
    path = folder / _PLAN
    if path.is_file() and path.read_text(encoding="utf-8") == plan:
        return
    if shared and path.is_file():
        raise DataError(
            f"{folder} holds parts of another source, of files that have changed since, or of another version; "
            f"delete it and run all shards again"
        )
    if not shared and folder.exists():
        discard_parts(folder)
    write_whole(path, plan.encode())


def discard_parts(folder: Path) -> None:
    """Remove the folder of finished clips, its plan last."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _PLAN:
            path.unlink()
    shutil.rmtree(folder)


def part_path(folder: Path, number: int) -> Path:
    """Where clip ``number`` is kept."""
    return folder / f"{number:06d}.npz"


def pictures_path(folder: Path, number: int, per_window: int) -> Path:
    """Where the pictures of clip ``number`` are kept; those of another spacing are not in their way."""
    return folder / f"frames-{per_window}" / f"{number:06d}.zip"


def write_part(folder: Path, number: int, result: Prepared | Refusal, motion: Motion | None = None) -> None:
    """Keep what became of clip ``number``, with its motion on the canonical skeleton where there is one."""
    with replacing(part_path(folder, number)) as path, path.open("wb") as file:
        about = np.array(json.dumps(asdict(result)))
        if motion is None:
            np.savez(file, about=about)
        else:
            sixd = rot.matrix_to_sixd(motion.rotations).numpy().astype(np.float32)
            np.savez(file, about=about, sixd=sixd, root=motion.root.numpy().astype(np.float32))


def read_part(folder: Path, number: int) -> Prepared | Refusal:
    """What became of clip ``number``."""
    with np.load(part_path(folder, number), allow_pickle=False) as held:
        about = json.loads(str(held["about"]))
    if "reason" in about:
        return Refusal(**about)
    rows = about["entry"].pop("captions")
    captions = tuple(FrameCaption(**row | {"categories": tuple(row.get("categories", ()))}) for row in rows)
    return Prepared(Entry(captions=captions, **about["entry"]), Retargeting(**about["errors"]))


def read_array(folder: Path, number: int, name: str) -> np.ndarray:
    """The array of clip ``number`` that goes into the store's file ``name``."""
    with np.load(part_path(folder, number), allow_pickle=False) as held:
        array: np.ndarray = held[Path(name).stem]
    return array


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
