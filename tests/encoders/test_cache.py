"""Each distinct text is encoded once, ever; a damaged or unusable cache costs time, never a wrong vector."""

from __future__ import annotations

import random
import sqlite3
import sys
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from motionclip.encoders import CachedEncoder, cache_folder, checked_texts
from motionclip.errors import TextError


class CountingEncoder:
    """A text encoder whose vectors come from a checksum of the text, and which remembers what it encoded."""

    name, dim = "counting", 8

    def __init__(self, fingerprint: str = "one"):
        self.fingerprint = fingerprint
        self.encoded: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        texts = checked_texts(texts)
        self.encoded.extend(texts)
        return torch.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(text.encode()))
    return torch.nn.functional.normalize(torch.randn(CountingEncoder.dim, generator=generator), dim=0)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_each_text_is_encoded_once_over_calls_and_over_instances(tmp_path: Path) -> None:
    inner = CountingEncoder()
    text_encoder = CachedEncoder(inner, tmp_path)
    vectors = text_encoder.encode_texts(["walk", "run", " walk ", "walk"])
    assert torch.equal(vectors, torch.stack([vector_of(text) for text in ("walk", "run", "walk", "walk")]))
    assert inner.encoded == ["walk", "run"]
    later = CountingEncoder()
    assert torch.equal(CachedEncoder(later, tmp_path).encode_texts(["run", "jump"])[0], vector_of("run"))
    assert later.encoded == ["jump"]


def test_it_has_the_name_of_the_encoder_behind_it(tmp_path: Path) -> None:
    text_encoder = CachedEncoder(CountingEncoder(), tmp_path)
    assert (text_encoder.name, text_encoder.dim, text_encoder.fingerprint) == ("counting", 8, "one")
    assert text_encoder.encode_texts([]).shape == (0, 8)


def test_other_weights_do_not_share_vectors(tmp_path: Path) -> None:
    CachedEncoder(CountingEncoder("one"), tmp_path).encode_texts(["walk"])
    other = CountingEncoder("two")
    CachedEncoder(other, tmp_path).encode_texts(["walk"])
    assert other.encoded == ["walk"]


def test_case_and_inner_blanks_make_another_text(tmp_path: Path) -> None:
    inner = CountingEncoder()
    CachedEncoder(inner, tmp_path).encode_texts(["walk on", "Walk on", "walk  on"])
    assert len(inner.encoded) == 3


def test_bad_words_are_refused_even_where_all_is_cached(tmp_path: Path) -> None:
    text_encoder = CachedEncoder(CountingEncoder(), tmp_path)
    text_encoder.encode_texts(["walk"])
    for texts in ("walk", ["walk", " "], [None]):
        with pytest.raises(TextError):
            text_encoder.encode_texts(texts)


def test_changing_a_result_does_not_change_the_cache(tmp_path: Path) -> None:
    text_encoder = CachedEncoder(CountingEncoder(), tmp_path)
    text_encoder.encode_texts(["walk"]).zero_()
    text_encoder.encode_texts(["walk"]).zero_()
    assert torch.equal(text_encoder.encode_texts(["walk"])[0], vector_of("walk"))


def test_a_file_that_is_no_cache_is_built_anew_with_a_warning(tmp_path: Path) -> None:
    CachedEncoder(CountingEncoder(), tmp_path).encode_texts(["walk"])
    only_file(tmp_path).write_bytes(b"torn" * 1000)
    inner = CountingEncoder()
    text_encoder = CachedEncoder(inner, tmp_path)
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert torch.equal(text_encoder.encode_texts(["walk"])[0], vector_of("walk"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text_encoder.encode_texts(["walk"])
    assert inner.encoded == ["walk"]


def test_a_changed_vector_is_noticed_and_encoded_again(tmp_path: Path) -> None:
    CachedEncoder(CountingEncoder(), tmp_path).encode_texts(["walk", "run"])
    with sqlite3.connect(only_file(tmp_path)) as database:
        database.execute("UPDATE vectors SET vector = zeroblob(32) WHERE text = 'walk'")
    database.close()
    inner = CountingEncoder()
    with pytest.warns(RuntimeWarning, match="'walk' is damaged"):
        assert torch.equal(CachedEncoder(inner, tmp_path).encode_texts(["walk", "run"])[0], vector_of("walk"))
    assert inner.encoded == ["walk"]


@pytest.mark.filterwarnings("ignore:the cache of text vectors")
def test_no_flipped_bytes_and_no_cut_give_a_wrong_vector(tmp_path: Path) -> None:
    texts = [f"sentence {number}" for number in range(60)]
    expected = torch.stack([vector_of(text) for text in texts])
    CachedEncoder(CountingEncoder(), tmp_path).encode_texts(texts)
    file = only_file(tmp_path)
    sound, chance = file.read_bytes(), random.Random(0)
    for trial in range(24):
        damaged = bytearray(sound[: chance.randrange(len(sound))] if trial % 3 == 0 else sound)
        for _ in range(20):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)
        assert torch.equal(CachedEncoder(CountingEncoder(), tmp_path).encode_texts(texts), expected)


def test_a_folder_that_cannot_be_used_costs_a_warning_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    text_encoder = CachedEncoder(CountingEncoder(), tmp_path / "file" / "text encoders")
    with pytest.warns(RuntimeWarning, match="MOTIONCLIP_CACHE"):
        assert torch.equal(text_encoder.encode_texts(["walk"])[0], vector_of("walk"))


def test_several_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def fill(writer: int) -> None:
        text_encoder = CachedEncoder(CountingEncoder(), tmp_path)
        for number in range(8):
            text_encoder.encode_texts([f"{writer} {number}", f"shared {number}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    inner = CountingEncoder()
    texts = [f"{writer} {number}" for writer in (0, 1, 2, 3, "shared") for number in range(8)]
    assert torch.equal(CachedEncoder(inner, tmp_path).encode_texts(texts), torch.stack([vector_of(t) for t in texts]))
    assert inner.encoded == []


def test_what_is_encoded_before_a_failure_is_kept(tmp_path: Path) -> None:
    class Failing(CountingEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Tensor:
            if self.encoded:
                raise TextError("too long")
            return super().encode_texts(texts)

    with pytest.raises(TextError):
        CachedEncoder(Failing(), tmp_path).encode_texts([f"text {number}" for number in range(1025)])
    inner = CountingEncoder()
    CachedEncoder(inner, tmp_path).encode_texts(["text 0", "text 1023"])
    assert inner.encoded == []


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOTIONCLIP_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("MOTIONCLIP_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "motionclip"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "motionclip"
