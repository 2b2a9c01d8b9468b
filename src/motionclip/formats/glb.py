"""The GLB container (binary glTF 2.0): a JSON document and one binary chunk of arrays.

A file that was read is written with all that is not changed in it, extensions among them. Layout:
https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html, sections 3.6 (buffers) and 4.4 (GLB).
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes, replacing

Doubles = NDArray[np.float64]

#: What a GPU uses a view for.
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
_COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {code: np.dtype("<" + word) for word, code in _COMPONENTS.items()}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A GLB file in memory.

    Attributes:
        document: its JSON, by the names of the glTF specification.
        binary: its arrays.
    """

    def __init__(self, document: dict[str, Any], binary: bytes = b""):
        self.document = document
        self.binary = bytearray(binary)

    def add(self, array: NDArray[np.generic], kind: str, target: int | None = None, bounds: bool = False) -> int:
        """Appends an array to the binary chunk, with a view and an accessor of its own.

        Args:
            array: (N, width of ``kind``), or (N,) for scalars.
            kind: "SCALAR", "VEC3", "VEC4", "MAT4" ...
            target: what a GPU uses it for, if anything.
            bounds: whether to add the least and largest values.

        Returns:
            The index of the accessor.
        """
        self.binary += bytes(-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": array.nbytes}
        self.binary += np.ascontiguousarray(array).tobytes()
        views, accessors = (self.document.setdefault(name, []) for name in ("bufferViews", "accessors"))
        views.append(view if target is None else view | {"target": target})
        accessor = {
            "bufferView": len(views) - 1,
            "componentType": _COMPONENTS[array.dtype.str[1:]],
            "count": len(array),
            "type": kind,
        }
        ends = {"min": np.atleast_1d(array.min(0)).tolist(), "max": np.atleast_1d(array.max(0)).tolist()}
        accessors.append(accessor | ends if bounds else accessor)
        return len(accessors) - 1

    def array(self, accessor: int) -> Doubles:
        """The numbers (N, width) of an accessor of the file.

        Raises:
            ValueError, KeyError, IndexError, TypeError: if the document is damaged, or the array sparse or compressed.
        """
        found = self.document["accessors"][accessor]
        view = self.document["bufferViews"][found["bufferView"]]
        if "sparse" in found or view["buffer"] != 0:
            raise ValueError("a sparse array, or one in another file")
        kind, width, count = _TYPES[found["componentType"]], _WIDTHS[found["type"]], found["count"]
        start = view.get("byteOffset", 0) + found.get("byteOffset", 0)
        step = view.get("byteStride", kind.itemsize * width)
        shape, steps = (count, width), (step, kind.itemsize)
        numbers = np.ndarray(shape, kind, self.binary, start, steps).astype(np.float64)
        return numbers / np.iinfo(kind).max if found.get("normalized") else numbers

    def write(self, path: str | Path) -> None:
        """Writes the file; it appears whole or not at all."""
        first, *others = self.document.get("buffers") or [{}]
        document = self.document | {"buffers": [first | {"byteLength": len(self.binary)}, *others]}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        chunks = [
            (b"JSON", text + b" " * (-len(text) % 4)),
            (b"BIN\0", bytes(self.binary) + bytes(-len(self.binary) % 4)),
        ]
        body = b"".join(_CHUNK.pack(len(data), kind) + data for kind, data in chunks)
        with replacing(path) as temporary:
            temporary.write_bytes(_HEADER.pack(b"glTF", 2, _HEADER.size + len(body)) + body)


def read_glb(path: str | Path) -> Glb:
    """A GLB file whose arrays are in its own binary chunk.

    Raises:
        FormatError: if it is missing, damaged, or keeps its first buffer in another file.
    """
    content = read_bytes(path)
    if len(content) < _HEADER.size or _HEADER.unpack_from(content)[:2] != (b"glTF", 2):
        raise FormatError(path, "this is no GLB file", "binary glTF 2.0")
    try:
        kind, text, end = _chunk(content, _HEADER.size)
        document = json.loads(text)
        binary = _chunk(content, end)[1] if end < len(content) else b""
    except (struct.error, ValueError) as error:
        raise FormatError(path, f"the GLB file is damaged ({error})", "a whole file") from error
    if kind != b"JSON" or not isinstance(document, dict):
        raise FormatError(path, "its first part is no JSON document", "binary glTF 2.0")
    buffers = document.get("buffers") or [{}]
    if "uri" in buffers[0]:
        raise FormatError(path, "its first buffer is outside the file", "one GLB file that holds everything")
    length = buffers[0].get("byteLength", 0)
    if len(binary) < length:
        raise FormatError(path, f"its arrays have {len(binary)} of {length} bytes", "a whole file")
    return Glb(document, binary[:length])


def _chunk(content: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Kind and data of a chunk, and where the next begins."""
    length, kind = _CHUNK.unpack_from(content, at)
    start = at + _CHUNK.size
    if start + length > len(content):
        raise ValueError("it ends early")
    return kind, content[start : start + length], start + length
