"""A damaged store is refused with what is wrong with it."""

import json
import shutil

import numpy as np
import pytest

from motionclip.data.prepare import prepare
from motionclip.data.store import MANIFEST, ROOT, SIXD, Store
from motionclip.data.synthetic import synthetic_source
from motionclip.errors import DataError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "store"
    prepare(synthetic_source(3), folder, workers=1)
    return folder


@pytest.fixture
def store(made, tmp_path):
    return shutil.copytree(made, tmp_path / "store")


def edit(store, change):
    manifest = json.loads((store / MANIFEST).read_text())
    change(manifest)
    (store / MANIFEST).write_text(json.dumps(manifest))


def test_arrays_are_mapped_read_only(store):
    opened = Store.open(store)
    assert isinstance(opened.sixd, np.memmap)
    assert not opened.root.flags.writeable
    assert opened.sixd.shape == (len(opened.root), 24, 6)
    assert opened.sixd.dtype == opened.root.dtype == np.float32
    assert len(opened) == 3


def test_changing_a_motion_leaves_the_store_alone(store):
    opened = Store.open(store)
    opened.motion(1).root.add_(1)
    assert (Store.open(store).motion(1).root == opened.motion(1).root).all()


def test_splits_are_indices(store):
    opened = Store.open(store)
    assert opened.split("train") == (0, 1, 2)
    assert opened.split("test") == ()
    with pytest.raises(DataError, match="'dev'"):
        opened.split("dev")


def test_a_folder_without_manifest_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="motionclip prepare"):
        Store.open(tmp_path)


@pytest.mark.parametrize("name", [SIXD, ROOT])
def test_a_truncated_array_is_refused(store, name):
    whole = (store / name).read_bytes()
    (store / name).write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"has {len(whole) - 1} bytes; expected {len(whole)}"):
        Store.open(store)


@pytest.mark.parametrize("name", [SIXD, ROOT])
def test_a_missing_array_is_refused(store, name):
    (store / name).unlink()
    with pytest.raises(DataError, match="is missing"):
        Store.open(store)


def test_a_changed_byte_is_found_on_request(store):
    content = bytearray((store / SIXD).read_bytes())
    content[-1] ^= 1
    (store / SIXD).write_bytes(content)
    Store.open(store)
    with pytest.raises(DataError, match="SHA-256"):
        Store.open(store, verify=True)


def test_a_truncated_manifest_is_refused(store):
    (store / MANIFEST).write_text((store / MANIFEST).read_text()[:-40])
    with pytest.raises(DataError, match="damaged"):
        Store.open(store)


def drop_an_entry(manifest):
    del manifest["entries"][1]


def drop_the_last(manifest):
    del manifest["entries"][-1]


def forget_texts(manifest):
    manifest["texts"] = []


def forget_a_field(manifest):
    del manifest["entries"][0]["split"]


def other_shape(manifest):
    manifest["arrays"][ROOT]["shape"][0] += 1


def other_version(manifest):
    manifest["version"] = 99


def other_skeleton(manifest):
    manifest["skeleton"]["head"][1] += 0.01


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (drop_an_entry, "does not follow"),
        (drop_the_last, "frames and the arrays"),
        (forget_texts, "damaged"),
        (forget_a_field, "damaged"),
        (other_shape, "expected float32"),
        (other_version, "version 99"),
        (other_skeleton, "another skeleton"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(store, change, problem):
    edit(store, change)
    with pytest.raises(DataError, match=problem):
        Store.open(store)
