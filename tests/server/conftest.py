"""A server in this process, over the shipped model and a small library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import motionclip
from motionclip.applications.search import LibraryIndex, index_library
from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def model(base_model: MotionCLIP) -> MotionCLIP:
    return base_model


@pytest.fixture(scope="session")
def walk(model: MotionCLIP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk of two seconds as BVH, alone in its folder."""
    path = tmp_path_factory.mktemp("library") / "walk.bvh"
    motionclip.write_motion(motionclip.text_to_motion(model, "a person walks", seconds=2), path)
    return path


@pytest.fixture(scope="session")
def library(model: MotionCLIP, walk: Path, tmp_path_factory: pytest.TempPathFactory) -> LibraryIndex:
    return index_library(model, walk.parent, folder=tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="session")
def app(model: MotionCLIP, library: LibraryIndex) -> FastAPI:
    return create_app(model, library=library)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE) as client:
        yield client
