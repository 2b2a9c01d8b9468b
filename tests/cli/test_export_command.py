"""`motionclip export`: what it says where nothing can be exported; the graphs are tested with the application."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from motionclip.cli.main import main


def test_a_missing_package_is_said_before_the_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("motionclip.export.onnx.find_spec", lambda name: None)
    assert main(["export", "onnx", str(tmp_path / "x"), "--model", "none"]) == 2
    assert "pip install 'motionclip[onnx]'" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="the extra `onnx` is not installed")
def test_a_missing_model_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "onnx", str(tmp_path / "x"), "--model", "none"]) == 2
    error = capsys.readouterr().err
    assert "no model at none" in error and error.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_another_kind_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["export", "tflite", "x"])
