"""MotionCLIP: lists and tensors agree, order is kept, and copies with other encoders and heads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.errors import ModelError
from motionclip.model import pipeline
from motionclip.model.features import Batch, from_motion
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

SECONDS = (1.0, 0.3, 1.7, 0.1)


def motions(seconds: tuple[float, ...] = SECONDS) -> list[Motion]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for length in seconds:
        turns = 0.3 * torch.randn(24, 3, generator=generator).expand(round(30 * length), -1, -1)
        made.append(Motion(rot.rotvec_to_matrix(turns), torch.zeros(len(turns), 3), 30.0, CANONICAL))
    return made


def test_many_are_encoded_as_one_by_one_in_their_order(tiny_model: MotionCLIP) -> None:
    found = tiny_model.encode(motions())
    assert found.shape == (4, tiny_model.config.latent_dim)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(4))
    alone = torch.cat([tiny_model.encode([motion]) for motion in motions()])
    torch.testing.assert_close(found, alone, atol=1e-4, rtol=0)
    assert tiny_model.encode([]).shape == (0, tiny_model.config.latent_dim)


def test_long_lists_go_through_the_network_in_parts(tiny_model: MotionCLIP, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, seen = tiny_model.encode(motions()), []
    monkeypatch.setattr(pipeline, "_CHUNK", 3)
    encode = MotionCLIP.encode_batch

    def counted(model: MotionCLIP, batch: Batch) -> torch.Tensor:
        seen.append(len(batch.mask))
        return encode(model, batch)

    monkeypatch.setattr(MotionCLIP, "encode_batch", counted)
    torch.testing.assert_close(tiny_model.encode(motions()), whole, atol=1e-4, rtol=0)
    assert seen == [3, 1]
    latents = torch.nn.functional.normalize(torch.randn(7, tiny_model.config.latent_dim), dim=-1)
    for many, one in zip(tiny_model.decode(latents, 0.5), latents, strict=True):
        (alone,) = tiny_model.decode(one[None], 0.5)
        torch.testing.assert_close(many.positions, alone.positions, atol=1e-3, rtol=0)


def test_tensors_and_motions_agree_and_carry_gradients(tiny_model: MotionCLIP) -> None:
    batch = from_motion(motions()[0], tiny_model.config.fps)
    batch = dataclasses.replace(batch, root=batch.root.clone().requires_grad_())
    latents = tiny_model.encode_batch(batch)
    torch.testing.assert_close(latents.detach(), tiny_model.encode(motions()[:1]), atol=1e-5, rtol=0)
    decoded = tiny_model.decode_batch(latents, batch.mask)
    assert (decoded.contacts is not None) == tiny_model.predicts_contacts
    decoded.root.sum().backward()
    assert batch.root.grad is not None and batch.root.grad.isfinite().all()


def test_the_tangent_plane_is_another_form_of_latents(tiny_model: MotionCLIP) -> None:
    latents = tiny_model.encode(motions())
    points = tiny_model.to_tangent(latents)
    assert points.shape == (4, tiny_model.config.num_coefficients)
    torch.testing.assert_close(tiny_model.from_tangent(points), latents, atol=1e-5, rtol=0)


def test_a_draw_is_that_of_its_seed_alone(tiny_model: MotionCLIP) -> None:
    texts = tiny_model.embed_text(["a person walks", "somebody waves"])
    drawn = tiny_model.sample(texts, 2.0, guidance=1.5, seed=6, draws=3).unflatten(0, (2, 3))
    for row, text in enumerate(texts):
        for number in range(3):
            alone = tiny_model.sample(text[None], 2.0, guidance=1.5, seed=6 + number)[0]
            torch.testing.assert_close(drawn[row, number], alone, atol=1e-5, rtol=0)
    assert (drawn[0, 0] - drawn[0, 1]).norm() > 0.01
    each = tiny_model.sample(texts, [1.0, 2.0], guidance=1.5, seed=[9, 7], draws=2).unflatten(0, (2, 2))
    torch.testing.assert_close(each[1], drawn[1, 1:], atol=1e-5, rtol=0)
    short = tiny_model.sample(texts[:1], 1.0, guidance=1.5, seed=10)[0]
    torch.testing.assert_close(each[0, 1], short, atol=1e-5, rtol=0)
    with pytest.raises(ModelError, match="0 draws"):
        tiny_model.sample(texts, 2.0, guidance=1.5, seed=0, draws=0)


def test_a_motion_that_is_too_long_is_refused(tiny_model: MotionCLIP) -> None:
    with pytest.raises(ModelError, match="crop it"):
        tiny_model.encode(motions((tiny_model.max_seconds + 1,)))


class Wide:
    """A text encoder of 5 numbers."""

    name, dim, fingerprint = "wide", 5, "1"

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.eye(5)[: len(texts)]


def test_another_encoder_takes_the_same_embeddings_or_new_heads(tiny_model: MotionCLIP, tmp_path: Path) -> None:
    assert tiny_model.with_text_encoder(tiny_model.text_encoder).fingerprint == tiny_model.fingerprint
    with pytest.raises(ModelError, match="adapt it"):
        tiny_model.with_text_encoder(Wide())
    size = tiny_model.config.text_dim
    weight, bias = torch.randn(size, 5), torch.randn(size)
    adapted = tiny_model.adapted(Wide(), weight, bias)
    expected = tiny_model.network.autoencoder.text_head(weight.T[:3] + bias)
    torch.testing.assert_close(adapted.embed_text(["a", "b", "c"]), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(adapted.encode(motions()), tiny_model.encode(motions()), atol=1e-5, rtol=0)
    assert adapted.fingerprint != tiny_model.fingerprint
    tiny_model.save(tmp_path / "saved")
    assert motionclip.load(tmp_path / "saved").fingerprint == tiny_model.fingerprint


def test_a_text_that_names_a_side_is_led_away_from_the_other_side(base_model: MotionCLIP) -> None:
    texts = ["wave with the left hand", "wave with the right hand", "wave"]
    plain, led = base_model.embed_text(texts), base_model.embed_prompts(texts)
    assert led[0] @ led[1] < plain[0] @ plain[1] - 0.05
    torch.testing.assert_close(led.norm(dim=-1), plain.norm(dim=-1))
    assert torch.equal(led[2], plain[2])
