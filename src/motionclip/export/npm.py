"""Packages of npm that a page needs: fetched once into the cache, by version and SHA-512, or taken from a folder."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from motionclip.encoders.cache import cache_folder
from motionclip.errors import MotionClipError
from motionclip.formats.files import replacing

#: Where packages come from, unless npm's own variable NPM_CONFIG_REGISTRY names another place.
_REGISTRY = "https://registry.npmjs.org"
_SECONDS = 60.0


@dataclass(frozen=True)
class Package:
    """A package of npm.

    Attributes:
        name: as npm has it.
        version: the one that is used.
        sha512: of its archive, in base64, as npm's lock files have it.
        files: paths of what is used, in the package.
    """

    name: str
    version: str
    sha512: str
    files: tuple[str, ...]


THREE = Package(
    "three",
    "0.187.0",
    "Qiu7R+Cmh8CstZsY1uJOSWnVlfo7ZtNLV7mF8Jltk3LB3AtDu9cRZlcnRKkAk8Y4z6KKw35z7Y7Urd7jWY8etA==",
    (
        "build/three.module.js",
        "build/three.core.js",
        "examples/jsm/controls/OrbitControls.js",
        "examples/jsm/exporters/GLTFExporter.js",
        "examples/jsm/loaders/GLTFLoader.js",
        "examples/jsm/utils/BufferGeometryUtils.js",
        "examples/jsm/utils/SkeletonUtils.js",
        "LICENSE",
    ),
)
ONNXRUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    (
        "dist/ort.wasm.min.mjs",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
        "README.md",
    ),
)


def read_package(package: Package, modules: Path | None = None) -> dict[str, bytes]:
    """Returns the files of a package, by their paths in it.

    Args:
        package: which one, and which of its files.
        modules: a folder node_modules that holds it; without one it is fetched, if it is not in the cache.

    Raises:
        MotionClipError: if it cannot be fetched, is not the published one, or is missing from the folder.
    """
    return _from_archive(package) if modules is None else _from_folder(package, modules / package.name)


def _from_folder(package: Package, folder: Path) -> dict[str, bytes]:
    wanted = f"{package.name}@{package.version}"
    try:
        found = json.loads((folder / "package.json").read_bytes())["version"]
        if found == package.version:
            return {path: (folder / path).read_bytes() for path in package.files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MotionClipError(
            f"{folder} holds no {wanted} ({error}); install it there: npm install {wanted}"
        ) from error
    raise MotionClipError(f"{folder} is version {found}; expected {package.version}: npm install {wanted}")


def _from_archive(package: Package) -> dict[str, bytes]:
    archive = cache_folder() / "npm" / f"{package.name}-{package.version}.tgz"
    content = archive.read_bytes() if archive.is_file() else b""
    if not _is_published(package, content):
        content = _fetched(package)
        with replacing(archive) as path:
            path.write_bytes(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        files = {path: opened.extractfile(f"package/{path}") for path in package.files}
        return {path: file.read() for path, file in files.items() if file is not None}


def _is_published(package: Package, content: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(content).digest()).decode() == package.sha512


def _fetched(package: Package) -> bytes:
    """Returns the archive of a package, from the registry."""
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or _REGISTRY
    address = f"{registry.rstrip('/')}/{package.name}/-/{package.name}-{package.version}.tgz"
    by_hand = (
        f"or install it where there is a network, npm install {package.name}@{package.version}, and give --modules"
    )
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            content: bytes = answer.read()
    except (OSError, ValueError) as error:
        raise MotionClipError(f"{address} cannot be fetched ({error}); try again with a network, {by_hand}") from error
    if not _is_published(package, content):
        raise MotionClipError(f"{address} is not the published package (its SHA-512 differs); try again, {by_hand}")
    return content
