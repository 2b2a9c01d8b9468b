"""Sizes and choices of a model, saved as ``config.json`` beside its weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from motionclip.errors import ModelError
from motionclip.gate.documents import DocumentError, Name, Rate, checked
from motionclip.model.features import LAYOUTS

ARCHITECTURES = ("residual", "paper")

#: What a size of a network may be: a config with more is damaged, and would fill the memory before the weights tell.
Size = Annotated[int, Meta(ge=1, le=16_384)]
Layers = Annotated[int, Meta(ge=1, le=256)]


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and choices of the autoencoder, its heads and its latent prior.

    Attributes:
        architecture: ``residual``, ours (`model/network.py`), or ``paper``, the published network (`model/paper.py`).
        layout: convention of feature channels (`model/features.py`).
        fps: frame rate of the model's motions.
        max_frames: longest motion that the model encodes or decodes, in frames.
        text_encoder: name of the frozen text encoder.
        text_dim: size of that text encoder's text embeddings.
        text_inner: size of what the text head's inner map makes of an embedding; 0 for ``text_dim``.
        text_hidden: hidden numbers of the correction of the text head's linear map; 0 for none.
        latent_dim: D, size of the latent: a unit vector in ``residual``; in ``paper`` of the text encoder's size.
        image_head: whether the model takes image embeddings too; always true of ``paper``.
        embedding_norm: norm that text and image embeddings are scaled to in ``paper``.
        width: size of a transformer token.
        heads: attention heads.
        feedforward: hidden size of a transformer layer.
        encoder_layers: transformer layers of the encoder.
        decoder_layers: transformer layers of the decoder.
        dropout: dropout rate in the transformer layers.
        frames_per_token: consecutive frames in one token; 1 in the paper.
        prefix_tokens: learned tokens before the motion's, from whose outputs the latent is read.
        pca_keyframes: keyframes of a window that the PCA autoencoder of ``residual`` sees.
        refiner_width: channels of the convolution over frames of the decoder of ``residual``.
        prior_width: hidden size of the latent prior.
        prior_layers: residual layers of the latent prior; 0 for a model without one.
    """

    architecture: str = "residual"
    layout: str = "positions"
    fps: Rate = 30.0
    max_frames: Annotated[int, Meta(ge=1, le=100_000)] = 180
    text_encoder: Name = "minilm"
    text_dim: Size = 384
    text_inner: Annotated[int, Meta(ge=0, le=16_384)] = 0
    text_hidden: Annotated[int, Meta(ge=0, le=16_384)] = 0
    latent_dim: Size = 384
    image_head: bool = False
    embedding_norm: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    width: Size = 256
    heads: Size = 4
    feedforward: Size = 640
    encoder_layers: Layers = 4
    decoder_layers: Layers = 4
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    frames_per_token: Size = 4
    prefix_tokens: Annotated[int, Meta(ge=0, le=256)] = 2
    pca_keyframes: Size = 24
    refiner_width: Size = 128
    prior_width: Size = 512
    prior_layers: Annotated[int, Meta(ge=0, le=256)] = 3

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES or self.layout not in LAYOUTS:
            raise ModelError(
                f"architecture {self.architecture!r} with layout {self.layout!r}; expected one of "
                f"{', '.join(ARCHITECTURES)} and one of {', '.join(LAYOUTS)}"
            )
        paper = self.architecture == "paper"
        same_size = self.latent_dim == self.width == self.text_dim
        if paper and (not same_size or self.frames_per_token != 1 or self.prior_layers):
            raise ModelError(
                f"the paper's network with latent_dim {self.latent_dim}, width {self.width}, text_dim "
                f"{self.text_dim}, frames_per_token {self.frames_per_token} and prior_layers {self.prior_layers}; "
                "expected three equal sizes (its latent is the text encoder's space and a token), 1 and 0"
            )
        if self.width % self.heads or self.width % 2:
            raise ModelError(f"width {self.width} with {self.heads} heads; expected an even width that heads divide")
        if self.max_frames % self.frames_per_token:
            raise ModelError(
                f"max_frames {self.max_frames} is not a multiple of frames_per_token {self.frames_per_token}; "
                "choose one that is"
            )

    def with_text_encoder(self, name: str, dim: int, *, image_head: bool | None = None) -> ModelConfig:
        """Returns the config on another text encoder of ``dim`` numbers, by default with an image head as before.

        The paper's network takes that size throughout, for its latent is the text encoder's space.
        """
        sizes = {"latent_dim": dim, "width": dim, "embedding_norm": dim**0.5} if self.architecture == "paper" else {}
        images = self.image_head if image_head is None else image_head
        return dataclasses.replace(self, text_encoder=name, text_dim=dim, image_head=images, **sizes)

    @property
    def channels(self) -> int:
        """C, feature channels per frame."""
        return LAYOUTS[self.layout].channels

    @property
    def num_coefficients(self) -> int:
        """D - 1, free numbers of a latent of ``residual``, which is a direction."""
        return self.latent_dim - 1

    def to_dict(self) -> dict[str, object]:
        """Returns the fields by name, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> ModelConfig:
        """Returns the config of such values, the inverse of :meth:`to_dict`.

        Raises:
            ModelError: on a name that this version does not know, or a value that does not fit.
        """
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ModelError(f"the model's config has unknown entries {unknown}; it was written by another version")
        try:
            return checked(values, cls)
        except DocumentError as error:
            raise ModelError(f"the model's config is damaged: {error}; copy the model again") from error
