"""NumPy files (.npz, .npy): one gate that bounds types, shapes and memory by their headers, before anything is read.

Nothing is unpickled, and nothing is left to ``numpy.load``: it makes an array of whatever shape a header states.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError

#: How much memory the arrays of a file may take as numbers of 8 bytes.
MOST_BYTES = 250_000_000
#: Arrays of an archive, and characters of a string in one.
_MOST_ARRAYS, _LONGEST_WORD = 1000, 4096
#: How an archive may be packed: other methods take memory that their own headers state.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Rotations that are checked at once.
_CHUNK = 65_536
_UNDAMAGED = "an undamaged file without Python objects"


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
        self._path, self._stored, self._zip = Path(path), stored, None
        self._left = MOST_BYTES
        if stored is None:
            self._zip = self._open()
            self._members = {each.filename.removesuffix(".npy"): each for each in self._zip.infolist()}
        self.names: frozenset[str] = frozenset(self._members if stored is None else stored)

    def _open(self) -> zipfile.ZipFile:
        path = self._path
        try:
            with path.open("rb") as file:
                start = file.read(6)
            archive = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise FormatError(path, "no such file", "a file that can be read") from error
        except Exception as error:  # a damaged archive can raise nearly anything
            if isinstance(error, zipfile.BadZipFile) and start == b"\x93NUMPY":
                raise FormatError(path, "this is a single array", "an archive of named arrays (.npz)") from error
            raise FormatError(path, "this is no NumPy archive", "an .npz file") from error
        if len(archive.namelist()) > _MOST_ARRAYS:
            raise FormatError(path, f"it has {len(archive.namelist())} arrays", f"at most {_MOST_ARRAYS}")
        return archive

    def __enter__(self) -> Arrays:
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def error(self, problem: str, expected: str) -> FormatError:
        """An error about this file."""
        return FormatError(self._path, problem, expected)

    def numbers(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
        """An array of finite numbers; None in ``shape`` is any length.

        Raises:
            FormatError: if it is missing, damaged, not numeric, of another shape, too large, or not finite.
        """
        found, kind = self._header(name)
        if kind.kind not in "iuf" or kind.itemsize > 8:
            raise self.error(f"array {name!r} holds {kind}", "numbers")
        fits = len(found) == len(shape) and all(want in (None, have) for want, have in zip(shape, found, strict=True))
        if not fits:
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise self.error(f"array {name!r} has shape {found}", f"({wanted})")
        values = self._array(name, found, kind).astype(np.float64)
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
            FormatError: if it is missing, damaged, does not hold strings, or is too large.
        """
        shape, kind = self._header(name)
        if kind.kind != "U" or len(shape) != 1 or kind.itemsize > 4 * _LONGEST_WORD:
            raise self.error(f"array {name!r} holds {kind} of shape {shape}", "a row of strings")
        try:
            words = tuple(str(word) for word in self._array(name, shape, kind))
            for word in words:
                word.encode()  # halves of characters are none
        except ValueError as error:
            raise self.error(f"array {name!r} holds what is no text", "a row of strings") from error
        return words

    def word(self, name: str) -> str:
        """A single string ().

        Raises:
            As :meth:`words`.
        """
        shape, kind = self._header(name)
        if kind.kind != "U" or shape:
            raise self.error(f"array {name!r} holds {kind} of shape {shape}", "a string")
        return str(self._array(name, shape, kind))

    def _array(self, name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[np.generic]:
        self._left -= math.prod(shape) * max(kind.itemsize, 8)
        if self._left < 0:
            raise self.error(f"array {name!r} has shape {shape}", f"at most {MOST_BYTES // 8:,} numbers in a file")
        if self._stored is not None:
            return np.asarray(self._stored[name])
        assert self._zip is not None
        try:
            with self._zip.open(self._members[name]) as file:
                return read_body(file)
        except Exception as error:  # a damaged member can raise nearly anything
            raise self.error(f"array {name!r} cannot be read", _UNDAMAGED) from error

    def _header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array."""
        if name not in self.names:
            found = ", ".join(sorted(self.names)[:20]) or "nothing"
            raise self.error(f"there is no array {name!r}, only {found}", f"an array {name!r}")
        try:
            if self._stored is not None:
                array = np.asarray(self._stored[name])
                return array.shape, array.dtype
            assert self._zip is not None
            member = self._members[name]
            if member.compress_type not in _PACKED:
                raise ValueError("it is packed in an unusual way")
            with self._zip.open(member) as file:
                return npy_header(file)[:2]
        except Exception as error:  # the parser of headers raises SyntaxError, TokenError, SystemError and more
            raise self.error(f"array {name!r} cannot be read", _UNDAMAGED) from error


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Shape, type and whether the first axis runs fastest, of an array in an open .npy file.

    Raises:
        Exception: nearly any, if it is none.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, kind = read(file)
    if not all(isinstance(length, int) and length >= 0 for length in shape) or len(shape) > 8:
        raise ValueError(f"a shape of {str(shape)[:60]}")
    return shape, kind, by_columns


def holds_objects(file: IO[bytes]) -> bool:
    """Whether an open .npy file holds Python objects; a damaged one does not, and is refused when it is read."""
    try:
        return npy_header(file)[1].hasobject
    except Exception:  # of a damaged header nearly any
        return False


def read_body(file: IO[bytes]) -> NDArray[np.generic]:
    """The array in an open .npy file, of which only as many bytes are read as its header states.

    Raises:
        Exception: nearly any, if it is damaged, or holds Python objects.
    """
    shape, kind, by_columns = npy_header(file)
    if kind.hasobject:
        raise ValueError("it holds Python objects")
    size = math.prod(shape) * kind.itemsize
    content = file.read(size)
    if len(content) != size or file.read(1):
        raise ValueError("it is cut off, or goes on")
    return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")


def read_array(path: str | Path, layouts: Mapping[tuple[int, ...], str], most: int) -> NDArray[np.float64]:
    """The finite numbers (T, ...) of an .npy file of at least one frame; a leading batch of one is taken off.

    Args:
        path: the file.
        layouts: what shape may follow the frames, and what that is called.
        most: how many frames there may be.

    Raises:
        FormatError: if it is missing, damaged, too large, or holds anything else.
    """
    wanted = " or ".join(f"(T, {', '.join(map(str, shape))}) of {name}" for shape, name in layouts.items())
    try:
        with Path(path).open("rb") as file:
            shape, kind, _ = npy_header(file)
            batch = shape[:1] == (1,) and shape[2:] in layouts
            fits = math.prod(shape) > 0 and (batch or shape[1:] in layouts)
            if kind.kind not in "iuf" or kind.itemsize > 8 or not fits:
                raise FormatError(path, f"an array of {kind} of shape {shape}", wanted)
            if max(shape[:2] if batch else shape[:1]) > most:
                raise FormatError(path, f"an array of shape {shape}", f"at most {most:,} frames: cut the motion")
            file.seek(0)
            values = read_body(file).astype(np.float64)
            values = values[0] if batch else values
    except FormatError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise FormatError(path, f"it cannot be read ({error})", f"an .npy file, {wanted}") from error
    if not np.isfinite(values).all():
        raise FormatError(path, "it contains NaN or infinity", "finite numbers")
    return values


def open_array(path: Path, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
    """An .npy file of a known shape and type, memory-mapped; finite numbers are checked where they are read.

    Raises:
        ValueError: if it is missing or damaged, or of another shape or type.
    """
    try:
        with path.open("rb") as file:
            found = npy_header(file)
            start, size = file.tell(), path.stat().st_size
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(f"{path} cannot be read ({error})") from error
    if found != (shape, np.dtype(kind), False) or size != start + math.prod(shape) * np.dtype(kind).itemsize:
        raise ValueError(f"{path} is {found[1]} {found[0]} in {size} bytes; expected {kind} {shape}")
    if not math.prod(shape):
        return np.empty(shape, kind)
    return np.memmap(path, np.dtype(kind), "r", start, shape)


def rotation_error(matrices: NDArray[np.float64]) -> float:
    """How far matrices (..., 3, 3) are from rotations: the largest deviation; infinite if one mirrors."""
    worst, flat = 0.0, matrices.reshape(-1, 3, 3)
    for start in range(0, len(flat), _CHUNK):  # all at once would take several times their memory
        part = flat[start : start + _CHUNK]
        if (np.linalg.det(part) < 0).any():
            return math.inf
        worst = max(worst, float(np.abs(part @ part.swapaxes(-1, -2) - np.eye(3)).max()))
    return worst
