"""Named configurations of a training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from motionclip.errors import ModelError
from motionclip.losses.objective import LossWeights
from motionclip.model.config import ModelConfig
from motionclip.training.frames import FrameChoice


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Attributes:
        model: sizes of the network.
        losses: weights of the losses.
        steps: steps of the auto-encoder.
        epochs: passes over the data instead of ``steps``, unless 0; a pass draws as many windows as the training
            clips have runs of 100 frames, as the paper's code counts them.
        batch_size: windows per step, of each process.
        lr: peak learning rate of AdamW.
        schedule: ``cosine``, down to a hundredth of the peak, or ``constant``.
        warmup: steps of linear warm-up before that.
        betas: of AdamW.
        weight_decay: of AdamW.
        clip_norm: gradients are scaled down to this norm, unless 0.
        ema: decay of the averaged weights, which are the ones that are kept; 0 keeps the last ones.
        window_seconds: lengths of window to draw from; each step takes one of them.
        words: ``segment`` describes a window by a sentence of the captioned segment that it is drawn from, ``joined``
            by the labels of all that happens in it, joined by " and ", as in the paper.
        frame_choice: which pictured frame of a window stands for it in the image loss (`training/frames.py`).
        frames_per_window: pictured frames per two seconds where the stores hold no pictures.
        min_seconds: shorter segments are left out.
        mirror: draw mirror images too, with left and right exchanged in the words.
        dataset_weights: how often a data set is drawn per second of it, 1 where it is not named.
        bf16: run the transformers in bfloat16.
        compile: compile the transformers with torch.compile; figures then differ in the last digits, also when resumed.
        seed: of weights, draws and noise.
        pool: windows with words that are encoded once, after the auto-encoder, for the text head and the prior.
        paraphrase_steps: steps of the text head on sentences alone, before the auto-encoder, where there are any.
        head_steps: steps of the text head on those windows.
        head_batch: latents or pairs of sentences per step of the text head, of each process.
        head_lr: peak learning rate of the text head when it learns alone.
        prior_steps: steps of the latent prior, at last.
        prior_batch: latents per step of the prior, of each process.
        prior_lr: peak learning rate of the prior.
        validate_every: steps between validations.
        save_every: steps between checkpoints.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    steps: int = 2_500
    epochs: int = 0
    batch_size: int = 64
    lr: float = 4e-4
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: int = 300
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    window_seconds: tuple[float, ...] = (2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 6.0)
    words: Literal["segment", "joined"] = "segment"
    frame_choice: FrameChoice = "random"
    frames_per_window: int = 4
    min_seconds: float = 0.7
    mirror: bool = True
    dataset_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"cmu": 2.0}))
    bf16: bool = False
    compile: bool = False
    seed: int = 0
    pool: int = 60_000
    paraphrase_steps: int = 600
    head_steps: int = 200
    head_batch: int = 512
    head_lr: float = 1e-3
    prior_steps: int = 10_000
    prior_batch: int = 256
    prior_lr: float = 1e-3
    validate_every: int = 500
    save_every: int = 250

    def __post_init__(self) -> None:
        counts = (
            "batch_size",
            "head_batch",
            "prior_batch",
            "pool",
            "validate_every",
            "save_every",
            "frames_per_window",
        )
        amounts = (
            "steps",
            "epochs",
            "paraphrase_steps",
            "head_steps",
            "prior_steps",
            "seed",
            "warmup",
            "clip_norm",
            "ema",
        )
        for name, least in [*((name, 1) for name in counts), *((name, 0) for name in amounts)]:
            if getattr(self, name) < least:
                raise ModelError(f"{name} is {getattr(self, name)}; expected at least {least}")
        longest = self.model.max_frames / self.model.fps
        if not self.window_seconds or not 0.1 <= min(self.window_seconds) <= max(self.window_seconds) <= longest:
            raise ModelError(
                f"window_seconds are {self.window_seconds}; expected lengths of 0.1 to {longest:g} seconds"
            )

        if self.words == "joined" and len(set(self.window_seconds)) > 1:
            raise ModelError(f"words are joined for windows of one length; window_seconds are {self.window_seconds}")

    @property
    def uses_pictures(self) -> bool:
        """Whether the objective holds motions against pictures."""
        return self.losses.image_cosine > 0

    def with_text_encoder(self, name: str, dim: int, *, sees_pictures: bool) -> TrainConfig:
        """The same configuration on another text encoder of ``dim`` numbers; one that sees no pictures trains without them."""
        losses = self.losses if sees_pictures else dataclasses.replace(self.losses, image_cosine=0.0)
        return dataclasses.replace(self, model=self.model.with_text_encoder(name, dim), losses=losses)

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
    pca_keyframes=8,
    refiner_width=32,
    prior_width=64,
    prior_layers=1,
)

_PAPER_MODEL = ModelConfig(
    architecture="paper",
    layout="translation",
    max_frames=60,
    text_encoder="clip:ViT-B-32",
    text_dim=512,
    latent_dim=512,
    embedding_norm=512**0.5,
    width=512,
    heads=4,
    feedforward=1024,
    encoder_layers=8,
    decoder_layers=8,
    dropout=0.1,
    frames_per_token=1,
    prefix_tokens=1,
    prior_layers=0,
)

#: The published weights are 1 for each mean over numbers; a mean over vertices counts three numbers at a time.
_PAPER_LOSSES = LossWeights(
    features=1.0,
    feature_velocity=1.0,
    orientation=0.0,
    orientation_velocity=0.0,
    vertices=1 / 3,
    path=0.0,
    velocity=0.0,
    contact=0.0,
    skate=0.0,
    cosine=0.01,
    image_cosine=0.01,
    contrast=0.0,
    latent_noise=0.0,
)

PRESETS: Mapping[str, TrainConfig] = MappingProxyType(
    {
        "base": TrainConfig(),
        # The published system, docs/paper.md.
        "paper": TrainConfig(
            model=_PAPER_MODEL,
            losses=_PAPER_LOSSES,
            epochs=100,
            batch_size=20,
            lr=1e-4,
            schedule="constant",
            warmup=0,
            betas=(0.9, 0.999),
            clip_norm=0.0,
            ema=0.0,
            window_seconds=(2.0,),
            words="joined",
            mirror=False,
            dataset_weights=MappingProxyType({}),
            bf16=False,
            paraphrase_steps=0,
            head_steps=0,
            prior_steps=0,
        ),
        # Learns little, but in seconds: for trying out a data set, and for the tests.
        "tiny": TrainConfig(
            model=_TINY_MODEL,
            steps=40,
            batch_size=8,
            warmup=5,
            ema=0.9,
            window_seconds=(2.0,),
            bf16=False,
            pool=64,
            paraphrase_steps=10,
            head_steps=10,
            head_batch=16,
            prior_steps=20,
            prior_batch=16,
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
