"""What a user may write for a source, and what a bare folder is taken for."""

import pytest

from motionclip.data.sources import detect, open_source
from motionclip.errors import DataError


def test_folders_are_recognised(tmp_path):
    assert detect(tmp_path) == "folder"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dataset-2_walk_normal_001.bvh").touch()
    assert detect(tmp_path) == "bandai_namco"
    assert open_source(str(tmp_path)).spec == f"bandai_namco:{tmp_path}"
    (tmp_path / "captions.jsonl").touch()
    assert detect(tmp_path) == "cmu"


def test_synthetic_takes_a_count():
    assert len(open_source("synthetic").items) == 600
    assert [item.key for item in open_source("synthetic:2").items] == ["synthetic_0_00000", "synthetic_0_00001"]


@pytest.mark.parametrize("spec", ["synthetic:", "synthetic:0", "synthetic:-3", "synthetic:many"])
def test_a_bad_count_is_refused(spec):
    with pytest.raises(DataError, match="number of clips"):
        open_source(spec)


@pytest.mark.parametrize("spec", ["cmu:nowhere", "nowhere", "amass:nowhere", "folder:"])
def test_what_is_no_folder_is_refused(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="cmu:DIR, bandai_namco:DIR"):
        open_source(spec)


@pytest.mark.parametrize("kind", ["cmu", "bandai_namco", "folder"])
def test_a_folder_that_is_not_what_was_named_is_refused(kind, tmp_path):
    with pytest.raises(DataError, match="expected"):
        open_source(f"{kind}:{tmp_path}")
