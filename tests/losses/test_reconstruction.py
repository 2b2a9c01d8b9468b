"""Each reconstruction loss against its formula, written out over the real frames of each window."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from motionclip.body import default_body
from motionclip.errors import ModelError
from motionclip.losses.objective import RECONSTRUCTION_LOSSES
from motionclip.losses.reconstruction import Comparison, moment_factor
from motionclip.model.autoencoder import Decoded
from motionclip.model.features import LAYOUTS, Batch, pose
from motionclip.motion.contacts import CONTACT_INDICES, foot_contacts

FPS, LENGTHS = 30.0, (5, 3)
LAYOUT = LAYOUTS["positions"]
FACTOR = moment_factor(default_body())


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two windows of bodies that stand; the first is lifted on the way, the second is padded."""
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    rest = torch.tensor([1.0, 0, 0, 0, 1, 0], dtype=torch.float64).expand(2, 5, 24, 6)
    root = random(2, 5, 3, seed=1) * 1e-4
    root[0, 3:, 1] += 1.0
    return Batch(rest + random(2, 5, 24, 6, seed=0) * 1e-4, root, mask)


@pytest.fixture
def leaves(batch: Batch) -> list[Tensor]:
    """What a decoder returns, as leaves: rotations, root path, features and contact logits."""
    sixd = batch.sixd + random(2, 5, 24, 6, seed=2) * 0.2
    parts = [sixd, random(2, 5, 3, seed=3), random(2, 5, LAYOUT.channels, seed=4), random(2, 5, 4, seed=5)]
    return [part.requires_grad_() for part in parts]


def compared(batch: Batch, leaves: list[Tensor]) -> Comparison:
    model = SimpleNamespace(config=SimpleNamespace(fps=FPS), layout=LAYOUT)
    sixd, root, features, contacts = leaves
    decoded = Decoded(features, sixd, root, contacts)
    return Comparison(model, batch, decoded, FACTOR.double())  # type: ignore[arg-type]


def over_frames(value: Callable[[int, int], Tensor], first: int = 0) -> float:
    """The mean of values of (window, frame) over real frames, from frame ``first`` of each window on."""
    values = [value(b, t).reshape(-1) for b, length in enumerate(LENGTHS) for t in range(first, length)]
    return torch.cat(values).mean().item()


def expected(name: str, batch: Batch, leaves: list[Tensor]) -> float:
    sixd, root, features, logits = (leaf.detach() for leaf in leaves)
    joints, recorded = pose(sixd, root)[1], pose(batch.sixd, batch.root)[1]
    contacts = foot_contacts(recorded, FPS)
    own = LAYOUT.features(batch, FPS)

    def change(values: Tensor, b: int, t: int) -> Tensor:
        return values[b, t] - values[b, t - 1]

    def vertices(b: int, t: int) -> Tensor:
        at = torch.zeros(1, 3, dtype=torch.float64)
        one, other = (
            default_body().skin(pose(s[b : b + 1, t : t + 1], at[None])[0][0].float(), at.float())
            for s in (sixd, batch.sixd)
        )
        return (one - other).square().sum(-1).mean()

    def cross_entropy(b: int, t: int) -> Tensor:
        chance = logits[b, t].sigmoid()
        return -torch.where(contacts[b, t], chance.log(), (1 - chance).log())

    def skate(b: int, t: int) -> Tensor:
        speed = change(joints[:, :, CONTACT_INDICES], b, t).norm(dim=-1) * FPS
        return torch.where(contacts[b, t] & contacts[b, t - 1], speed**2, 0.0)

    return {
        "features": lambda: over_frames(lambda b, t: (features - own)[b, t] ** 2),
        "feature_velocity": lambda: over_frames(lambda b, t: change(features - own, b, t) ** 2, 1),
        "orientation": lambda: over_frames(lambda b, t: (sixd - batch.sixd)[b, t] ** 2),
        "orientation_velocity": lambda: over_frames(lambda b, t: (change(sixd - batch.sixd, b, t) * FPS) ** 2, 1),
        "vertices": lambda: over_frames(vertices),
        "path": lambda: over_frames(lambda b, t: (root - batch.root)[b, t] ** 2),
        "velocity": lambda: over_frames(lambda b, t: (change(joints - recorded, b, t) * FPS) ** 2, 1),
        "contact": lambda: over_frames(cross_entropy),
        "skate": lambda: over_frames(skate, 1),
    }[name]()


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_a_loss_is_its_formula_over_real_frames(name: str, batch: Batch, leaves: list[Tensor]) -> None:
    found = RECONSTRUCTION_LOSSES[name](compared(batch, leaves))
    wanted = expected(name, batch, leaves)
    assert wanted > 0
    assert found.item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_gradients_are_those_of_the_value_and_none_of_padding(name: str, batch: Batch, leaves: list[Tensor]) -> None:
    def loss(*parts: Tensor) -> Tensor:
        return RECONSTRUCTION_LOSSES[name](compared(batch, list(parts)))

    assert torch.autograd.gradcheck(loss, leaves, fast_mode=True, rtol=1e-3)
    gradients = torch.autograd.grad(loss(*leaves), leaves, allow_unused=True)
    used = [gradient for gradient in gradients if gradient is not None]
    assert used and all(gradient[1, LENGTHS[1] :].abs().max() == 0 for gradient in used)
    assert all(gradient[batch.mask].abs().max() > 0 for gradient in used)


@pytest.mark.parametrize("name", [name for name in RECONSTRUCTION_LOSSES if name not in ("contact", "skate")])
def test_a_perfect_reconstruction_costs_nothing(name: str, batch: Batch) -> None:
    same = [batch.sixd, batch.root, LAYOUT.features(batch, FPS), random(2, 5, 4, seed=5)]
    assert RECONSTRUCTION_LOSSES[name](compared(batch, same)).item() == 0


def test_contacts_of_a_sure_decoder_cost_nothing(batch: Batch, leaves: list[Tensor]) -> None:
    contacts = foot_contacts(pose(batch.sixd, batch.root)[1], FPS)
    assert contacts[batch.mask].any() and not contacts[batch.mask].all()
    sure = compared(batch, [*leaves[:3], torch.where(contacts, 50.0, -50.0).double()])
    assert sure.contact().item() == pytest.approx(0, abs=1e-12)
    unsure = compared(batch, [*leaves[:3], torch.zeros(2, 5, 4, dtype=torch.float64)])
    assert unsure.contact().item() == pytest.approx(math.log(2))


def test_a_decoder_without_contacts_has_no_contact_loss(batch: Batch, leaves: list[Tensor]) -> None:
    comparison = compared(batch, leaves)
    without = dataclasses.replace(comparison, decoded=dataclasses.replace(comparison.decoded, contacts=None))
    with pytest.raises(ModelError, match=r"losses\.contact"):
        without.contact()
