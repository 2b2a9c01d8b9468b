"""Which pairs count as the same, that the contrast pulls them together, and the losses' formulas."""

import pytest
import torch
from torch.nn import functional as F

from motionclip.losses.alignment import (
    ContrastConfig,
    TextTargets,
    contrastive_loss,
    contrastive_targets,
    cosine_loss,
    info_nce,
)


def points(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_same_labels_are_positives_and_near_texts_are_not_negatives() -> None:
    label = torch.tensor([5, 5, 7, -1, -1])
    similarity = torch.eye(5)
    similarity[3, 4] = similarity[4, 3] = 0.9
    positive, allowed = contrastive_targets(label, similarity, threshold=0.8)
    assert positive[0, 1] and positive[3, 3] and not positive[0, 2] and not positive[3, 4]
    assert allowed[0, 2] and allowed[0, 3] and not allowed[3, 4]


def test_contrast_is_least_when_positives_are_nearest() -> None:
    latents = F.normalize(points(4, 16, 0), dim=-1)
    label = torch.tensor([0, 0, 1, 2])
    positive, allowed = contrastive_targets(label, torch.zeros(4, 4), threshold=0.8)
    same = latents[[0, 0, 2, 3]]
    aligned = info_nce(same, same, positive, allowed, 0.07)
    shuffled = info_nce(same, same[[2, 3, 0, 1]], positive, allowed, 0.07)
    assert aligned < shuffled - 1
    alone = torch.eye(4, dtype=torch.bool)
    plain = F.cross_entropy(latents @ latents.T / 0.07, torch.arange(4))
    torch.testing.assert_close(info_nce(latents, latents, alone, torch.ones(4, 4, dtype=torch.bool), 0.07), plain)


def test_contrast_is_its_formula_over_described_windows() -> None:
    motion, text, embedding = points(5, 6, 0), points(5, 6, 1), F.normalize(points(5, 6, 2), dim=-1)
    targets = TextTargets(embedding, torch.tensor([3, 3, -1, -1, -1]), torch.tensor([1.0, 1, 1, 1, 0]))
    config = ContrastConfig(temperature=0.5, same_text=0.0)
    unit, other = F.normalize(motion, dim=-1), F.normalize(text, dim=-1)

    def one_way(rows: torch.Tensor, columns: torch.Tensor) -> float:
        total = 0.0
        for i in range(4):  # the last window has no text
            same = {0, 1} if i < 2 else {i}
            held = [j for j in range(4) if j in same or embedding[i] @ embedding[j] < 0.0]
            scores = {j: (rows[i] @ columns[j]).item() / 0.5 for j in held}
            norm = torch.tensor(list(scores.values())).logsumexp(0).item()
            total -= sum(scores[j] - norm for j in same) / len(same)
        return total / 4

    expected = (one_way(unit, other) + one_way(other, unit)) / 2
    assert contrastive_loss(motion, text, targets, config).item() == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_texts_has_no_contrast_and_no_gradient() -> None:
    motion = points(3, 4, 0).requires_grad_()
    targets = TextTargets(points(3, 4, 1), torch.full((3,), -1), torch.zeros(3))
    loss = contrastive_loss(motion, points(3, 4, 2), targets, ContrastConfig())
    loss.backward()
    assert loss.item() == 0 and motion.grad is not None and motion.grad.abs().max() == 0


def test_cosine_is_the_mean_over_windows_with_words() -> None:
    motion, text = torch.eye(2), torch.eye(2)[[0, 0]]
    assert cosine_loss(motion, text, torch.tensor([1.0, 0.0])).item() == 0
    assert cosine_loss(motion, text, torch.tensor([0.0, 1.0])).item() == 1
    assert cosine_loss(motion, text, torch.tensor([1.0, 1.0])).item() == 0.5
    assert cosine_loss(motion, text, torch.zeros(2)).item() == 0
    one, other = points(3, 5, 0), points(3, 5, 1)
    expected = sum(1 - (a @ b / a.norm() / b.norm()).item() for a, b in zip(one, other, strict=True)) / 3
    assert cosine_loss(one, other, torch.ones(3)).item() == pytest.approx(expected)


def test_gradients_of_the_losses_are_those_of_their_values() -> None:
    motion, text = points(4, 5, 0).requires_grad_(), points(4, 5, 1).requires_grad_()
    weight = torch.tensor([1.0, 1, 0, 1])
    targets = TextTargets(F.normalize(points(4, 5, 2), dim=-1), torch.tensor([1, -1, -1, 1]), weight)
    assert torch.autograd.gradcheck(lambda m, t: cosine_loss(m, t, weight.double()), (motion, text))
    assert torch.autograd.gradcheck(lambda m, t: contrastive_loss(m, t, targets, ContrastConfig()), (motion, text))
    cosine_loss(motion, text, weight).backward()
    assert motion.grad is not None and motion.grad[2].abs().max() == 0 and motion.grad[0].abs().max() > 0
