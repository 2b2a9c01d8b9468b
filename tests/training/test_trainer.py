"""Training learns, resumes exactly, and does not mix runs."""

import dataclasses
import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from small import CONFIG, DigestEncoder, changed, rows

from motionclip.cli.main import main
from motionclip.data.store import Store
from motionclip.encoders import load_text_encoder
from motionclip.errors import DataError, ModelError
from motionclip.model.checkpoint import load_network
from motionclip.model.known_words import load_known_words
from motionclip.model.matcher import load_matcher
from motionclip.training.config import PHASES, PRESETS, TrainConfig
from motionclip.training.trainer import train
from smpl_files import save_npz, smpl_arrays

FRAMES = ("a person {}s", "someone {}s slowly", "the man in the picture {}s", "he {}s, then stops")


class Stopped(Exception):
    """The kill in the middle of a run."""


def with_val(folder: Path) -> Store:
    """A store whose first clips are for validation."""
    store = Store.open(folder)
    entries = [dataclasses.replace(e, split="val" if n < 3 else "train") for n, e in enumerate(store.entries)]
    return dataclasses.replace(store, entries=tuple(entries))


def run(config: TrainConfig, store: Path, out: Path, **options: object) -> Path:
    return train(config, [with_val(store)], out, DigestEncoder(), **options)  # type: ignore[arg-type]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_network(out / "model").state_dict()


def same_action_nearest(sentences: torch.Tensor) -> float:
    """Share of the three sentences nearest to each that are about its action, of four about each action in turn."""
    unit = torch.nn.functional.normalize(sentences, dim=-1)
    action = torch.arange(len(unit)) // len(FRAMES)
    nearest = (unit @ unit.T).fill_diagonal_(-1).topk(3, dim=1).indices
    return (action[nearest] == action[:, None]).float().mean().item()


