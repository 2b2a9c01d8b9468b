"""The configuration: presets, what cannot be, and a flag for every field."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from small import CONFIG, changed

from motionclip.cli.main import main
from motionclip.errors import ModelError
from motionclip.training.config import PHASES, PRESETS, TrainConfig, preset


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load(name: str) -> None:
    assert json.dumps(dataclasses.asdict(preset(name)))


def test_unknown_presets_are_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="base"):
        preset("huge")
    assert main(["train", "--preset", "huge"]) == 2
    assert "base" in capsys.readouterr().err


def fields(config: object, prefix: str = "") -> Iterator[str]:
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from fields(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def test_every_field_has_a_flag_with_the_value_of_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--preset", "paper", "--help"])
    text = capsys.readouterr().out
    flags = [f"--{field.replace('_', '-')}" for field in fields(TrainConfig())]
    assert len(flags) > 80
    assert not [flag for flag in flags if flag not in text]
    assert "clip:ViT-B-32" in text


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("prior", "steps", -5),
        ("autoencoder", "batch_size", 0),
        ("autoencoder", "epochs", 3),  # beside its steps
        ("windows", "seconds", (9.0,)),
        ("windows", "seconds", ()),
        ("losses", "path", -1.0),
        ("losses", "image_cosine", 1.0),  # of a model without an image head
        ("contrast", "temperature", 0.0),
    ],
)
def test_values_that_cannot_be_are_errors(part: str, name: str, value: Any) -> None:
    with pytest.raises(ModelError, match=name):
        changed(CONFIG, **{part: {name: value}})


@pytest.mark.parametrize("name", PRESETS)
def test_a_shortened_run_is_short_in_every_phase(name: str) -> None:
    short = preset(name).shortened(2)
    assert all(getattr(short, phase).steps <= 2 for phase in PHASES)
    assert short.autoencoder.steps == 2 and short.autoencoder.epochs == 0
    assert short.encoded_windows <= 2 * max(short.head.batch_size, short.prior.batch_size)
    assert preset("base").shortened(10**6) == preset("base")
