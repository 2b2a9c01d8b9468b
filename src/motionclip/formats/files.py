"""Reading and writing of files: every fault is a FormatError, and a written file appears whole or not at all."""

from __future__ import annotations

import codecs
import errno
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import ArrayLike

from motionclip.errors import DataError, FormatError

if TYPE_CHECKING:
    from torch import Tensor


def read_bytes(path: str | Path) -> bytes:
    """The content of a file.

    Raises:
        FormatError: if it cannot be opened, or is empty.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # the latter of a name with a zero byte or half a character
        raise FormatError(path, getattr(error, "strerror", str(error)), "a file that can be read") from error
    if not content:
        raise FormatError(path, "the file is empty", "a motion file")
    return content


def read_lines(path: str | Path) -> bytes:
    """The content of a file of text, lines ended by line feeds, without a byte order mark; UTF-16 becomes UTF-8.

    Raises:
        FormatError: if it cannot be opened, or is empty.
    """
    content = read_bytes(path)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode()
    return (content if b"\n" in content else content.replace(b"\r", b"\n")).removeprefix(codecs.BOM_UTF8)


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


#: Seconds since its last change after which a partial file is that of a process that died.
_STALE = 3600.0
#: Names of partial files, which no file of a user has.
_PARTIAL = re.compile(r"\.motionclip-[0-9a-f]{16}(\..*)?")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffix, that takes its place if the block succeeds.

    Folders that are missing are made. Through a symbolic link its target is written. The content is on the disk before
    it gets its name, so that a power cut leaves the old file or the new one. What killed processes left there an hour
    ago or more is removed.

    Raises:
        OSError: as the block, with the name of the file where it has none, as of a full disk.
    """
    target = Path(path)
    target = target.resolve() if target.is_symlink() else target
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    # no process number: machines that share a folder may have the same
    temporary = target.with_name(f".motionclip-{secrets.token_hex(8)}{target.suffix}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # safetensors makes its files readable for their owner alone
        _flush(temporary)
        temporary.replace(target)
        if os.name == "posix":  # elsewhere folders cannot be opened
            _flush(target.parent)
    except OSError as error:
        if error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a file is one that `replacing` has not finished, or a killed process has left."""
    return _PARTIAL.fullmatch(path.name) is not None


def _sweep(folder: Path) -> None:
    """Removes the partial files of processes that died."""
    for left in folder.glob(".motionclip-*"):
        with suppress(OSError):  # another process may sweep, too
            if is_partial(left) and time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def _flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot
            raise
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Holds a lock file during the block, so that one process at a time writes; a process that dies lets go of it.

    The parent of ``path`` is created.

    Raises:
        DataError: if another process holds it; ``busy`` says what that process does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path, timeout=0).acquire()
    except Timeout:
        raise DataError(f"{busy}; wait for it or stop it") from None
    with held:
        yield


def save_arrays(path: str | Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes a compressed archive (.npz)."""
    contents: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **contents)


def save_tensors(path: Path, tensors: Mapping[str, Tensor], about: dict[str, str] | None = None) -> None:
    """Writes a file of tensors (.safetensors).

    Args:
        path: the file.
        tensors: by name.
        about: what else its header says.

    Raises:
        OSError: if it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        try:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata=about)
        except SafetensorError as error:  # how it says that a disk is full
            raise OSError(errno.EIO, str(error), str(path)) from error
