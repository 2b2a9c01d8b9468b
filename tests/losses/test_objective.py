"""The objective: every loss has a weight and every weight a loss, and the total is their weighted sum."""

import dataclasses
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from motionclip.body import default_body
from motionclip.errors import ModelError
from motionclip.losses import objective as module
from motionclip.losses.alignment import ContrastConfig, ImageTargets, TextTargets
from motionclip.losses.objective import LossWeights, Objective, check_names, text_objective
from motionclip.losses.reconstruction import Comparison
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch
from motionclip.training.config import PRESETS

NONE = LossWeights(**{field.name: 0.0 for field in dataclasses.fields(LossWeights)})
SMALL = dataclasses.replace(PRESETS["tiny"].model, text_dim=16, image_head=True)


@dataclass(frozen=True)
class MoreWeights(LossWeights):
    """The weights with that of another loss."""

    height: float = 0.0


def height(comparison: Comparison) -> Tensor:
    return comparison.decoded.root[..., 1].mean().square()


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def model() -> MotionAutoencoder:
    torch.manual_seed(0)
    return Network(SMALL).autoencoder


BATCH = Batch(drawn(4, 8, 24, 6, seed=0), drawn(4, 8, 3, seed=1), torch.ones(4, 8, dtype=torch.bool))
TEXTS = TextTargets(drawn(4, 16, seed=2), torch.tensor([1, 1, -1, -1]), torch.tensor([1.0, 1.0, 1.0, 0.0]))
IMAGES = ImageTargets(drawn(4, 16, seed=3), torch.tensor([1.0, 0.0, 1.0, 1.0]))
NOISE = drawn(4, SMALL.latent_dim, seed=4)


def computed(model: MotionAutoencoder, weights: LossWeights, noise: float = 0.0) -> tuple[Tensor, dict[str, Tensor]]:
    return Objective(weights, default_body(), latent_noise=noise)(model, BATCH, TEXTS, IMAGES, NOISE)


def test_every_loss_has_a_weight_and_every_weight_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    check_names(LossWeights())
    with pytest.raises(ModelError, match="height"):
        Objective(MoreWeights(), default_body())
    monkeypatch.setitem(module.RECONSTRUCTION_LOSSES, "height", height)
    with pytest.raises(ModelError, match="height"):
        Objective(LossWeights(), default_body())


def test_a_function_a_row_and_a_weight_add_a_loss(model: MotionAutoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.RECONSTRUCTION_LOSSES, "height", height)
    total, parts = computed(model, MoreWeights(**dataclasses.asdict(NONE), height=3.0))
    assert parts.keys() == {"height"}
    torch.testing.assert_close(total, 3 * parts["height"])


def test_the_total_is_the_weighted_sum_of_all_losses(model: MotionAutoencoder) -> None:
    names = [field.name for field in dataclasses.fields(LossWeights)]
    weights = LossWeights(**{name: 0.1 * (number + 1) for number, name in enumerate(names)})
    total, parts = computed(model, weights)
    assert set(parts) == set(names)
    expected = sum(getattr(weights, name) * value.item() for name, value in parts.items())
    assert total.item() == pytest.approx(expected, rel=1e-5)
    for name in names:  # alone, with another weight: the same loss
        alone, (own,) = (lambda found: (found[0], found[1].values()))(
            computed(model, dataclasses.replace(NONE, **{name: 2.0}))
        )
        assert own.item() == pytest.approx(parts[name].item(), rel=1e-4)
        assert alone.item() == pytest.approx(2 * own.item(), rel=1e-5)


def test_a_loss_of_weight_zero_is_not_computed(model: MotionAutoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> Tensor:
        raise AssertionError

    for table in (module.RECONSTRUCTION_LOSSES, module.TEXT_LOSSES, module.IMAGE_LOSSES):
        for name in table:
            if name != "path":
                monkeypatch.setitem(table, name, fail)
    assert computed(model, dataclasses.replace(NONE, path=1.0))[1].keys() == {"path"}


def test_no_loss_at_all_is_an_error(model: MotionAutoencoder) -> None:
    with pytest.raises(ModelError, match="weight 0"):
        computed(model, NONE)


def test_an_image_loss_without_images_is_an_error(model: MotionAutoencoder) -> None:
    objective = Objective(dataclasses.replace(NONE, image_cosine=1.0), default_body())
    with pytest.raises(ModelError, match="no images"):
        objective(model, BATCH, TEXTS, None, NOISE)


def test_text_losses_alone_are_those_of_the_objective(model: MotionAutoencoder) -> None:
    weights = dataclasses.replace(NONE, cosine=0.3, contrast=0.7)
    with torch.no_grad():
        total, _ = computed(model, weights)
        latent, text = model.encode(BATCH), model.text_head(TEXTS.embedding)
        torch.testing.assert_close(text_objective(weights, ContrastConfig(), latent, text, TEXTS), total)


def test_noise_turns_the_decoded_latent_and_keeps_its_norm(
    model: MotionAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda latent, mask: seen.append(latent) or decode(latent, mask))
    weights = dataclasses.replace(NONE, path=1.0)
    for noise in (0.0, 0.1):
        computed(model, weights, noise)
    plain, noisy = seen
    torch.testing.assert_close(noisy.norm(dim=-1), plain.norm(dim=-1))
    turned = (noisy - plain).norm(dim=-1) / plain.norm(dim=-1)
    assert (turned > 0.05).all() and (turned < 0.15).all()
