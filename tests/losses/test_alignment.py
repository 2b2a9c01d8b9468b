"""Which pairs count as the same, and that the contrast pulls them together."""

import torch
from torch.nn import functional as F

from motionclip.losses.alignment import contrastive_targets, cosine_loss, info_nce


def test_same_labels_are_positives_and_near_texts_are_not_negatives() -> None:
    label = torch.tensor([5, 5, 7, -1, -1])
    similarity = torch.eye(5)
    similarity[3, 4] = similarity[4, 3] = 0.9
    positive, allowed = contrastive_targets(label, similarity, threshold=0.8)
    assert positive[0, 1] and positive[3, 3] and not positive[0, 2] and not positive[3, 4]
    assert allowed[0, 2] and allowed[0, 3] and not allowed[3, 4]


def test_contrast_is_least_when_positives_are_nearest() -> None:
    points = F.normalize(torch.randn(4, 16, generator=torch.Generator().manual_seed(0)), dim=-1)
    label = torch.tensor([0, 0, 1, 2])
    positive, allowed = contrastive_targets(label, torch.zeros(4, 4), threshold=0.8)
    same = points[[0, 0, 2, 3]]
    aligned = info_nce(same, same, positive, allowed, 0.07)
    shuffled = info_nce(same, same[[2, 3, 0, 1]], positive, allowed, 0.07)
    assert aligned < shuffled - 1
    alone = torch.eye(4, dtype=torch.bool)
    plain = F.cross_entropy(points @ points.T / 0.07, torch.arange(4))
    torch.testing.assert_close(info_nce(points, points, alone, torch.ones(4, 4, dtype=torch.bool), 0.07), plain)


def test_cosine_leaves_out_windows_without_words() -> None:
    motion, text = torch.eye(2), torch.eye(2)[[0, 0]]
    assert cosine_loss(motion, text, torch.tensor([1.0, 0.0])).item() == 0
    assert cosine_loss(motion, text, torch.tensor([0.0, 1.0])).item() == 1
