"""The exported graphs say what torch says, for any batch and length, and the manifest describes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionclip.applications.text_to_motion import MATCH, SKATE, Prompts, draws_for, ranked_takes
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import load_text_encoder
from motionclip.errors import MotionClipError
from motionclip.export.onnx import export_onnx, halve, quantize
from motionclip.metrics.physics import skate_of
from motionclip.metrics.plausibility import plausibility
from motionclip.model.features import Batch, canonicalize
from motionclip.model.pipeline import MotionCLIP, led_away, load
from motionclip.model.turning import limit_joint_rotation_rate
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.training.batches import gather

pytestmark = pytest.mark.slow

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

EXACT = 1e-4


@pytest.fixture(scope="module")
def folder(tiny_graphs: Path) -> Path:
    return tiny_graphs


def run(folder: Path, name: str, **inputs: torch.Tensor) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    outputs: list[NDArray[Any]] = session.run(None, {key: value.numpy() for key, value in inputs.items()})
    return outputs


def windows(count: int, frames: int) -> Batch:
    """Windows of random turns; the last one is shorter than the others."""
    generator = torch.Generator().manual_seed(count * 1000 + frames)
    sixd, root = (torch.randn(count, frames, *size, generator=generator) for size in ((24, 6), (3,)))
    mask = torch.ones(count, frames, dtype=torch.bool)
    mask[-1, max(2, frames - 5) :] = False
    return Batch(*canonicalize(sixd, root), mask)


def of_bodies(model: MotionCLIP, store: Path, count: int) -> torch.Tensor:
    """Latents of motions: those of no motion decode to bones that lie on each other, which may point anywhere."""
    recorded = WindowSet([Store.open(store)], "train", {}, 21)
    return model.network.autoencoder.encode(
        gather(recorded, recorded.draw(torch.Generator().manual_seed(count), count, 180, mirror=True))
    )


def latents(model: MotionCLIP, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    scores = torch.randn(count, model.config.latent_dim, generator=generator)
    return torch.nn.functional.normalize(scores + 20 * torch.eye(model.config.latent_dim)[-1], dim=-1)


@pytest.mark.parametrize(("count", "frames"), [(1, 2), (1, 60), (2, 45), (5, 7), (3, 180)])
def test_the_encoder_says_what_torch_says(model: MotionCLIP, folder: Path, count: int, frames: int) -> None:
    batch = windows(count, frames)
    expected = model.network.autoencoder.encode(batch)
    (found,) = run(folder, "encoder", sixd=batch.sixd, root=batch.root, mask=batch.mask)
    assert found.shape == (count, model.config.latent_dim)
    assert np.abs(found - expected.numpy()).max() < EXACT
    if count > 1:
        assert np.abs(found[0] - found[1]).max() > 100 * EXACT


@pytest.mark.parametrize(("count", "frames"), [(1, 2), (1, 60), (2, 45), (5, 7), (3, 180)])
def test_the_decoder_says_what_torch_says(
    model: MotionCLIP, folder: Path, synthetic_store: Path, count: int, frames: int
) -> None:
    latent, mask = of_bodies(model, synthetic_store, count), torch.ones(count, frames, dtype=torch.bool)
    expected, words = model.decode(latent, frames / model.config.fps), latents(model, count)
    rotations, root, excess, worth = run(folder, "decoder", latent=latent, mask=mask, words=words)
    positions = torch.stack([motion.positions for motion in expected])
    expected_worth = MATCH * model.match(positions, words) - SKATE * skate_of(positions, model.config.fps)
    assert worth == pytest.approx(expected_worth.numpy(), abs=1e-3)
    for number, motion in enumerate(expected):
        assert np.abs(rotations[number] - motion.rotations.numpy()).max() < EXACT
        assert np.abs(root[number] - motion.root.numpy()).max() < EXACT
        assert excess[number] == pytest.approx(plausibility(motion).excess, abs=1e-2)


def test_a_body_that_turns_too_fast_is_slowed_and_told_in_the_graph(model: MotionCLIP, folder: Path) -> None:
    """Latents far from all motions: heads that spin, limbs that jump, and bodies in the floor."""
    latent = torch.nn.functional.normalize(torch.randn(6, model.config.latent_dim), dim=-1)
    latent[:, -1] = latent[:, -1].abs() + 0.2
    latent = torch.nn.functional.normalize(latent, dim=-1)
    decoded = model.decode_batch(latent, torch.ones(6, 90, dtype=torch.bool))
    raw = rot.sixd_to_matrix(decoded.sixd)
    assert not torch.equal(limit_joint_rotation_rate(raw, model.config.fps), raw)
    expected = model.decode(latent, 3.0)
    mask = torch.ones(6, 90, dtype=torch.bool)
    rotations, root, excess, _ = run(folder, "decoder", latent=latent, mask=mask, words=latents(model, 6))
    assert excess.max() > 0
    for number, motion in enumerate(expected):
        found = Motion(torch.from_numpy(rotations[number]), torch.from_numpy(root[number]), motion.fps, CANONICAL)
        assert float((found.positions - motion.positions).norm(dim=-1).max()) < 1e-3
        assert excess[number] == pytest.approx(plausibility(motion).excess, abs=1e-2)


@pytest.mark.parametrize("texts", [["a person walks"], ["run", "someone waves with the right hand, then bows", "kick"]])
def test_words_become_the_latents_that_torch_makes(model: MotionCLIP, folder: Path, texts: list[str]) -> None:
    tokens = [torch.tensor(model.text_encoder.tokenizer.encode(text).ids) for text in texts]
    ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    vector, latent = run(folder, "text", ids=ids)
    assert np.abs(vector - model.text_encoder.encode_texts(texts).numpy()).max() < EXACT
    assert np.abs(latent - model.embed_text(texts).numpy()).max() < EXACT


@pytest.mark.parametrize(("count", "guidance", "takes"), [(1, 1.5, 1), (4, 1.0, 3)])
def test_the_prior_draws_what_torch_draws_in_the_same_order(
    model: MotionCLIP, folder: Path, count: int, guidance: float, takes: int
) -> None:
    text, size = latents(model, count), model.config.num_coefficients
    mirrored = torch.cat([text[:1], text[:-1]])  # the first text names no side
    expected = ranked_takes(
        model, Prompts(led_away(text, mirrored), ((),) * count), 2.0, seed=3, guidance=guidance, takes=takes
    )
    draws = draws_for(model, takes)
    seeds = range(3 * draws, 4 * draws)
    noise = torch.stack([torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    mask, strength = torch.ones(count, model.num_frames(2.0), dtype=torch.bool), torch.tensor(guidance)
    inputs = {
        "noise": noise.repeat(count, 1, 1),
        "text": text,
        "mirrored": mirrored,
        "mask": mask,
        "guidance": strength,
    }
    found, agreement, words = run(folder, "prior", **inputs)
    assert np.abs(found[:, :takes] - expected.latents.numpy()).max() < EXACT
    assert np.abs(words - expected.prompts.latents.numpy()).max() < EXACT
    assert np.abs(agreement[:, :takes] - expected.agreement.numpy()).max() < EXACT


def test_the_manifest_names_what_the_graphs_take_and_give(model: MotionCLIP, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["fps"] == model.config.fps
    assert manifest["skeleton"]["names"][0] == "pelvis"
    for described in manifest["graphs"].values():
        session = onnxruntime.InferenceSession(folder / described["file"], providers=["CPUExecutionProvider"])
        for side, ports in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
            assert [port["name"] for port in described[side]] == [port.name for port in ports]
            assert [len(port["shape"]) for port in described[side]] == [len(port.shape) for port in ports]
        for port, found in zip(described["inputs"], session.get_inputs(), strict=True):
            assert port["shape"] == found.shape  # sizes by name, too
            assert port["dtype"] in found.type.replace("float", "float32")


def test_the_tokenizer_is_the_towers(model: MotionCLIP, folder: Path) -> None:
    from tokenizers import Tokenizer

    text = "Jumping-jacks, café!"
    assert (
        Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
        == model.text_encoder.tokenizer.encode(text).ids
    )


def test_half_precision_takes_half_of_the_room_and_stays_near(model: MotionCLIP, folder: Path, tmp_path: Path) -> None:
    halve(folder / "text.onnx", tmp_path / "text.onnx")
    assert (tmp_path / "text.onnx").stat().st_size < 0.52 * (folder / "text.onnx").stat().st_size
    ids = torch.tensor([model.text_encoder.tokenizer.encode("a person walks").ids])
    whole, small = (run(place, "text", ids=ids)[1] for place in (folder, tmp_path))
    assert 0.99999 < float((whole * small).sum()) < 1 - 1e-12


def test_eight_bits_take_a_quarter_of_the_room_and_stay_near(model: MotionCLIP, folder: Path, tmp_path: Path) -> None:
    quantize(folder / "text.onnx", tmp_path / "text.onnx")
    assert (tmp_path / "text.onnx").stat().st_size < 0.3 * (folder / "text.onnx").stat().st_size
    ids = torch.tensor([model.text_encoder.tokenizer.encode("a person walks").ids])
    whole, small = (run(place, "text", ids=ids)[0] for place in (folder, tmp_path))
    assert 0.9 < float((whole * small).sum()) < 0.999999


def test_another_text_encoder_is_refused(tiny_run: Path, clip_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    other = MotionCLIP(load(tiny_run).network, load_text_encoder("clip:random/tiny", clip_folder))
    with pytest.raises(MotionClipError, match="only those on minilm"):
        export_onnx(other, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_example_needs_numpy_and_onnxruntime_only(folder: Path, tmp_path: Path) -> None:
    """Run in a process in which torch, and this package, cannot be imported."""
    (tmp_path / "onnx").symlink_to(folder, target_is_directory=True)
    example = Path(__file__).parents[2] / "examples" / "browser" / "text_to_motion.py"
    run_it = (
        "import runpy, sys\n"
        "sys.modules.update(dict.fromkeys(('torch', 'motionclip', 'tokenizers', 'transformers')))\n"
        f"found = runpy.run_path({str(example)!r})\n"
        "print(found['tokenize']('Someone\\'s café: jumping-jacks'))"
    )
    done = subprocess.run([sys.executable, "-c", run_it], cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = (tmp_path / "motion.csv").read_text().splitlines()
    assert len(rows) == 91
    assert rows[0].startswith("seconds,pelvis_x")
    from tokenizers import Tokenizer

    expected = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("Someone's café: jumping-jacks").ids
    assert json.loads(done.stdout.splitlines()[-1]) == expected
