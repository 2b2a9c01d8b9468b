"""Sizes and choices of a model, saved as ``config.json`` beside its weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from motionclip.errors import ModelError
from motionclip.model.features import LAYOUTS

ARCHITECTURES = ("residual", "paper")


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
    fps: float = 30.0
    max_frames: int = 180
    text_encoder: str = "minilm"
    text_dim: int = 384
    text_hidden: int = 0
    latent_dim: int = 384
    image_head: bool = False
    embedding_norm: float = 1.0
    width: int = 256
    heads: int = 4
    feedforward: int = 640
    encoder_layers: int = 4
    decoder_layers: int = 4
    dropout: float = 0.0
    frames_per_token: int = 4
    prefix_tokens: int = 2
    pca_keyframes: int = 24
    refiner_width: int = 128
    prior_width: int = 512
    prior_layers: int = 3

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
    def from_dict(cls, values: dict[str, object]) -> ModelConfig:
        """Returns the config of such values, the inverse of :meth:`to_dict`.

        Raises:
            ModelError: on a name that this version does not know, or a value that does not fit.
        """
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ModelError(f"the model's config has unknown entries {unknown}; it was written by another version")
        return cls(**values)  # type: ignore[arg-type]
