"""Reading and writing of files: every fault is a FormatError, and a written file appears whole or not at all."""

from __future__ import annotations

import math
import re
import secrets
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionclip.errors import DataError, FormatError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def read_bytes(path: str | Path) -> bytes:
    """The content of a file.

    Raises:
        FormatError: if it cannot be opened, or is empty.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(path, error.strerror or str(error), "a file that can be read") from error
    if not content:
        raise FormatError(path, "the file is empty", "a motion file")
    return content


def decode_names(content: bytes) -> str:
    """Text with joint names, in whatever encoding: UTF-8, else Shift-JIS of Japanese tools, else Latin-1.

    Shift-JIS is told from Latin-1 by bytes from 0x81 to 0x9F, with which nearly all its characters begin, and which are
    control characters in Latin-1. Names that differ stay different.
    """
    for encoding in ("utf-8", "cp932") if re.search(rb"[\x81-\x9f]", content) else ("utf-8",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffix, that takes its place if the block succeeds.

    Folders that are missing are made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # no process number: machines that share a folder may have the same
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    temporary.touch()
    mode = temporary.stat().st_mode
    try:
        yield temporary
        temporary.chmod(mode)  # safetensors makes its files readable for their owner alone
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Holds a lock file during the block, so that one process at a time writes; a process that dies lets go of it.

    The parent of ``path`` is created. Nothing is locked on Windows, which has no ``fcntl``.

    Raises:
        DataError: if another process holds it; ``busy`` says what that process does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{busy}; wait for it or stop it") from None
        yield


# NumPy archives (.npz): opened without pickle; every fault is a FormatError

#: Errors of NumPy and zipfile on damaged archives; the last three come from NumPy's parser of an array's header.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    SyntaxError,
    tokenize.TokenError,
    OverflowError,
)
#: How much memory an array may take as numbers of 8 bytes: 20 minutes of AMASS at 120 frames per second.
_MOST_BYTES = 250_000_000


class Arrays:
    """The arrays of an archive, each read and checked when it is asked for."""

    def __init__(self, path: str | Path, stored: Mapping[str, Any] | None = None):
        """Opens an archive.

        Args:
            path: the file.
            stored: its arrays, if they have been read in another way.

        Raises:
            FormatError: if it is missing, or is no archive of arrays.
        """
        self._path = Path(path)
        self._archive = self._open() if stored is None else stored
        self.names: frozenset[str] = frozenset(self._archive)

    def _open(self) -> np.lib.npyio.NpzFile:
        path = self._path
        try:
            archive = np.load(self._path, allow_pickle=False)
        except FileNotFoundError as error:
            raise FormatError(path, "no such file", "a file that can be read") from error
        except DAMAGE as error:
            raise FormatError(path, "this is no NumPy archive", "an .npz file") from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise FormatError(path, "this is a single array", "an archive of named arrays (.npz)")
        return archive

    def __enter__(self) -> Arrays:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._archive, np.lib.npyio.NpzFile):
            self._archive.close()

    def error(self, problem: str, expected: str) -> FormatError:
        """An error about this file."""
        return FormatError(self._path, problem, expected)

    def numbers(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
        """An array of finite numbers; None in ``shape`` is any length.

        Raises:
            FormatError: if it is missing, damaged, not numeric, of another shape, or not finite.
        """
        array = self._array(name)
        if array.dtype.kind not in "iuf":
            raise self.error(f"array {name!r} holds {array.dtype}", "numbers")
        fits = array.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise self.error(f"array {name!r} has shape {array.shape}", f"({wanted})")
        values = array.astype(np.float64)
        if not np.isfinite(values).all():
            raise self.error(f"array {name!r} contains NaN or infinity", "finite numbers")
        return values

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array, which is not read for it.

        Raises:
            FormatError: if it is missing or damaged.
        """
        return self._header(name)[0]

    def words(self, name: str) -> tuple[str, ...]:
        """An array (N,) of strings.

        Raises:
            FormatError: if it is missing, damaged, or does not hold strings.
        """
        array = self._array(name)
        if array.dtype.kind != "U" or array.ndim != 1:
            raise self.error(f"array {name!r} holds {array.dtype} of shape {array.shape}", "a row of strings")
        return tuple(str(word) for word in array)

    def _array(self, name: str) -> NDArray[np.generic]:
        shape, kind = self._header(name)
        if math.prod(shape) * max(kind.itemsize, 8) > _MOST_BYTES:
            raise self.error(f"array {name!r} has shape {shape}", f"at most {_MOST_BYTES // 8:,} numbers")
        try:
            return np.asarray(self._archive[name])
        except DAMAGE as error:
            raise self.error(f"array {name!r} cannot be read", "an undamaged file without Python objects") from error

    def _header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array."""
        if name not in self.names:
            found = ", ".join(sorted(self.names)) or "nothing"
            raise self.error(f"there is no array {name!r}, only {found}", f"an array {name!r}")
        try:
            if not isinstance(self._archive, np.lib.npyio.NpzFile):
                array = np.asarray(self._archive[name])
                return array.shape, array.dtype
            assert self._archive.zip is not None
            with self._archive.zip.open(f"{name}.npy") as file:
                return npy_header(file)
        except (*DAMAGE, KeyError) as error:
            raise self.error(f"array {name!r} cannot be read", "an undamaged file without Python objects") from error


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array in an open .npy file.

    Raises:
        ValueError and others of ``DAMAGE``: if it is none.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    return shape, kind


def read_array(path: str | Path, layouts: Mapping[tuple[int, ...], str]) -> NDArray[np.float64]:
    """The finite numbers (T, ...) of an .npy file of at least one frame.

    Args:
        path: the file.
        layouts: what shape may follow the frames, and what that is called.

    Raises:
        FormatError: if it is missing, damaged, too large, or holds anything else.
    """
    wanted = " or ".join(f"(T, {', '.join(map(str, shape))}) of {name}" for shape, name in layouts.items())
    try:
        with Path(path).open("rb") as file:
            shape, kind = npy_header(file)
            if kind.kind not in "iuf" or shape[1:] not in layouts or not shape[0]:
                raise FormatError(path, f"an array of {kind} of shape {shape}", wanted)
            if math.prod(shape) * 8 > _MOST_BYTES:
                raise FormatError(path, f"an array of shape {shape}", f"at most {_MOST_BYTES // 8:,} numbers")
        values = np.load(path, allow_pickle=False).astype(np.float64)
    except DAMAGE as error:
        raise FormatError(path, f"it cannot be read ({error})", f"an .npy file, {wanted}") from error
    if not np.isfinite(values).all():
        raise FormatError(path, "it contains NaN or infinity", "finite numbers")
    return values


def save_arrays(path: str | Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes a compressed archive."""
    contents: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **contents)