@pytest.fixture(scope="module")
def paraphrases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of nine actions, each described in four ways."""
    path = tmp_path_factory.mktemp("texts") / "paraphrases.jsonl"
    actions = ("walk", "run", "jump", "kick", "crawl", "sneak", "dance", "climb", "spin")
    path.write_text("".join(json.dumps({"captions": [frame.format(a) for frame in FRAMES]}) + "\n" for a in actions))
    return path


@pytest.fixture(scope="module")
def whole_run(small_store: Path, paraphrases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "whole"
    state = torch.get_rng_state()
    run(CONFIG, small_store, out, paraphrases=paraphrases)
    assert torch.equal(torch.get_rng_state(), state)
    return out


@pytest.mark.parametrize(("phase", "step"), [("paraphrase", 3), ("autoencoder", 3), ("head", 1), ("prior", 3)])
def test_a_killed_run_resumes_to_the_same_weights(
    whole_run: Path, small_store: Path, paraphrases: Path, tmp_path: Path, phase: str, step: int
) -> None:
    def stop(now: str, done: int, total: int, loss: float | None) -> None:
        if (now, done) == (phase, step):
            raise Stopped

    with pytest.raises(Stopped):
        run(CONFIG, small_store, tmp_path, paraphrases=paraphrases, on_step=stop)
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"phase": "prior", "\xff\x00st')  # a kill in the middle of a line, and a disk without power
    torch.manual_seed(torch.seed())  # of no matter
    run(CONFIG, small_store, tmp_path, paraphrases=paraphrases, resume=True)
    expected, found = weights(whole_run), weights(tmp_path)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert sorted(map(str, rows(tmp_path))) == sorted(map(str, rows(whole_run)))


def test_a_run_records_what_it_was(whole_run: Path) -> None:
    (start,) = json.loads((whole_run / "environment.json").read_text())
    assert start["packages"]["torch"] == version("torch")
    recorded = json.loads((whole_run / "config.json").read_text())
    assert recorded["autoencoder"]["lr"] == CONFIG.autoencoder.lr
    assert recorded.keys() == TrainConfig.__dataclass_fields__.keys() | {"data", "paraphrases", "processes"}
    assert {row["phase"] for row in rows(whole_run)} == {*PHASES, "validation"}
    assert list((whole_run / "pictures").glob("reconstruction_*.png"))
    assert not list(whole_run.rglob("*.tmp"))


def test_the_model_carries_words_that_it_learned_from(whole_run: Path, small_store: Path) -> None:
    known = load_known_words(whole_run / "model")
    assert known is not None
    assert set(known.texts) <= {c.text for e in Store.open(small_store).entries for c in e.captions}


def test_the_model_carries_the_matcher_of_its_run(whole_run: Path) -> None:
    matcher = load_matcher(whole_run / "model", CONFIG.model.latent_dim)
    assert matcher is not None
    assert matcher.mean.abs().max() > 0.5 and matcher.others.norm(dim=-1).min() > 0.99


def test_a_run_starts_from_a_trained_model_and_adds_what_that_lacks(
    whole_run: Path, small_store: Path, tmp_path: Path
) -> None:
    idle = {name: {"steps": 0} for name in PHASES}
    config = changed(CONFIG, model={"text_hidden": 8}, start=str(whole_run), **idle)
    run(config, small_store, tmp_path)
    before, after = weights(whole_run), weights(tmp_path)
    torch.testing.assert_close({name: after[name] for name in before}, before, atol=1e-3, rtol=1e-2)  # half precision
    assert after["autoencoder.text_head.down.weight"].abs().max() == 0
    with pytest.raises(ModelError, match="does not fit this configuration"):
        run(changed(CONFIG, model={"width": 16}, start=str(whole_run)), small_store, tmp_path / "other")


def test_a_run_takes_components_anew_where_it_is_asked_to(whole_run: Path, small_store: Path, tmp_path: Path) -> None:
    idle = {name: {"steps": 0} for name in PHASES}
    run(changed(CONFIG, start=str(whole_run), new_components=True, **idle), small_store, tmp_path)
    before, after = weights(whole_run), weights(tmp_path)
    carried = ("linear.restore.weight", "decoder.layers.0.condition.weight", "text_head.linear.weight")
    assert not any(torch.allclose(before[f"autoencoder.{name}"], after[f"autoencoder.{name}"]) for name in carried)
    with pytest.raises(ModelError, match="give --start"):
        changed(CONFIG, new_components=True)


def test_runs_are_not_mixed(whole_run: Path, small_store: Path) -> None:
    with pytest.raises(ModelError, match="--resume"):
        run(CONFIG, small_store, whole_run)
    with pytest.raises(ModelError, match="differs from this run in autoencoder, paraphrases"):
        run(changed(CONFIG, autoencoder={"lr": 1.0}), small_store, whole_run, resume=True)


@pytest.mark.slow
def test_longer_training_reconstructs_better(small_store: Path, tmp_path: Path) -> None:
    config = changed(
        CONFIG,
        autoencoder={"steps": 60, "lr": 3e-3, "batch_size": 8},
        head={"steps": 0},
        prior={"steps": 0},
        validate_every=20,
        save_every=60,
    )
    run(config, small_store, tmp_path)
    errors = [row["mpjpe_mm"] for row in rows(tmp_path, "validation")]
    assert errors[-1] < 0.95 * errors[0]


@pytest.mark.slow
def test_what_paraphrases_teach_is_kept_by_the_other_phases(
    small_store: Path, paraphrases: Path, tmp_path: Path
) -> None:
    text_encoder, stores = load_text_encoder("minilm"), [Store.open(small_store)]
    alone = changed(
        CONFIG.with_text_encoder("minilm", 384, sees_images=False),
        paraphrase={"steps": 40, "batch_size": 64},
        autoencoder={"steps": 0},
        head={"steps": 0},
        prior={"steps": 0},
    )
    then_motions = changed(alone, autoencoder={"steps": 2}, head={"steps": 2})
    folders = [
        train(config, stores, tmp_path / name, text_encoder, paraphrases=paraphrases)
        for name, config in (("alone", alone), ("then_motions", then_motions))
    ]
    heads = [load_network(folder).autoencoder.text_head for folder in folders]
    learnt, held = (head.state_dict() for head in heads)
    assert torch.equal(learnt["paraphrase.weight"], held["paraphrase.weight"])
    assert not torch.equal(learnt["linear.weight"], held["linear.weight"])
    actions = ("hop", "sit", "throw", "bow", "swim")
    unseen = text_encoder.encode_texts([frame.format(a) for a in actions for frame in FRAMES])
    with torch.no_grad():
        assert same_action_nearest(heads[0].paraphrase(unseen)) > same_action_nearest(unseen) + 0.05


def test_the_head_phase_moves_the_linear_map_alone_and_learns(small_store: Path, tmp_path: Path) -> None:
    without = changed(CONFIG, head={"steps": 0}, prior={"steps": 0}, save_every=100)
    learnt = changed(without, head={"steps": 100, "batch_size": 64}, encoded_windows=64)
    run(without, small_store, tmp_path / "without")
    run(learnt, small_store, tmp_path / "learnt")
    before, after = weights(tmp_path / "without"), weights(tmp_path / "learnt")
    moved = {name for name, value in before.items() if not torch.equal(after[name], value)}
    assert moved == {name for name in before if ".text_head.linear." in name}
    first, last = (row["loss"] for row in rows(tmp_path / "learnt", "head"))
    assert last < 0.98 * first


def test_paraphrases_that_cannot_be_learned_from_are_errors(
    small_store: Path, paraphrases: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no steps on paraphrases"):
        run(changed(CONFIG, paraphrase={"steps": 0}), small_store, tmp_path / "a", paraphrases=paraphrases)
    held_out = next(c.text for e in with_val(small_store).entries if e.split == "val" for c in e.captions)
    only = tmp_path / "paraphrases.jsonl"
    only.write_text(json.dumps({"captions": [held_out.upper(), "somebody does that"]}))
    with pytest.raises(DataError, match="describe clips of val or test"):
        run(CONFIG, small_store, tmp_path / "b", paraphrases=only)
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_data_that_cannot_be_trained_on_leaves_no_run(small_store: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no train segment"):
        run(changed(CONFIG, windows={"min_seconds": 1000.0}), small_store, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_stores_without_validation_clips_can_be_trained_on(small_store: Path, tmp_path: Path) -> None:
    store, config = Store.open(small_store), changed(CONFIG, head={"steps": 0}, prior={"steps": 0})
    assert not any(entry.split == "val" for entry in store.entries)
    assert load_network(train(config, [store], tmp_path, DigestEncoder())).config == config.model
    assert not rows(tmp_path, "validation")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named(small_store: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--device cpu"):
        run(CONFIG, small_store, tmp_path, device="cuda")


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a compiler")
def test_steps_are_compiled_on_request(small_store: Path, tmp_path: Path) -> None:
    """To compile takes a minute, so torch is told to refuse what is not compiled already."""
    with torch.compiler.set_stance("fail_on_recompile"), pytest.raises(RuntimeError, match="compile"):
        run(changed(CONFIG, compile=True), small_store, tmp_path)


def test_a_missing_compiler_is_named(small_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ModelError, match="no-such-compiler"):
        run(changed(CONFIG, compile=True), small_store, tmp_path)


def test_steps_on_the_command_line_shorten_every_phase(small_store: Path, tmp_path: Path) -> None:
    flags = ["--preset", "tiny", "--steps", "2", "--losses.contrast", "0.1", "--prior.batch-size", "4", "--seed", "3"]
    out = tmp_path / "run"
    assert main(["train", "--data", str(small_store), "--out", str(out), "--device", "cpu", *flags]) == 0
    recorded = json.loads((out / "config.json").read_text())
    assert recorded["losses"]["contrast"] == 0.1 and recorded["prior"]["batch_size"] == 4 and recorded["seed"] == 3
    phases = ("autoencoder", "head", "prior", "matcher")
    assert {row["phase"]: row["step"] for row in rows(out, *PHASES)} == dict.fromkeys(phases, 2)
    assert recorded["encoded_windows"] == 2 * PRESETS["tiny"].head.batch_size


def test_the_vertex_loss_takes_a_body_of_ones_own(small_store: Path, tmp_path: Path) -> None:
    arrays = smpl_arrays(vertices=300)
    normal = save_npz(tmp_path / "normal.npz", arrays)
    large = save_npz(tmp_path / "large.npz", arrays | {"v_template": arrays["v_template"] * 10})
    flags = ["--preset", "tiny", "--steps", "1", "--device", "cpu", "--data", str(small_store)]
    losses = []
    for body in (large, normal):
        assert main(["train", *flags, "--out", str(tmp_path / body.stem), "--body", str(body)]) == 0
        losses.append(rows(tmp_path / body.stem, "autoencoder")[0]["vertices"])
    assert losses[0] == pytest.approx(100 * losses[1], rel=1e-3)  # square metres of a body ten times as large
    assert main(["train", *flags, "--out", str(tmp_path / "none"), "--body", str(tmp_path / "none.npz")]) == 2
