"""Inference in bfloat16: the same motions within millimetres, in half the weights, and nothing of it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.errors import ModelError
from motionclip.model.bfloat16 import InBfloat16, has_bfloat16
from motionclip.model.pipeline import MotionCLIP

SENTENCES = ("a person walks forward", "a person waves with the left hand", "a person sits down")


@pytest.fixture(scope="module")
def rounded() -> MotionCLIP:
    if has_bfloat16("cpu"):
        return motionclip.load(bf16=True)
    with pytest.warns(UserWarning, match="no bfloat16 instructions"):
        return motionclip.load(bf16=True)


def test_motions_are_the_same_within_millimetres(base_model: MotionCLIP, rounded: MotionCLIP) -> None:
    exact, near = (motionclip.text_to_motion(model, SENTENCES, seconds=2, takes=1) for model in (base_model, rounded))
    for one, other in zip(exact, near, strict=True):
        apart = (one.positions - other.positions).norm(dim=-1).mean()
        assert 0 < apart < 0.02


def test_transformers_and_prior_are_turned_and_what_has_to_be_exact_is_not(rounded: MotionCLIP) -> None:
    turned = {name: module for name, module in rounded.network.named_modules() if isinstance(module, InBfloat16)}
    assert {name.split(".")[0] for name in turned} == {"autoencoder", "prior"}
    assert not any(part in name for name in turned for part in ("linear.restore", "text_head"))
    assert {module.linear.weight.dtype for module in turned.values()} == {torch.bfloat16}


def test_rounded_weights_are_not_saved(rounded: MotionCLIP, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="rounded to bfloat16"):
        rounded.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_its_latents_are_kept_apart_from_exact_ones(base_model: MotionCLIP, rounded: MotionCLIP) -> None:
    assert rounded.fingerprint != base_model.fingerprint
