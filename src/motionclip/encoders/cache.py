"""A cache of text vectors on disk: each distinct text is encoded once.

One SQLite file per text encoder and weights: several processes may use it at once, and a crash at any moment leaves a
file that opens. Every row has a checksum. What cannot be read is encoded again, with a warning.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motionclip.encoders.base import TextEncoder, checked_texts

_CHUNK = 1024
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (text TEXT PRIMARY KEY, vector BLOB, checksum INTEGER)"


def cache_folder() -> Path:
    """Returns the folder for what can be computed again.

    ``$MOTIONCLIP_CACHE``, or else ``motionclip`` in the platform's cache folder (``$XDG_CACHE_HOME`` on Linux).
    """
    if own := os.environ.get("MOTIONCLIP_CACHE"):
        return Path(own)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "motionclip"


class CachedEncoder:
    """A text encoder that encodes each distinct text once and reads its vector from disk from then on.

    Args:
        text_encoder: encodes what is not cached yet.
        folder: of the cache's files; by default ``cache_folder()/text_encoders``. If nothing can be written there, a
            warning says so and every text is encoded.
    """

    def __init__(self, text_encoder: TextEncoder, folder: Path | None = None):
        self._text_encoder = text_encoder
        self.name, self.dim, self.fingerprint = text_encoder.name, text_encoder.dim, text_encoder.fingerprint
        folder = cache_folder() / "text_encoders" if folder is None else folder
        name = re.sub(r"[^\w.-]", "-", text_encoder.name)  # "clip:ORG/REPO" is no valid file name
        self._file = _VectorFile(folder / f"{name}-{text_encoder.fingerprint}.sqlite", text_encoder.dim)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors (N, dim) of N sentences, as the text encoder computes them.

        Raises:
            TextError: on words that the text encoder refuses; those are not cached.
        """
        cleaned = checked_texts(texts)
        known = self._file.read(cleaned)
        missing = [text for text in dict.fromkeys(cleaned) if text not in known]
        for start in range(0, len(missing), _CHUNK):  # a crash loses one chunk at most
            chunk = missing[start : start + _CHUNK]
            fresh = dict(zip(chunk, self._text_encoder.encode_texts(chunk), strict=True))
            self._file.write(fresh)
            known.update(fresh)
        return torch.stack([known[text] for text in cleaned]) if cleaned else torch.empty(0, self.dim)


class _VectorFile:
    """Texts and their vectors (dim,) in one SQLite file."""

    def __init__(self, path: Path, dim: int):
        self._path, self._dim = path, dim

    def read(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """Returns the vectors (dim,) of those texts that are in the file and intact."""
        found: dict[str, Tensor] = {}

        def look_up(database: sqlite3.Connection) -> None:
            for text in dict.fromkeys(texts):
                row = database.execute("SELECT vector, checksum FROM vectors WHERE text = ?", (text,)).fetchone()
                if row and self._intact(text, *row):
                    found[text] = torch.from_numpy(np.frombuffer(row[0], dtype="<f4").astype(np.float32))

        if self._path.is_file():
            self._use(look_up)
        return found

    def write(self, vectors: Mapping[str, Tensor]) -> None:
        """Writes vectors, all or none."""
        blobs = {text: vector.numpy().astype("<f4").tobytes() for text, vector in vectors.items()}
        rows = [(text, blob, _checksum(text, blob)) for text, blob in blobs.items()]

        def put(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

        self._use(put)

    def _use(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Calls ``work`` with the open database. A cache that fails only costs time: a warning, not an error."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30)) as database:
                database.execute(_TABLE)
                work(database)
        except (OSError, sqlite3.OperationalError) as error:  # read-only, full, locked: the file itself is sound
            self._warn(f"cannot be used ({error}); set MOTIONCLIP_CACHE to a folder that can be written")
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter of sqlite's own message
            self._warn(f"is damaged ({error}); it is built anew")
            for file in (self._path, self._path.with_name(f"{self._path.name}-journal")):
                file.unlink(missing_ok=True)

    def _intact(self, text: str, vector: object, checksum: object) -> bool:
        intact = isinstance(vector, bytes) and len(vector) == 4 * self._dim and checksum == _checksum(text, vector)
        if not intact:
            self._warn(f"the vector of {text!r} is damaged; it is encoded again")
        return intact

    def _warn(self, problem: str) -> None:
        warnings.warn(f"the cache of text vectors {self._path}: {problem}", RuntimeWarning, stacklevel=5)


def _checksum(text: str, vector: bytes) -> int:
    return zlib.crc32(vector, zlib.crc32(text.encode()))
