"""Known words: they cover what was learned, survive a file, and tell unrelated texts apart."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from motionclip.applications.familiarity import familiarity
from motionclip.encoders import load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.known_words import FILE, KnownWords, load_known_words
from motionclip.model.pipeline import MotionCLIP

LEARNED = ["a person walks forward", "walking ahead", "kick with the right leg", "wave hello", "a man sits down"]
UNRELATED = ["the price of gold", "asdfghjkl", "central bank", "import numpy as np", "lemon cake"]


@pytest.fixture(scope="module")
def known() -> KnownWords:
    encoder = load_text_encoder("minilm")
    return KnownWords.of(LEARNED, encoder.encode_texts(LEARNED), encoder.encode_texts(UNRELATED))


def test_they_survive_a_file(known: KnownWords, tmp_path: Path) -> None:
    known.save(tmp_path)
    back = load_known_words(tmp_path)
    assert back is not None
    assert (back.texts, back.threshold) == (known.texts, known.threshold)
    torch.testing.assert_close(back.embeddings, known.embeddings, atol=0.01, rtol=0)
    assert load_known_words(tmp_path / "elsewhere") is None


def test_near_duplicates_are_kept_once() -> None:
    rows = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0]]), dim=-1)
    found = KnownWords.of(["a", "b", "c"], rows, torch.tensor([[-1.0, 0.0]]))
    assert found.texts == ("a", "c")


def test_words_near_to_known_ones_are_known_and_others_are_not(known: KnownWords, tiny_model: MotionCLIP) -> None:
    model = MotionCLIP(tiny_model.network, load_text_encoder("minilm"), known)
    near, far = familiarity(model, ["someone is walking forward", "quarterly report on interest rates"])
    assert near.is_known
    assert near.nearest[0] in ("a person walks forward", "walking ahead")
    assert not far.is_known
    assert "far from what this model knows" in str(far)


def test_a_model_without_known_words_tells_nothing(tiny_model: MotionCLIP) -> None:
    assert familiarity(MotionCLIP(tiny_model.network, tiny_model.text_encoder), ["walk"]) == []


@pytest.mark.parametrize("damage", ["shape", "garbage"])
def test_a_damaged_file_is_named(known: KnownWords, tmp_path: Path, damage: str) -> None:
    known.save(tmp_path)
    if damage == "garbage":
        (tmp_path / FILE).write_bytes(b"no tensors here")
    else:
        save_file(
            {"embeddings": torch.zeros(2, 3, dtype=torch.int8)}, tmp_path / FILE, {"texts": "[]", "threshold": "0"}
        )
    with pytest.raises(ModelError, match=FILE):
        load_known_words(tmp_path)
