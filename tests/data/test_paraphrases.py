from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from motionclip.data.paraphrases import apart_from, read_paraphrases
from motionclip.errors import DataError


def write(path: Path, *captions: object) -> Path:
    text = "".join(json.dumps({"captions": said}) + "\n" for said in captions)
    path.write_bytes(lzma.compress(text.encode()) if path.suffix == ".xz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["said.jsonl", "said.jsonl.xz"])
def test_sentences_of_a_line_are_a_group(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / name, ["a man walks", " somebody strolls "], ["a jump", "a jump"], ["a run", "a jog", "a run"]
    )
    assert read_paraphrases(path) == [("a man walks", "somebody strolls"), ("a run", "a jog")]


def test_sentences_of_other_spans_are_other_groups(tmp_path: Path) -> None:
    said = [["walks", 0.0, 0.0], ["turns", 2.0, 4.0], ["strolls", 0.0, 0.0], ["spins", 2.0, 4.0], ["ends", 4.0, 5.0]]
    assert read_paraphrases(write(tmp_path / "said.jsonl", said)) == [("walks", "strolls"), ("turns", "spins")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"captions": ["walk", "go"]}\n{"texts": []}\n', "line 2"),
        (b"walk,go\n", "line 1"),
        (b'{"captions": [3]}\n', "line 1"),
        (b"\xff\xfe\x00", "damaged"),
        (b'{"captions": ["walk"]}\n', "no two sentences"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "said.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem):
        read_paraphrases(path)


def test_humanml3ds_folder_is_read_without_its_mirror_images(tmp_path: Path) -> None:
    (tmp_path / "000001.txt").write_text("a man walks#a/DET#0.0#0.0\nhe strolls#he/PRON#0.0#0.0\nhe sits#he#2.0#nan\n")
    (tmp_path / "M000001.txt").write_text("a man walks#a/DET#0.0#0.0\nhe ambles#he/PRON#0.0#0.0\n")
    assert read_paraphrases(tmp_path) == [("a man walks", "he strolls")]
    (tmp_path / "000002.txt").write_text("a man walks\n")
    with pytest.raises(DataError, match=r"000002\.txt"):
        read_paraphrases(tmp_path)


def test_a_cut_archive_and_a_missing_file_are_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "said.jsonl.xz", ["a man walks", "somebody strolls"])
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged"):
        read_paraphrases(whole)
    with pytest.raises(DataError, match="missing"):
        read_paraphrases(tmp_path / "none.jsonl")


def test_groups_that_share_a_sentence_are_left_out_whole() -> None:
    groups = [("a man walks", "somebody strolls"), ("a run", "a jog"), ("He jumps.", "a hop")]
    assert apart_from(groups, ["A run.", "he jumps"]) == [("a man walks", "somebody strolls")]
