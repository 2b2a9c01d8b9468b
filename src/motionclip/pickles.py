"""Pickles of arrays, read without running anything that they ask for: plain ones, those of joblib and of PyTorch.

SMPL models are published as pickles of Python 2 that name classes of `chumpy` and `scipy`; programs that estimate
motions from video write theirs by joblib. All are read, without any of these packages, by an unpickler that builds
numbers, texts, containers and numpy arrays, stubs in place of those classes, and nothing else.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from motionclip.errors import FormatError

_ADMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"{core}.multiarray", name) for core in ("numpy.core", "numpy._core") for name in ("_reconstruct", "scalar")),
    *((f"{core}.numeric", "_frombuffer") for core in ("numpy.core", "numpy._core")),
    ("_codecs", "encode"),  # how protocol 2 of Python 3 stores the bytes of an array
    ("__builtin__", "object"),
    ("__builtin__", "set"),  # of chumpy's state
    *(("builtins", name) for name in ("dict", "list", "set")),
    *(("collections", name) for name in ("OrderedDict", "defaultdict")),
}
#: How large a compressed pickle may become, bytes.
_MOST_BYTES = 2**30


class _Chumpy:
    """Stands for any chumpy object: keeps its state, of which only the array ``x`` is of use."""

    x: NDArray[np.float64]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.x = np.asarray(state.get("x", np.empty(0)))


class _SparseColumns:
    """Stands for scipy's csc_matrix: becomes the dense array ``x`` of what it stores."""

    x: NDArray[np.float64]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.x = np.zeros(state["_shape"])
        columns = np.repeat(np.arange(self.x.shape[1]), np.diff(state["indptr"]))
        np.add.at(self.x, (state["indices"], columns), state["data"])  # an entry that is stored twice adds up


class _JoblibArray:
    """Stands for joblib's NumpyArrayWrapper, behind which the bytes of an array follow in the file."""

    def read(self, file: BinaryIO) -> NDArray[Any]:
        """The array, from where the file stands."""
        state = vars(self)
        kind = np.dtype(state["dtype"])
        if kind.hasobject:
            raise pickle.UnpicklingError("it holds an array of Python objects")
        if state.get("numpy_array_alignment_bytes") is not None:
            file.read(file.read(1)[0])
        shape = tuple(int(length) for length in state["shape"])
        size = int(np.prod(shape, dtype=object)) * kind.itemsize
        content = file.read(size) if 0 <= size <= _MOST_BYTES else b""
        flat = np.frombuffer(content, kind)
        return flat.reshape(shape[::-1]).T if state["order"] == "F" else flat.reshape(shape)


def _reconstructor(kind: type, base: type, state: None) -> object:
    """Makes an object before its state is set, in protocols 0 and 1."""
    return object.__new__(kind)


def _admitted(module: str, name: str) -> Any:
    """A stub, or True for what may be imported.

    Raises:
        UnpicklingError: for anything else.
    """
    if module.split(".")[0] == "chumpy":
        return _Chumpy
    if module.startswith("scipy.sparse") and name == "csc_matrix":
        return _SparseColumns
    if (module, name) == ("joblib.numpy_pickle", "NumpyArrayWrapper"):
        return _JoblibArray
    if (module, name) == ("copy_reg", "_reconstructor"):
        return _reconstructor
    if (module, name) in _ADMITTED:
        return True
    raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _admitted(module, name)
        return super().find_class(module, name) if found is True else found


_BUILD: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.BUILD[0]]


class _JoblibUnpickler(pickle._Unpickler):
    """The same in Python, which can be told to read an array between two opcodes."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="latin1")
        self._file = file

    def find_class(self, module: str, name: str) -> Any:
        found = _admitted(module, name)
        return super().find_class(module, name) if found is True else found

    def load_build(self) -> None:
        _BUILD(self)
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack.append(self.stack.pop().read(self._file))

    dispatch[pickle.BUILD[0]] = load_build


def read_pickle(path: Path, expected: str) -> dict[Any, Any]:
    """Returns the dictionary of a pickle; arrays that came as stubs are arrays.

    Args:
        path: the file.
        expected: what a good file is, for the message.

    Raises:
        FormatError: if it is missing, damaged, asks for code to be run, or holds anything but a dictionary.
    """
    try:
        stored = unpickled(_inflated(path.read_bytes()))
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise FormatError(path, f"it cannot be read ({error})", expected) from error
    if not isinstance(stored, dict):
        raise FormatError(path, f"it holds {type(stored).__name__}", expected)
    return {name: value.x if isinstance(value, _Chumpy | _SparseColumns) else value for name, value in stored.items()}


def unpickled(content: bytes) -> Any:
    """Returns what a pickle holds, of which only numbers, texts, containers and arrays are read.

    Raises:
        Exception: nearly any, if it is damaged or asks for code to be run.
    """
    file = io.BytesIO(content)
    joblib = b"joblib.numpy_pickle" in content
    return _JoblibUnpickler(file).load() if joblib else _Unpickler(file, encoding="latin1").load()


def read_torch(path: Path, expected: str) -> Any:
    """Returns what a file of PyTorch holds, of which only tensors, numbers, texts and containers are read.

    Args:
        path: the file.
        expected: what a good file is, for the message.

    Raises:
        FormatError: if it is missing or damaged, asks for code to be run, or is compressed.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                    raise ValueError("it is compressed")  # PyTorch never does that: it would unpack to any size
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise nearly anything
        raise FormatError(path, f"it cannot be read ({str(error).partition(chr(10))[0][:200]})", expected) from error


def _inflated(content: bytes) -> bytes:
    """The content, if joblib compressed it, as it was before."""
    if content[:1] != b"\x78":  # of zlib; no pickle begins so
        return content
    engine = zlib.decompressobj()
    plain = engine.decompress(content, _MOST_BYTES)
    if not engine.eof:
        raise ValueError(f"it is cut off, or larger than {_MOST_BYTES} bytes")
    return plain
