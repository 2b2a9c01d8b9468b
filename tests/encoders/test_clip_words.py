"""CLIP's tokens: the published numbers, cleaned text, clear answers to damaged vocabularies."""

from __future__ import annotations

import gzip
from importlib import metadata
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import CLIPTokenizer

from motionclip.encoders.clip import merges_tokenizer, package_vocabulary
from motionclip.encoders.clip.words import clean, load_tokenizer
from motionclip.errors import ModelError


@pytest.fixture(scope="module")
def published() -> Tokenizer:
    return merges_tokenizer(package_vocabulary())


@pytest.fixture
def tiny(clip_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(clip_folder / "tokenizer.json"))


def test_published_numbers(published: Tokenizer) -> None:
    ids = published.encode(clean("a person walks forward, then turns left!")).ids
    assert ids == [49406, 320, 2533, 8192, 2342, 267, 1594, 3185, 1823, 256, 49407]
    assert published.get_vocab_size() == 49408


TEXTS = [
    "A Person  Walks\tFORWARD,\nthen turns left!",
    "the man's arms don't move; they've stopped, I'm sure he'll go",
    "turns 180 degrees, 3.5 metres...",
    "déjà-vu: naïve façade, Ünïcödé",
    "走る person 🚶 walks ½ way",
    "hello_world (jump) [run] #1 @ 100%",
]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_are_those_of_transformers(published: Tokenizer, text: str) -> None:
    merges = gzip.decompress(package_vocabulary().read_bytes()).decode().splitlines()[1 : 49152 - 256 - 2 + 1]
    theirs = CLIPTokenizer(vocab=published.get_vocab(), merges=[tuple(line.split()) for line in merges])
    assert published.encode(text).ids == theirs(text)["input_ids"]


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("he &amp;amp; she walk", "he & she walk"),
        ("<b>he &amp;amp; she</b>", "<b>he & she</b>"),
        ("the person\u2019s arm", "the person's arm"),
        ("the personâ€™s arm", "the person's arm"),
        ("\u201cjump\u201d", '"jump"'),
        ("  walk ", "walk"),
    ],
)
def test_text_is_mended_before_it_is_cut(dirty: str, plain: str) -> None:
    assert clean(dirty) == plain


def test_case_and_blanks_do_not_matter(published: Tokenizer) -> None:
    assert published.encode("A  Person\n WALKS").ids == published.encode("a person walks").ids


def test_merges_join_letters_in_their_order(tiny: Tokenizer) -> None:
    start, end = tiny.token_to_id("<|startoftext|>"), tiny.token_to_id("<|endoftext|>")
    walk, walks = tiny.token_to_id("walk</w>"), tiny.token_to_id("walks</w>")
    assert tiny.encode("walk Walks").ids == [start, walk, walks, end]
    assert (start, end) == (tiny.get_vocab_size() - 2, tiny.get_vocab_size() - 1)
    assert len(tiny.encode("waltz").ids) == 2 + 3  # "wal" is a token of the vocabulary, "t" and "z" are bytes


def test_bytes_have_clips_numbers(published: Tokenizer) -> None:
    letters = [published.token_to_id(letter) for letter in ("!", "~", "¡", "ÿ", "Ā", "!</w>")]
    assert letters == [0, 93, 94, 187, 188, 256]


def test_damaged_merges_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(package_vocabulary().read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be read"):
        merges_tokenizer(path)
    path = tmp_path / "merges.txt"
    path.write_text("first line\nw a\nwalk\n")
    with pytest.raises(ModelError, match=r"a line 'walk'; expected two tokens"):
        merges_tokenizer(path)
    path.write_text("first line\nwa l\n")
    with pytest.raises(ModelError, match=r"is damaged \(.*expected CLIP's merges"):
        merges_tokenizer(path)


def test_damaged_and_foreign_tokenizers_are_refused(tmp_path: Path, tiny: Tokenizer) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ModelError, match="is damaged"):
        load_tokenizer(path, 49408)
    tiny.save(str(path))
    with pytest.raises(ModelError, match=r"expected CLIP's tokenizer with 49408"):
        load_tokenizer(path, 49408)
    with pytest.raises(ModelError, match=r"expected CLIP's tokenizer with 300"):
        load_tokenizer(path, 300)
    tiny.post_processor = None
    tiny.save(str(path))
    with pytest.raises(ModelError, match=r"between <\|startoftext\|> and <\|endoftext\|>"):
        load_tokenizer(path, tiny.get_vocab_size())


def test_limits_that_a_tokenizer_file_sets_are_lifted(tmp_path: Path, tiny: Tokenizer) -> None:
    path = tmp_path / "tokenizer.json"
    tiny.enable_truncation(77)
    tiny.enable_padding(length=77)
    tiny.save(str(path))
    tokenizer = load_tokenizer(path, tiny.get_vocab_size())
    assert [len(tokenizer.encode("o " * count).ids) for count in (1, 90)] == [3, 92]


def test_a_missing_tokenizer_is_taken_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_tokenizer(tmp_path / "tokenizer.json", 49408).get_vocab_size() == 49408
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing; put"):
        load_tokenizer(tmp_path / "tokenizer.json", 1000)

    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing.* pip install --no-deps open-clip-torch"):
        load_tokenizer(tmp_path / "tokenizer.json", 49408)
