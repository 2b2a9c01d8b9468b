"""Named configurations of a training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from motionclip.errors import ModelError
from motionclip.losses.objective import LossWeights
from motionclip.model.config import ModelConfig


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Attributes:
        model: sizes of the network.
        losses: weights of the losses.
        steps: steps of the auto-encoder.
        batch_size: windows per step.
        lr: peak learning rate of AdamW, reached after ``warmup`` steps, then a cosine down to a hundredth.
        warmup: steps of linear warm-up.
        weight_decay: of AdamW.
        clip_norm: gradients are scaled down to this norm.
        ema: decay of the averaged weights, which are the ones that are kept.
        window_seconds: lengths of window to draw from; each step takes one of them.
        min_seconds: shorter segments are left out.
        mirror: draw mirror images too, with left and right exchanged in the words.
        dataset_weights: how often a data set is drawn per second of it, 1 where it is not named.
        bf16: run the transformers in bfloat16.
        seed: of weights, draws and noise.
        prior_steps: steps of the latent prior, after the auto-encoder.
        prior_batch: latents per step of the prior.
        prior_lr: peak learning rate of the prior.
        prior_pool: windows encoded once for the prior to learn from.
        validate_every: steps between validations.
        save_every: steps between checkpoints.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    steps: int = 4_000
    batch_size: int = 64
    lr: float = 4e-4
    warmup: int = 300
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    window_seconds: tuple[float, ...] = (2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 6.0)
    min_seconds: float = 0.7
    mirror: bool = True
    dataset_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"cmu": 2.0}))
    bf16: bool = True
    seed: int = 0
    prior_steps: int = 10_000
    prior_batch: int = 256
    prior_lr: float = 1e-3
    prior_pool: int = 60_000
    validate_every: int = 500
    save_every: int = 250

    def __post_init__(self) -> None:
        counts = ("batch_size", "prior_batch", "prior_pool", "validate_every", "save_every")
        for name, least in [*((name, 1) for name in counts), ("steps", 0), ("prior_steps", 0), ("seed", 0)]:
            if getattr(self, name) < least:
                raise ModelError(f"{name} is {getattr(self, name)}; expected at least {least}")
        longest = self.model.max_frames / self.model.fps
        if not self.window_seconds or not 0.1 <= min(self.window_seconds) <= max(self.window_seconds) <= longest:
            raise ModelError(
                f"window_seconds are {self.window_seconds}; expected lengths of 0.1 to {longest:g} seconds"
            )

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return values | {
            "model": self.model.to_dict(),
            "losses": dataclasses.asdict(self.losses),
            "dataset_weights": dict(self.dataset_weights),
        }


_TINY_MODEL = ModelConfig(
    latent_dim=32,
    width=32,
    heads=2,
    feedforward=64,
    encoder_layers=1,
    decoder_layers=1,
    linear_nodes=8,
    refiner_width=32,
    prior_width=64,
    prior_layers=1,
)

PRESETS: Mapping[str, TrainConfig] = MappingProxyType(
    {
        "base": TrainConfig(),
        # Learns little, but in seconds: for trying out a data set, and for the tests.
        "tiny": TrainConfig(
            model=_TINY_MODEL,
            steps=40,
            batch_size=8,
            warmup=5,
            ema=0.9,
            window_seconds=(2.0,),
            bf16=False,
            prior_steps=20,
            prior_batch=16,
            prior_pool=64,
            validate_every=20,
            save_every=10,
        ),
    }
)


def preset(name: str) -> TrainConfig:
    """The preset called ``name``.

    Raises:
        ModelError: if there is none.
    """
    if name not in PRESETS:
        raise ModelError(f"no preset is called {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
