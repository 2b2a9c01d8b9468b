"""Training learns, resumes exactly, and refuses to mix runs."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from motionclip.data import open_source, prepare
from motionclip.data.store import Store
from motionclip.encoders import load_text_encoder
from motionclip.errors import DataError, ModelError
from motionclip.model.checkpoint import load_network
from motionclip.training.config import PRESETS, TrainConfig, preset
from motionclip.training.trainer import train

CONFIG = dataclasses.replace(
    PRESETS["tiny"],
    steps=12,
    pool=16,
    paraphrase_steps=4,
    head_steps=4,
    prior_steps=6,
    validate_every=6,
    save_every=4,
    warmup=2,
)


FRAMES = ("a person {}s", "someone {}s slowly", "the man in the picture {}s", "he {}s, then stops")


class Stopped(Exception):
    """The kill in the middle of a run."""


def stop_at(phase: str, step: int):
    def on_step(now: str, done: int, total: int, loss: float) -> None:
        if (now, done) == (phase, step):
            raise Stopped

    return on_step


def same_action_nearest(sentences: torch.Tensor) -> float:
    """Share of the three sentences nearest to each that are about its action, of four about each action in turn."""
    unit = torch.nn.functional.normalize(sentences, dim=-1)
    action = torch.arange(len(unit)) // len(FRAMES)
    nearest = (unit @ unit.T).fill_diagonal_(-1).topk(3, dim=1).indices
    return (action[nearest] == action[:, None]).float().mean().item()


def figures(run: Path) -> list[str]:
    return sorted((run / "metrics.jsonl").read_text().splitlines())


@pytest.fixture(scope="module")
def paraphrases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of nine actions, each said in four ways."""
    path = tmp_path_factory.mktemp("said") / "said.jsonl"
    actions = ("walk", "run", "jump", "kick", "crawl", "sneak", "dance", "climb", "spin")
    path.write_text("".join(json.dumps({"captions": [frame.format(a) for frame in FRAMES]}) + "\n" for a in actions))
    return path


