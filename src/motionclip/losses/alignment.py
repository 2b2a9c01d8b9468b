"""Losses that align latents of motions with latents of texts and images: cosine distance and contrast."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.errors import ModelError
from motionclip.losses.distributed import gathered, mean_of


@dataclass(frozen=True)
class ContrastConfig:
    """Settings of the contrastive loss.

    Attributes:
        temperature: divides the cosines.
        same_text: texts of greater similarity, by the text encoder, are not negatives of each other.
    """

    temperature: float = 0.05
    same_text: float = 0.8

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ModelError(f"the contrast's temperature is {self.temperature}; expected more than 0")


@dataclass(frozen=True)
class TextTargets:
    """Texts of a batch.

    Attributes:
        embedding: (B, E) by the text encoder.
        label: (B,) id of the clip's label, or -1 where it has none but its own text.
        weight: (B,) 0 for a window without text, else 1.
    """

    embedding: Tensor
    label: Tensor
    weight: Tensor


@dataclass(frozen=True)
class ImageTargets:
    """Rendered frames of a batch.

    Attributes:
        embedding: (B, E) by the image encoder.
        weight: (B,) 0 for a window without a rendered frame, else 1.
    """

    embedding: Tensor
    weight: Tensor


def cosine_loss(motion: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """1 - cos (scalar) of latents of motions (B, D) and of texts or images (B, D), averaged by weight (B,).

    The mean is over the rows of all processes.
    """
    return mean_of(((1 - F.cosine_similarity(motion, other, dim=-1)) * weight).sum(), weight.sum(), least=1e-6)


def contrastive_loss(motion: Tensor, text: Tensor, targets: TextTargets, config: ContrastConfig) -> Tensor:
    """InfoNCE (scalar) of latents of motions (B, D) and texts (B, D), each against those of all processes."""
    described = gathered(targets.weight) > 0
    if not described.any():
        return motion.sum() * 0
    motion, text, embedding = (gathered(rows)[described] for rows in (motion, text, targets.embedding))
    similarity = embedding @ embedding.T
    positive, allowed = contrastive_targets(gathered(targets.label)[described], similarity, config.same_text)
    return info_nce(motion, text, positive, allowed, config.temperature)


def contrastive_targets(label: Tensor, similarity: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Returns which pairs of a batch mean the same, and which enter the soft-max.

    Args:
        label: (B,) id of each clip's label, or -1 where it has none but its own text.
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
