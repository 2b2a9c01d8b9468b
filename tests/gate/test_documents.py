"""JSON: values of stated types and ranges, or an error with the place."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from motionclip.errors import FormatError, ModelError
from motionclip.formats.joint_map import read_joint_map
from motionclip.gate.documents import DocumentError, Number, parse, parse_object
from motionclip.model.checkpoint import load_network
from motionclip.model.config import ModelConfig


@dataclasses.dataclass
class Example:
    a: Number
    b: Any = None


DEEP = "[" * 20_000 + "]" * 20_000  # Python 3.13 goes down to nearly 10,000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "truncated"),
        ('{"a": 1, "b": ' + DEEP + "}", "nested"),
        ('{"a": NaN}', "malformed"),
        ('{"a": 1e999}', "out of range"),
        ('{"a": 1e200}', "`.a`"),
        ('{"a": "1"}', "`.a`"),
        ('{"a": true}', "`.a`"),
        ('{"\\ud800": 1}', ""),
        (b"\xff\xfe", "malformed"),
    ],
)
def test_what_does_not_fit_is_named(text: str | bytes, says: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(text, Example)
    assert says in str(refused.value)


def test_a_byte_order_mark_is_no_damage() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoder_layers", 10**9),
        ("prior_layers", 10**9),
        ("width", "256"),
        ("width", 2**70),
        ("heads", 0),
        ("fps", None),
        ("fps", 0.0),
        ("max_frames", -4),
        ("text_encoder", 3),
        ("dropout", 2),
        ("image_head", "yes"),
        ("layout", ["positions"]),
    ],
)
def test_every_value_of_a_config_is_checked(tmp_path: Path, name: str, value: object) -> None:
    values = dataclasses.asdict(ModelConfig()) | {name: value}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ModelError):
        load_network(tmp_path)


def test_a_config_that_is_nested_or_no_object_is_damaged(tmp_path: Path) -> None:
    for text in (DEEP, "[]", "3", '{"width": ' + DEEP + "}", "{"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ModelError, match="damaged"):
            load_network(tmp_path)


def test_a_nested_joint_map_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"pelvis": ' + DEEP + "}")
    with pytest.raises(FormatError):
        read_joint_map(tmp_path / "map.json")
