"""Adaptation: another text encoder in front of a trained model, without training.

The map from the other encoder's text embeddings x_i to those of the model's own encoder y_i is a ridge regression, in
closed form: W minimises sum_i |W (x_i - mean x) - (y_i - mean y)|^2 + ridge |W|^2. The text head goes on from there.
The ridge is the one with the least leave-one-out error, which needs no refitting: a residual divided by 1 - h_i, with
h_i the diagonal of the hat matrix (Allen's PRESS; Hastie et al., "The Elements of Statistical Learning", eq. 7.52).

CLIP keeps the embeddings of texts and of images in cones that do not touch (Liang et al., "Mind the Gap", NeurIPS
2022). An image is therefore moved by the difference of the means of texts and of images of the same motions, rendered
here from what the model makes of the texts, and then mapped as a text is.
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

#: Every so many captions one is held out, to see how well the map does on texts that it was not fitted on.
_HELD_OUT = 10
_LEAST_CAPTIONS = 20
#: Frames that are rendered for the means, each the middle one of a motion of so many seconds.
_FRAMES, _SECONDS = 64, 2.0
_RIDGES = tuple(10.0**power for power in range(-6, 4))


@dataclass(frozen=True)
class LinearMap:
    """The map from x to weight x + bias, with weight (D, E) and bias (D,), and the ridge it was fitted with."""

    weight: Tensor
    bias: Tensor
    ridge: float

    def __call__(self, inputs: Tensor) -> Tensor:
        """Returns the outputs (N, D) of inputs (N, E)."""
        return inputs @ self.weight.T + self.bias


@dataclass(frozen=True)
class Adaptation:
    """An adapted model, and how well its new head finds the old one's latents.

    Attributes:
        model: the model with new heads.
        captions: how many captions the map was fitted on.
        held_out: retrieval of the own latents of held-out captions by the text encoder's, one tenth of the captions.
        gap: cosine of the encoder's mean text and mean image; None for an encoder of texts alone.
    """

    model: MotionCLIP
    captions: int
    held_out: Retrieval
    gap: float | None


def default_captions() -> tuple[str, ...]:
    """Returns the package's sentences: each content and style of the Bandai-Namco sets in several wordings."""
    pairs = [(content, style) for number in (1, 2) for content, style, _ in canonical_sentences(number)]
    return tuple(dict.fromkeys(text for content, style in pairs for text in sentences(content, style)[:10]))


def fit_linear(inputs: Tensor, targets: Tensor) -> LinearMap:
    """Returns the ridge regression from inputs (N, E) to targets (N, D) with the least leave-one-out error."""
    x, y = inputs.double(), targets.double()
    centre, goal = x.mean(dim=0), y.mean(dim=0)
    u, s, vt = torch.linalg.svd(x - centre, full_matrices=False)
    seen = u.T @ (y - goal)

    def left_out_error(ridge: float) -> float:
        shrink = s.square() / (s.square() + ridge)
        residual = y - goal - u @ (shrink[:, None] * seen)
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
    """Returns a copy of a model that takes another encoder's texts, and its images if it has an image encoder.

    Args:
        model: with a text head of its own: not the paper's network, whose latent is its text encoder's space.
        text_encoder: the new text encoder.
        captions: texts in English to fit the map on, several hundred or more; by default :func:`default_captions`.
        on_stage: called with a line on what is being done.

    Raises:
        DataError: if there are too few captions.
        ModelError: if the model has no heads of its own.
    """
    texts = list(dict.fromkeys(captions or default_captions()))
    if len(texts) < _LEAST_CAPTIONS:
        raise DataError(f"{len(texts)} distinct captions; expected at least {_LEAST_CAPTIONS}, better a thousand")
    if not model.has_text_head:
        raise ModelError(
            "the paper's network has its text encoder's space as latent; train it with that text encoder instead"
        )
    on_stage(f"encoding {len(texts)} captions with {text_encoder.name}")
    inputs, targets = text_encoder.encode_texts(texts), model.text_encoder.encode_texts(texts)
    held = torch.arange(len(inputs)) % _HELD_OUT == 0
    mapped = fit_linear(inputs[~held], targets[~held])(inputs[held])
    head = model.network.autoencoder.text_head
    found, own = (head(rows.to(model.device)).detach() for rows in (mapped, targets[held]))
    held_out = retrieval(cosines(found, own), torch.eye(int(held.sum()), dtype=torch.bool))
    text_map = fit_linear(inputs, targets)
    image_bias, gap = None, None
    if isinstance(text_encoder, ImageEncoder):
        on_stage(f"rendering {min(_FRAMES, len(texts))} frames for the gap between texts and images")
        chosen = range(0, len(texts), -(-len(texts) // _FRAMES))
        motions = text_to_motion(model, [texts[index] for index in chosen], seconds=_SECONDS)
        frames = np.concatenate([render_clip_frames(motion, [motion.num_frames // 2]) for motion in motions])
        text_mean, image_mean = inputs[list(chosen)].mean(dim=0), text_encoder.encode_images(list(frames)).mean(dim=0)
        image_bias = text_map.bias + text_map.weight @ (text_mean - image_mean)
        gap = torch.nn.functional.cosine_similarity(text_mean, image_mean, dim=0).item()
    adapted = model.adapted(text_encoder, text_map.weight, text_map.bias, image_bias)
    return Adaptation(adapted, len(texts), held_out, gap)
