"""Damage for readers: seeded mutations of the files of a motion, of their bytes and of what is in them."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

_NUMBERS = ("0", "-1", "1e30", "-1e308", "nan", "inf", "1e-320", "999999999999", "0x10", "", "1_0", "٣")
_VALUES = (None, True, -1, 0, 1, 2**31, 2**63, 1e308, float("nan"), float("inf"), "", "x", [], {}, [[]], "VEC3", -0.5)


def of_bytes(rng: random.Random, content: bytes) -> bytes:
    """A few bytes changed, cut, doubled, or put elsewhere."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        length = min(rng.choice((1, 2, 4, 8, 64, 512)), len(data) - at)
        kind = rng.randrange(6)
        if kind == 0:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 1:
            data[at : at + length] = b""
        elif kind == 2:
            data[at:at] = data[at : at + length] * rng.randint(1, 3)
        elif kind == 3:
            data[at : at + length] = bytes([rng.choice((0, 255, 127, 32))]) * length
        elif kind == 4:
            del data[at:]
        elif length:
            data[at] ^= 1 << rng.randrange(8)
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def of_text(rng: random.Random, content: bytes) -> bytes:
    """Words of a text changed for odd numbers or for one another, lines left out or doubled."""
    lines = content.decode("latin1").split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        words = lines[at].replace(",", " , ").split(" ")
        kind = rng.randrange(5)
        if kind == 0:
            words[rng.randrange(len(words))] = rng.choice(_NUMBERS)
        elif kind == 1:
            words[rng.randrange(len(words))] = rng.choice(rng.choice(lines).split(" "))
        elif kind == 2:
            words = []
        elif kind == 3:
            words = [*words, *words]
        else:
            words = rng.choice(lines).split(" ")
        lines[at] = " ".join(words).replace(" , ", ",")
    return "\n".join(lines).encode("latin1", errors="replace")


def of_json(rng: random.Random, document: Any) -> Any:
    """A document of which some values are others, or missing."""
    document = json.loads(json.dumps(document))
    for _ in range(rng.randint(1, 3)):
        holder, depth = document, rng.randint(1, 6)
        while depth and isinstance(holder, dict | list) and len(holder):
            key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
            inner = holder[key]
            depth -= 1
            if depth and isinstance(inner, dict | list) and len(inner):
                holder = inner
                continue
            kind = rng.randrange(3)
            if kind == 0:
                del holder[key]
            elif kind == 1 and isinstance(inner, int | float) and not isinstance(inner, bool):
                holder[key] = rng.choice((inner + 1, inner - 1, -inner, inner * 1000, inner * 10**9))
            else:
                holder[key] = rng.choice(_VALUES)
            break
    return document


def of_glb(rng: random.Random, content: bytes) -> bytes:
    """A GLB file whose document is changed and whose container is whole."""
    length = struct.unpack_from("<I", content, 12)[0]
    text = json.dumps(of_json(rng, json.loads(content[20 : 20 + length]))).encode()
    text += b" " * (-len(text) % 4)
    rest = content[20 + length :]
    body = struct.pack("<I4s", len(text), b"JSON") + text + rest
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def of_arrays(rng: random.Random, stored: dict[str, Any]) -> dict[str, Any]:
    """Arrays of which some have other values, shapes, types or names, or are missing."""
    stored = dict(stored)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(list(stored))
        array = np.array(stored[name])
        kind = rng.randrange(7)
        if kind == 0:
            del stored[name]
            if not stored:
                stored = {"nothing": np.zeros(0)}
        elif kind == 1 and array.dtype.kind == "f" and array.size:
            array = array.copy()
            array.flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, 1e38, -1e300, 0.0))
            stored[name] = array
        elif kind == 2:
            stored[name] = array[..., :-1] if array.ndim else np.array([array])
        elif kind == 3:
            stored[name] = array[:0] if array.ndim else np.array("x")
        elif kind == 4:
            stored[name] = (
                array.astype(rng.choice(("U8", "f2", "i1", "c16", "?"))) if array.dtype.kind in "iuf" else 1.0
            )
        elif kind == 5:
            stored[name] = (
                rng.choice((np.zeros((2, 3)), np.zeros(()), np.array(-1), np.array(1e300), array * 0))
                if array.dtype.kind in "iuf"
                else np.array(["a", "a"])
            )
        else:
            stored[name] = stored[rng.choice(list(stored))]
    return stored


def of_npz(rng: random.Random, content: bytes) -> bytes:
    """An archive whose arrays are changed; or one whose bytes are, before it is packed."""
    out = io.BytesIO()
    if rng.random() < 0.6:
        with np.load(io.BytesIO(content)) as stored, np.errstate(all="ignore"):
            np.savez(out, **of_arrays(rng, dict(stored)))
        return out.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as target:
        names = archive.namelist()
        hit = rng.choice(names)
        for name in names:
            part = archive.read(name)
            target.writestr(name, of_bytes(rng, part[:128]) + part[128:] if name == hit else part)
    return out.getvalue()


def of_pickle(rng: random.Random, content: bytes) -> bytes:
    """A pickle of changed arrays."""
    with np.errstate(all="ignore"):
        return pickle.dumps(of_arrays(rng, pickle.loads(content)))


def of_npy(rng: random.Random, content: bytes) -> bytes:
    """An array whose header is changed; or, of a dictionary, whose arrays are."""
    if b"'|O'" not in content[:128] or rng.random() < 0.4:
        return of_header(rng, content)
    out = io.BytesIO()
    with np.errstate(all="ignore"):
        np.save(out, of_arrays(rng, np.load(io.BytesIO(content), allow_pickle=True).item()))
    return out.getvalue()


def of_document(rng: random.Random, content: bytes) -> bytes:
    """A JSON document of which some values are others; or nested deep, with half a character, or not finite."""
    kind = rng.randrange(8)
    if kind == 0:
        return b"[" * 5000 + b"]" * 5000
    if kind == 1:
        return content.replace(b'"', b'"\\ud800', 1 + rng.randrange(3))
    text = json.dumps(of_json(rng, json.loads(content)))
    if kind == 2:
        text = text.replace("0", rng.choice(("1e999", "-0", "NaN", "1" * 400)), 1 + rng.randrange(3))
    return text.encode("utf-8", "surrogatepass")


def of_header(rng: random.Random, content: bytes) -> bytes:
    """A file whose header is changed, or whose numbers are not finite."""
    if rng.random() < 0.3:
        at = rng.randrange(max(1, len(content) - 4096), len(content) + 1) & ~3
        return content[:at] + struct.pack("<f", rng.choice((float("nan"), float("inf")))) * 2 + content[at + 8 :]
    return of_bytes(rng, content[:512]) + content[512:]


#: By suffix: the mutations that reach further into a file than those of its bytes.
DEEP: dict[str, Callable[[random.Random, bytes], bytes]] = {
    ".bvh": of_text,
    ".amc": of_text,
    ".asf": of_text,
    ".csv": of_text,
    ".glb": of_glb,
    ".json": lambda rng, content: of_document(rng, content),
    ".npy": of_npy,
    ".safetensors": lambda rng, content: of_header(rng, content),
    ".gltf": lambda rng, content: json.dumps(of_json(rng, json.loads(content))).encode(),
    ".npz": of_npz,
    ".pkl": of_pickle,
}


def damaged(rng: random.Random, content: bytes, suffix: str) -> bytes:
    """The content of a file with damage of some kind."""
    deep = DEEP.get(suffix)
    return deep(rng, content) if deep and rng.random() < 0.7 else of_bytes(rng, content)
