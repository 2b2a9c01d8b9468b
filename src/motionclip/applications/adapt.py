"""Another text encoder in front of a trained model, without training: its texts and pictures mapped to the model's latent.

The map from the text encoder's text embeddings x_i to the model's own text latents z_i is a ridge regression, in
closed form: W minimises sum_i |W (x_i - mean x) - (z_i - mean z)|^2 + ridge |W|^2. The ridge is the one with
the least leave-one-out error, which needs no refitting: a residual divided by 1 - h_i, with h_i the diagonal
of the hat matrix (Allen's PRESS; Hastie et al., "The Elements of Statistical Learning", equation 7.52).

A text encoder of texts and pictures keeps the two in cones that do not touch (Liang et al., "Mind the Gap", NeurIPS
2022). A picture is therefore moved by the difference of the means of texts and of pictures of the same
motions, rendered here from what the model makes of the texts, and then mapped as a text is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionclip.applications.text_to_motion import text_to_motion
from motionclip.data import canonical_sentences
from motionclip.data.bandai_namco import sentences
from motionclip.encoders import ImageEncoder, TextEncoder
from motionclip.errors import DataError, ModelError
from motionclip.metrics.retrieval import Retrieval, cosines, retrieval
from motionclip.model.pipeline import MotionCLIP
from motionclip.render import render_clip_frames

#: Every so many captions one is held out, to see how well the map does on words that it was not fitted on.
_HELD_OUT = 10
_LEAST_CAPTIONS = 20
_PICTURES = 64
_PICTURE_SECONDS = 2.0
_RIDGES = tuple(10.0**power for power in range(-6, 4))


@dataclass(frozen=True)
class LinearMap:
    """x to weight x + bias, with weight (D, E) and bias (D,), and the ridge it was fitted with."""

    weight: Tensor
    bias: Tensor
    ridge: float

    def __call__(self, inputs: Tensor) -> Tensor:
        """Inputs (N, E) to outputs (N, D)."""
        return inputs @ self.weight.T + self.bias


@dataclass(frozen=True)
class Adaptation:
    """An adapted model and how well its new head finds the old one's latents.

    Attributes:
        model: the model with new heads.
        captions: how many captions the map was fitted on.
        held_out: retrieval of the own latents of held-out captions by the text encoder's, one tenth of the captions.
        gap: cosine of the means of texts and pictures in the text encoder; None for a text encoder of texts alone.
    """

    model: MotionCLIP
    captions: int
    held_out: Retrieval
    gap: float | None


def default_captions() -> tuple[str, ...]:
    """Sentences that the package knows: each content and style of the Bandai-Namco sets in several wordings."""
    pairs = [(content, style) for number in (1, 2) for content, style, _ in canonical_sentences(number)]
    return tuple(dict.fromkeys(text for content, style in pairs for text in sentences(content, style)[:10]))


def fit_linear(inputs: Tensor, targets: Tensor) -> LinearMap:
    """The ridge regression from inputs (N, E) to targets (N, D) with the least leave-one-out error."""
    x, z = inputs.double(), targets.double()
    centre, goal = x.mean(dim=0), z.mean(dim=0)
    u, s, vt = torch.linalg.svd(x - centre, full_matrices=False)
    seen = u.T @ (z - goal)

    def left_out_error(ridge: float) -> float:
        shrink = s.square() / (s.square() + ridge)
        residual = z - goal - u @ (shrink[:, None] * seen)
        hat = 1 / len(x) + (u.square() * shrink).sum(dim=1)
        return (residual / (1 - hat).clamp(min=1e-6)[:, None]).square().mean().item()

    ridge = min(_RIDGES, key=left_out_error)
    weight = (vt.T @ ((s / (s.square() + ridge))[:, None] * seen)).T
    return LinearMap(weight.float(), (goal - weight @ centre).float(), ridge)


def adapt(
    model: MotionCLIP,
    text_encoder: TextEncoder,
    captions: Sequence[str] | None = None,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Adaptation:
    """A copy of a model that takes another text encoder's texts, and its pictures if it sees them.

    Args:
        model: with a text head that can be replaced: not the paper's network, whose latent is its text encoder's space.
        text_encoder: the new text encoder.
        captions: texts in English to fit the map on, several hundred or more; by default :func:`default_captions`.
        on_stage: called with a word for what is being done.

    Raises:
        DataError: if there are too few captions.
        ModelError: if the model's heads cannot be replaced.
    """
    texts = list(dict.fromkeys(captions or default_captions()))
    if len(texts) < _LEAST_CAPTIONS:
        raise DataError(f"{len(texts)} distinct captions; expected at least {_LEAST_CAPTIONS}, better a thousand")
    if not model.has_linear_heads:
        raise ModelError(
            "the paper's network has its text encoder's space as latent; train it with that text encoder instead"
        )
    on_stage(f"encoding {len(texts)} captions with {text_encoder.name}")
    inputs, targets = text_encoder.encode_texts(texts), model.embed_text(texts).cpu()
    held_out = _held_out_retrieval(inputs, targets)
    text_map = fit_linear(inputs, targets)
    image_bias, gap = None, None
    if isinstance(text_encoder, ImageEncoder):
        on_stage(f"rendering {min(_PICTURES, len(texts))} pictures for the gap between texts and pictures")
        text_mean, image_mean = _means(model, text_encoder, texts, inputs)
        image_bias = text_map.bias + text_map.weight @ (text_mean - image_mean)
        gap = torch.nn.functional.cosine_similarity(text_mean, image_mean, dim=0).item()
    adapted = model.adapted(text_encoder, text_map.weight, text_map.bias, image_bias)
    return Adaptation(adapted, len(texts), held_out, gap)


def _held_out_retrieval(inputs: Tensor, targets: Tensor) -> Retrieval:
    held = torch.arange(len(inputs)) % _HELD_OUT == 0
    mapped = fit_linear(inputs[~held], targets[~held])(inputs[held])
    return retrieval(cosines(mapped, targets[held]), torch.eye(int(held.sum()), dtype=torch.bool))


def _means(
    model: MotionCLIP, text_encoder: ImageEncoder, texts: Sequence[str], inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean embeddings (E,) of some texts, and of pictures of their motions."""
    chosen = range(0, len(texts), -(-len(texts) // _PICTURES))
    motions = text_to_motion(model, [texts[index] for index in chosen], seconds=_PICTURE_SECONDS)
    pictures = np.concatenate([render_clip_frames(motion, [motion.num_frames // 2]) for motion in motions])
    return inputs[list(chosen)].mean(dim=0), text_encoder.encode_images(list(pictures)).mean(dim=0)