@pytest.fixture(scope="module")
def whole_run(synthetic_store: Path, paraphrases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("run") / "whole"
    train(CONFIG, [Store.open(synthetic_store)], out, load_text_encoder("minilm"), paraphrases=paraphrases)
    yield out


@pytest.mark.parametrize(("phase", "step"), [("paraphrases", 3), ("autoencoder", 7), ("head", 2), ("prior", 5)])
def test_a_killed_run_resumes_to_the_same_weights(
    whole_run: Path, synthetic_store: Path, paraphrases: Path, tmp_path: Path, phase: str, step: int
) -> None:
    stores, text_encoder = [Store.open(synthetic_store)], load_text_encoder("minilm")
    with pytest.raises(Stopped):
        train(CONFIG, stores, tmp_path, text_encoder, paraphrases=paraphrases, on_step=stop_at(phase, step))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"phase": "prior", "st')  # a kill in the middle of a line
    train(CONFIG, stores, tmp_path, text_encoder, paraphrases=paraphrases, resume=True)
    expected, found = load_network(whole_run / "model"), load_network(tmp_path / "model")
    for name, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    assert figures(tmp_path) == figures(whole_run)


def test_a_run_records_what_it_was(whole_run: Path) -> None:
    (start,) = json.loads((whole_run / "environment.json").read_text())
    assert start["packages"]["torch"] == version("torch")
    recorded = json.loads((whole_run / "config.json").read_text())
    assert recorded.keys() == TrainConfig().to_dict().keys() | {"data", "paraphrases", "processes"}
    assert list((whole_run / "pictures").glob("reconstruction_*.png"))
    assert not list(whole_run.rglob("*.tmp"))


def test_longer_training_reconstructs_better(synthetic_store: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, steps=120, prior_steps=1, validate_every=20, save_every=120, lr=3e-3)
    train(config, [Store.open(synthetic_store)], tmp_path, load_text_encoder("minilm"))
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    errors = [row["mpjpe_mm"] for row in rows if row["phase"] == "validation"]
    assert errors[-1] < 0.95 * errors[0]


def test_what_paraphrases_teach_is_kept_by_the_other_phases(
    synthetic_store: Path, paraphrases: Path, tmp_path: Path
) -> None:
    stores, text_encoder = [Store.open(synthetic_store)], load_text_encoder("minilm")
    alone = dataclasses.replace(CONFIG, steps=0, head_steps=0, prior_steps=0, paraphrase_steps=40, head_batch=64)
    then_motions = dataclasses.replace(alone, steps=4, head_steps=2)
    heads = [
        load_network(
            train(config, stores, tmp_path / name, text_encoder, paraphrases=paraphrases)
        ).autoencoder.text_head
        for name, config in (("alone", alone), ("then_motions", then_motions))
    ]
    learnt, held = (head.state_dict() for head in heads)
    assert torch.equal(learnt["paraphrase.weight"], held["paraphrase.weight"])
    assert not torch.equal(learnt["linear.weight"], held["linear.weight"])
    unseen = text_encoder.encode_texts(
        [frame.format(a) for a in ("hop", "sit", "throw", "bow", "swim") for frame in FRAMES]
    )
    with torch.no_grad():
        assert same_action_nearest(heads[0].paraphrase(unseen)) > same_action_nearest(unseen) + 0.05


def test_paraphrases_that_cannot_be_learned_from_are_refused(
    synthetic_store: Path, paraphrases: Path, tmp_path: Path
) -> None:
    stores, text_encoder = [Store.open(synthetic_store)], load_text_encoder("minilm")
    with pytest.raises(ModelError, match="no steps on paraphrases"):
        train(
            dataclasses.replace(CONFIG, paraphrase_steps=0),
            stores,
            tmp_path / "a",
            text_encoder,
            paraphrases=paraphrases,
        )
    held_out = next(c.text for e in stores[0].entries if e.split == "val" for c in e.captions)
    only = tmp_path / "said.jsonl"
    only.write_text(json.dumps({"captions": [held_out.upper(), "somebody does that"]}))
    with pytest.raises(DataError, match="describe clips of val or test"):
        train(CONFIG, stores, tmp_path / "b", text_encoder, paraphrases=only)
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_the_head_learns_on_and_nothing_else_moves(synthetic_store: Path, tmp_path: Path) -> None:
    stores, text_encoder = [Store.open(synthetic_store)], load_text_encoder("minilm")
    without = dataclasses.replace(CONFIG, head_steps=0, prior_steps=0)
    learnt = dataclasses.replace(without, head_steps=100, head_batch=64, pool=128)
    before, after = (
        load_network(train(config, stores, tmp_path / name, text_encoder)).state_dict()
        for name, config in (("without", without), ("learnt", learnt))
    )
    moved = {name for name, value in before.items() if not torch.equal(after[name], value)}
    assert moved == {name for name in before if ".text_head.linear." in name}
    rows = [json.loads(line) for line in (tmp_path / "learnt" / "metrics.jsonl").read_text().splitlines()]
    first, last = (row["loss"] for row in rows if row["phase"] == "head")
    assert last < 0.98 * first


def test_runs_are_not_mixed(whole_run: Path, synthetic_store: Path) -> None:
    stores, text_encoder = [Store.open(synthetic_store)], load_text_encoder("minilm")
    with pytest.raises(ModelError, match="--resume"):
        train(CONFIG, stores, whole_run, text_encoder)
    with pytest.raises(ModelError, match="differs"):
        train(dataclasses.replace(CONFIG, lr=1.0), stores, whole_run, text_encoder, resume=True)


def test_data_that_cannot_be_trained_on_leaves_no_run(synthetic_store: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, min_seconds=1000.0)
    with pytest.raises(DataError, match="no train segment"):
        train(config, [Store.open(synthetic_store)], tmp_path / "run", load_text_encoder("minilm"))
    assert not (tmp_path / "run").exists()


def test_stores_without_validation_clips_can_be_trained_on(tmp_path: Path) -> None:
    prepare(open_source("synthetic:12"), tmp_path / "store", workers=1)
    config = dataclasses.replace(CONFIG, steps=6, prior_steps=1)
    model = train(config, [Store.open(tmp_path / "store")], tmp_path / "run", load_text_encoder("minilm"))
    assert load_network(model).config == config.model


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named(synthetic_store: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--device cpu"):
        train(CONFIG, [Store.open(synthetic_store)], tmp_path, load_text_encoder("minilm"), device="cuda")


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a compiler")
def test_steps_are_compiled_on_request(synthetic_store: Path, tmp_path: Path) -> None:
    """To compile takes a minute, so here torch is told to refuse what is not compiled already."""
    config, stores = dataclasses.replace(CONFIG, compile=True), [Store.open(synthetic_store)]
    with torch.compiler.set_stance("fail_on_recompile"), pytest.raises(RuntimeError, match="compile"):
        train(config, stores, tmp_path, load_text_encoder("minilm"))


def test_a_missing_compiler_is_named(synthetic_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ModelError, match="no-such-compiler"):
        train(
            dataclasses.replace(CONFIG, compile=True),
            [Store.open(synthetic_store)],
            tmp_path,
            load_text_encoder("minilm"),
        )


@pytest.mark.parametrize(
    ("name", "value"), [("steps", -5), ("batch_size", 0), ("window_seconds", (9.0,)), ("window_seconds", ())]
)
def test_settings_that_cannot_be_are_refused(name: str, value: object) -> None:
    with pytest.raises(ModelError, match=name):
        dataclasses.replace(CONFIG, **{name: value})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load(name: str) -> None:
    assert json.dumps(preset(name).to_dict())


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(ModelError, match="base"):
        preset("huge")
