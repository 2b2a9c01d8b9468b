"""The fixed splits of the CMU and Bandai-Namco sets (names only), shipped with the package.

CMU is split by subject; Bandai-Namco does not name its actors and is split by take.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from motionclip.errors import DataError


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("motionclip.data").joinpath("splits.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def split_of(family: str, key: str) -> str:
    """``train``, ``val`` or ``test`` for clip ``key`` of ``cmu`` or ``bandai_namco``.

    Raises:
        DataError: if the fixed splits do not name that clip.
    """
    split = _table().get(family, {}).get(key)
    if split is None:
        raise DataError(
            f"{key} has no split in {family}; expected one of the published clips. "
            "For files of your own use folder:DIR with a captions.csv"
        )
    return split
