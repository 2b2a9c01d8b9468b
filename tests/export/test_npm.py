"""Packages of npm: fetched once, checked, and taken from a folder; nothing here asks the network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from motionclip.errors import MotionClipError
from motionclip.export.npm import ONNXRUNTIME, THREE, Package, read_package

SCRIPT = b"export const answer = 42;\n"


def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        entry = tarfile.TarInfo("package/build/small.js")
        entry.size = len(SCRIPT)
        opened.addfile(entry, io.BytesIO(SCRIPT))
    return made.getvalue()


class Registry:
    """A registry of one package, on this machine, that counts what it is asked for."""

    def __init__(self, folder: Path):
        self.asked: list[str] = []
        registry = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                registry.asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(tmp_path / "cache"))
    made = archive()
    path = tmp_path / "registry" / "small" / "-" / "small-1.2.3.tgz"
    path.parent.mkdir(parents=True)
    path.write_bytes(made)
    return made


@pytest.fixture
def package(content: bytes) -> Package:
    return Package("small", "1.2.3", base64.b64encode(hashlib.sha512(content).digest()).decode(), ("build/small.js",))


@pytest.fixture
def registry(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    found = Registry(tmp_path / "registry")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{found.server.server_port}/")
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_a_package_is_fetched_once(registry: Registry, package: Package) -> None:
    assert read_package(package) == read_package(package) == {"build/small.js": SCRIPT}
    assert registry.asked == ["/small/-/small-1.2.3.tgz"]


def test_what_is_damaged_in_the_cache_is_fetched_again(registry: Registry, package: Package, tmp_path: Path) -> None:
    read_package(package)
    kept = tmp_path / "cache" / "npm" / "small-1.2.3.tgz"
    kept.write_bytes(kept.read_bytes()[:-1])
    assert read_package(package) == {"build/small.js": SCRIPT}
    assert len(registry.asked) == 2


def test_another_archive_than_the_published_one_is_refused(
    registry: Registry, package: Package, tmp_path: Path
) -> None:
    published = tmp_path / "registry" / "small" / "-" / "small-1.2.3.tgz"
    published.write_bytes(published.read_bytes() + b"\0")
    with pytest.raises(MotionClipError, match="SHA-512 differs"):
        read_package(package)
    assert not list((tmp_path / "cache").rglob("*.tgz"))


def test_without_a_network_it_is_said_what_to_do(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:1")
    with pytest.raises(MotionClipError, match=r"cannot be fetched .*npm install small@1\.2\.3, and give --modules"):
        read_package(package)


def test_a_folder_serves_if_it_holds_that_version(package: Package, tmp_path: Path) -> None:
    with pytest.raises(MotionClipError, match=r"holds no small@1\.2\.3"):
        read_package(package, tmp_path)
    folder = tmp_path / "small"
    (folder / "build").mkdir(parents=True)
    (folder / "build" / "small.js").write_bytes(SCRIPT)
    (folder / "package.json").write_text(json.dumps({"version": "1.2.4"}))
    with pytest.raises(MotionClipError, match=r"is version 1\.2\.4; expected 1\.2\.3"):
        read_package(package, tmp_path)
    (folder / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    assert read_package(package, tmp_path) == {"build/small.js": SCRIPT}


def test_the_packages_of_the_page_are_pinned() -> None:
    for package in (THREE, ONNXRUNTIME):
        assert len(base64.b64decode(package.sha512)) == 64
        assert package.version.count(".") == 2
