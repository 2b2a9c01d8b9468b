"""How a user names a source: ``cmu:DIR``, ``bandai_namco:DIR``, ``amass:DIR``, ``folder:DIR``, ``synthetic``, ``DIR``.

``amass:DIR`` may be followed by ``,babel=DIR``, ``,humanml3d=PATH`` and ``,split=NAME`` (``data/amass.py``),
``folder:DIR`` by ``,val=PATTERN`` and ``,test=PATTERN`` (``data/folder.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from motionclip.data.amass import ENDINGS, amass_source
from motionclip.data.amass_names import sequence_key
from motionclip.data.bandai_namco import bandai_namco_source
from motionclip.data.clip import Source
from motionclip.data.cmu import cmu_source
from motionclip.data.cmu_files import is_cmu_file
from motionclip.data.folder import folder_source
from motionclip.data.synthetic import synthetic_source
from motionclip.errors import DataError
from motionclip.motion.conventions import Known

_IN_FOLDERS: dict[str, Callable[[Path], Source]] = {
    "amass": amass_source,
    "cmu": cmu_source,
    "bandai_namco": bandai_namco_source,
    "folder": folder_source,
}
_EXPECTED = (
    "cmu:DIR, bandai_namco:DIR, amass:DIR[,babel=DIR][,humanml3d=PATH][,split=amass|babel|humanml3d], "
    "folder:DIR[,val=PATTERN][,test=PATTERN], synthetic, synthetic:COUNT or a folder"
)
_OPTIONS = {
    "amass": re.compile(r",(?=(?:babel|humanml3d|split)=)"),
    "folder": re.compile(r",(?=(?:val|test)=)"),
}


def open_source(spec: str, about: Known | None = None) -> Source:
    """Returns the source that ``spec`` names; for a bare folder, of the kind that :func:`detect` finds.

    Args:
        spec: as a user writes it.
        about: what is known of the files of a folder; the rates, axes and units of data sets are known anyway.

    Raises:
        DataError: if there is no such source, its folder is not what was named, or ``about`` is given for a data set.
    """
    about = about or Known()
    kind, colon, rest = spec.partition(":")
    if kind == "synthetic":
        _check_open(kind, about)
        if colon and (not rest.isdecimal() or int(rest) == 0):
            raise DataError(f"{spec}; expected a number of clips, for example synthetic:200")
        return synthetic_source(int(rest)) if colon else synthetic_source()
    if kind not in _IN_FOLDERS or not colon:
        kind, rest = detect(Path(spec)), spec
    rest, *options = _OPTIONS[kind].split(rest) if kind in _OPTIONS else [rest]
    folder = Path(rest)
    if not rest or not folder.is_dir():
        raise DataError(f"{rest!r} is not a folder; expected {_EXPECTED}")
    _check_open(kind, about)
    if kind == "folder":
        return folder_source(folder, dict(option.split("=", 1) for option in options), about)
    if not options:
        return _IN_FOLDERS[kind](folder)
    given = dict(option.split("=", 1) for option in options)
    paths = {name: Path(given[name]) for name in ("babel", "humanml3d") if name in given}
    return amass_source(folder, **paths, split=given.get("split", "amass"))


def _check_open(kind: str, about: Known) -> None:
    """Raises a DataError if something is told about files of which all is known."""
    if kind != "folder" and about != Known():
        raise DataError(f"a rate, axes, a unit or joints are given for {kind}; expected them for folder:DIR alone")


def detect(folder: Path) -> str:
    """Returns the kind of data set in a folder.

    ``cmu`` if there is a captions.jsonl or a file ``SS/SS_TT.amc`` or ``.bvh``, ``bandai_namco`` or ``amass`` if files
    are called so, else ``folder``.

    Raises:
        DataError: if it is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{str(folder)!r} is neither a folder nor a known source; expected {_EXPECTED}")
    if (folder / "captions.jsonl").is_file() or any(map(is_cmu_file, folder.rglob("*_*.[ab][mv][ch]"))):
        return "cmu"
    if next(folder.rglob("dataset-[12]_*_*_*.bvh"), None) is not None:
        return "bandai_namco"
    if any(sequence_key(path) for ending in ENDINGS for path in folder.rglob(f"*{ending}")):
        return "amass"
    return "folder"
