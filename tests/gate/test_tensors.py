"""Tensors: whole, those that are expected, and finite."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from motionclip.applications.search.index import Block, Entry, IndexFolder
from motionclip.data.prepare import prepare
from motionclip.data.sources import open_source
from motionclip.data.store import Store
from motionclip.errors import DataError, ModelError
from motionclip.formats.files import save_tensors
from motionclip.gate.tensors import TensorError, read_tensors
from motionclip.metrics.evaluator import load_evaluator
from motionclip.model.checkpoint import load_network
from motionclip.training.frames import _read as read_vectors

MODELS = Path(__file__).parents[1] / "models"


def spoil(path: Path) -> None:
    """Makes one number of a file of weights NaN."""
    tensors, about = read_tensors(path)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel())
    spoiled = tensors[name].clone()
    spoiled.view(-1)[0] = float("nan")
    save_tensors(path, {each: tensor.clone() for each, tensor in tensors.items()} | {name: spoiled}, about)


def test_weights_that_are_not_finite_are_no_model(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "tiny", tmp_path / "model")
    load_network(tmp_path / "model")
    spoil(tmp_path / "model" / "model.safetensors")
    with pytest.raises(ModelError, match="NaN or infinity"):
        load_network(tmp_path / "model")


def test_weights_that_are_not_finite_are_no_evaluator(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "evaluator", tmp_path / "evaluator")
    spoil(tmp_path / "evaluator" / "evaluator.safetensors")
    with pytest.raises(ModelError, match="NaN or infinity"):
        load_evaluator(tmp_path / "evaluator")


def test_a_store_with_one_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    prepare(open_source("synthetic:2"), tmp_path / "store")
    Store.open(tmp_path / "store")
    array = np.load(tmp_path / "store" / "sixd.npy", mmap_mode="r+")
    array[5, 3, 1] = np.nan
    array.flush()
    del array
    with pytest.raises(DataError, match=r"sixd\.npy contains NaN"):
        Store.open(tmp_path / "store")


def test_a_damaged_index_is_rebuilt_and_said_once(tmp_path: Path) -> None:
    block = Block((Entry("a", "1", 1),), torch.ones(1, 4), torch.ones(1, 2))
    IndexFolder(tmp_path, 4).add(block)
    (path,) = tmp_path.glob("*.safetensors")
    for content in (b"", path.read_bytes()[:-9]):
        path.write_bytes(content)
        with pytest.warns(UserWarning, match="damaged") as said:
            assert not IndexFolder(tmp_path, 4).entries
        assert len(said) == 1 and not path.exists()


def test_damaged_vectors_of_images_are_made_again_and_said(tmp_path: Path) -> None:
    path = tmp_path / "0.npy"
    assert read_vectors(path, (2, 4)) is None
    for content in (b"", b"\x93NUMPY\x01\x00\x10\x00((((((((((((((((", b"\x93NUMPY"):
        path.write_bytes(content)
        with pytest.warns(RuntimeWarning, match="built anew"):
            assert read_vectors(path, (2, 4)) is None
    np.save(path, np.ones((2, 4), np.float32))
    found = read_vectors(path, (2, 4))
    assert found is not None and found.shape == (2, 4)


def test_other_tensors_than_those_expected_are_named(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", {"a": torch.ones(2)})
    with pytest.raises(TensorError, match="expected b"):
        read_tensors(tmp_path / "a.safetensors", ("b",))


def test_an_index_that_is_a_link_to_nowhere_is_rebuilt(tmp_path: Path) -> None:
    (tmp_path / "0.safetensors").symlink_to(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="damaged"):
        index = IndexFolder(tmp_path, 4)
    index.add(Block((Entry("a", "1", 1),), torch.ones(1, 4), torch.ones(1, 2)))
    assert list(IndexFolder(tmp_path, 4).entries) == ["a"]


def test_an_index_that_cannot_be_kept_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match="MOTIONCLIP_CACHE"):
        IndexFolder(tmp_path / "file" / "index", 4)
