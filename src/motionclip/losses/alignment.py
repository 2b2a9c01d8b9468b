"""Words and motion in one place: cosine pull and contrast."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.losses.distributed import mean_of


def cosine_loss(motion: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """1 - cos (scalar) of latents of motions (B, D) and of words or pictures (B, D), averaged by weight (B,).

    The mean is over the rows of all processes.
    """
    return mean_of(((1 - F.cosine_similarity(motion, other, dim=-1)) * weight).sum(), weight.sum(), least=1e-6)


def contrastive_targets(label: Tensor, similarity: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Which pairs of a batch mean the same, and which may be held against each other.

    Args:
        label: (B,) id of each clip's label, or -1 where it has none but its own words.
        similarity: (B, B) text encoder similarity of the clips' texts.
        threshold: unlabelled texts at least this similar are not negatives of each other (TMR,
            Petrovich et al., ICCV 2023, section 3.3).

    Returns:
        positive (B, B): the same clip or the same label; allowed (B, B): pairs that enter the soft-max.
    """
    itself = torch.eye(len(label), dtype=torch.bool, device=label.device)
    labelled = label >= 0
    both = labelled[:, None] & labelled[None, :]
    positive = itself | (both & (label[:, None] == label[None, :]))
    distinct = torch.where(both, label[:, None] != label[None, :], similarity < threshold)
    return positive, positive | distinct


def info_nce(motion: Tensor, text: Tensor, positive: Tensor, allowed: Tensor, temperature: Tensor | float) -> Tensor:
    """Symmetric InfoNCE (scalar) with several positives per row.

    Args:
        motion: (B, D) motion latents, of any norm.
        text: (B, D) text latents, of any norm.
        positive: (B, B) pairs that mean the same; each row holds at least one.
        allowed: (B, B) pairs in the soft-max; holds every positive.
        temperature: divides the cosines.
    """
    logits = (F.normalize(motion, dim=-1) @ F.normalize(text, dim=-1).T / temperature).masked_fill(
        ~allowed, float("-inf")
    )
    share = positive.float() / positive.sum(dim=1, keepdim=True)

    def one_way(scores: Tensor, share: Tensor) -> Tensor:
        log_probability = F.log_softmax(scores, dim=1).masked_fill(~positive, 0.0)
        return -(share * log_probability).sum(dim=1).mean()

    return (one_way(logits, share) + one_way(logits.T, share)) / 2
