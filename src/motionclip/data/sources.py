"""How a user names a source: ``cmu:DIR``, ``bandai_namco:DIR``, ``folder:DIR``, ``synthetic:COUNT`` or ``DIR``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from motionclip.data.bandai_namco import bandai_namco_source
from motionclip.data.cmu import cmu_source
from motionclip.data.folder import folder_source
from motionclip.data.source import Source
from motionclip.data.synthetic import synthetic_source
from motionclip.errors import DataError

_IN_FOLDERS: dict[str, Callable[[Path], Source]] = {
    "cmu": cmu_source,
    "bandai_namco": bandai_namco_source,
    "folder": folder_source,
}
_EXPECTED = "cmu:DIR, bandai_namco:DIR, folder:DIR, synthetic, synthetic:COUNT or a folder"


def open_source(spec: str) -> Source:
    """The source that ``spec`` names; for a bare folder, of the kind that ``detect`` finds.

    Raises:
        DataError: if there is no such source, or its folder is not what was named.
    """
    kind, colon, rest = spec.partition(":")
    if kind == "synthetic":
        return synthetic_source(_count(rest)) if colon else synthetic_source()
    if kind not in _IN_FOLDERS or not colon:
        kind, rest = detect(Path(spec)), spec
    folder = Path(rest)
    if not rest or not folder.is_dir():
        raise DataError(f"{rest!r} is not a folder; expected {_EXPECTED}")
    return _IN_FOLDERS[kind](folder)


def detect(folder: Path) -> str:
    """``cmu`` where there is a captions.jsonl, ``bandai_namco`` where takes are called so, else ``folder``.

    Raises:
        DataError: if it is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{str(folder)!r} is neither a folder nor a known source; expected {_EXPECTED}")
    if (folder / "captions.jsonl").is_file():
        return "cmu"
    if next(folder.rglob("dataset-[12]_*_*_*.bvh"), None) is not None:
        return "bandai_namco"
    return "folder"


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise DataError(f"synthetic:{text}; expected a number of clips, for example synthetic:200")
    return int(text)
