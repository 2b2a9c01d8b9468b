"""Configuration of a training run, nested by phase, and its presets.

`motionclip train` makes a flag of every field: ``--autoencoder.lr``, ``--losses.contrast``, ``--model.width``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal

from tyro.conf import arg

from motionclip.errors import ModelError
from motionclip.losses.alignment import ContrastConfig
from motionclip.losses.objective import LossWeights
from motionclip.model.config import ModelConfig

#: Which rendered frame stands for a window (`training/frames.py`).
FrameChoice = Literal["random", "middle", "extreme", "best-text"]


def _check_least(config: object, least: float, *names: str) -> None:
    for name in names:
        if getattr(config, name) < least:
            raise ModelError(f"{name} is {getattr(config, name)}; expected at least {least}")


@dataclass(frozen=True)
class WindowConfig:
    """Which windows of the stores are drawn, and what describes them.

    Attributes:
        seconds: lengths of window to draw from; each step takes one of them.
        min_seconds: shorter segments are left out.
        mirror: draw mirror images too, with left and right exchanged in the texts.
        dataset_weights: how often a data set is drawn per second of it, by name; 1 where it is not named.
        balance: power of the seconds of an action by which its windows are drawn less often: with 0.5 an action of four
            times as many seconds is drawn twice as often, with 0 four times.
        references: let windows be described by what people say for their action, too (`data/references.jsonl`).
        reversals: draw actions that are another one backwards as that one, too (`data/reversals.json`).
        measured: share of the windows that are described by their kinematics alone (`data/measured.py`).
        captions: `segment` describes a window by a sentence of the captioned segment that it is drawn from, `joined` by
            the labels of all that happens in it, joined by " and ", as in the paper.
        frame_choice: which rendered frame of a window the image loss takes (`training/frames.py`).
        frames_per_window: rendered frames per two seconds where the stores hold none.
    """

    seconds: tuple[float, ...] = (2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 6.0)
    min_seconds: float = 0.7
    mirror: bool = True
    dataset_weights: tuple[tuple[str, float], ...] = ()
    balance: float = 0.5
    references: bool = True
    reversals: bool = True
    measured: float = 0.3
    captions: Literal["segment", "joined"] = "segment"
    frame_choice: FrameChoice = "random"
    frames_per_window: int = 4

    def __post_init__(self) -> None:
        _check_least(self, 1, "frames_per_window")
        _check_least(self, 0, "balance", "measured")
        if self.measured > 0.9:
            raise ModelError(f"windows.measured is {self.measured}; expected a share of at most 0.9")
        if not self.seconds or min(self.seconds) < 0.1:
            raise ModelError(f"windows.seconds are {self.seconds}; expected lengths of at least 0.1 seconds")
        if self.captions == "joined" and len(set(self.seconds)) > 1:
            raise ModelError(
                f"captions are joined for windows of one length; windows.seconds are {' '.join(map(str, self.seconds))}"
            )


@dataclass(frozen=True)
class PhaseConfig:
    """Steps of a phase, and its optimizer.

    Attributes:
        steps: number of steps; 0 leaves the phase out.
        batch_size: windows, latents or pairs of sentences per step, of each process.
        lr: peak learning rate of AdamW.
        schedule: of the learning rate: `cosine`, down to a hundredth of the peak, or `constant`.
        warmup: steps of linear warm-up before a cosine.
        betas: of AdamW.
        weight_decay: of AdamW.
        clip_norm: gradients are scaled down to this norm, unless 0.
        ema: decay of the averaged weights, which are the ones that are kept; 0 keeps the last ones.
    """

    steps: int
    batch_size: int
    lr: float
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: int = 0
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.0

    def __post_init__(self) -> None:
        _check_least(self, 1, "batch_size")
        _check_least(self, 0, "steps", "lr", "warmup", "weight_decay", "clip_norm", "ema")


@dataclass(frozen=True)
class AutoencoderPhaseConfig(PhaseConfig):
    """The phase of the auto-encoder.

    Attributes:
        epochs: passes over the data, instead of ``steps``; a pass draws as many windows as the training clips have runs
            of 100 frames, as the paper's code counts them.
        latent_noise: standard deviation of the noise on the decoder's latent, per number of unit variance.
    """

    epochs: int = 0
    latent_noise: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_least(self, 0, "epochs", "latent_noise")
        if self.steps and self.epochs:
            raise ModelError(
                f"autoencoder.steps is {self.steps} and autoencoder.epochs {self.epochs}; expected one of them to be 0"
            )


PHASES = ("paraphrase", "autoencoder", "head", "prior", "matcher")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Attributes:
        model: sizes of the network.
        start: name or folder of a trained model with these sizes to start from, instead of random weights and PCA; its
            text encoder must be the same.
        new_components: take the principal components of ``start`` anew from the training windows and carry the rest of
            its network over to them (`model/renewal.py`), for motions that are unlike those that it was trained on.
        losses: weight of each loss.
        body: .npz or .pkl of the SMPL, SMPL-H or SMPL-X model whose vertices the loss `vertices` compares; the default
            body without one. Frames are rendered with a body of one's own by `motionclip prepare --body`.
        contrast: settings of the contrastive loss.
        windows: which windows are drawn.
        paraphrase: first phase, where there are paraphrases: the text head's inner map, on sentences alone.
        autoencoder: second phase: the auto-encoder with its heads, on windows.
        head: third phase: the text head alone, on latents of windows.
        prior: fourth phase: the latent prior, on the same latents.
        matcher: fifth phase: the matcher, by which takes are ranked, on what the same windows measurably do.
        encoded_windows: windows with texts that are encoded once, for the phases head and prior, and for the matcher.
        bf16: run the transformers and the prior in bfloat16.
        compile: compile the transformers with torch.compile, which takes minutes at the start and a C++ compiler: for
            GPUs. Figures then differ in the last digits, also when resumed.
        seed: of weights, draws and noise.
        validate_every: steps of the auto-encoder between validations.
        save_every: steps between checkpoints.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    start: Annotated[
        str | None, arg(constructor=str, metavar="MODEL", help_behavior_hint="(default: random weights and PCA)")
    ] = None
    new_components: bool = False
    losses: LossWeights = field(default_factory=LossWeights)
    body: Annotated[
        str | None, arg(constructor=str, metavar="FILE", help_behavior_hint="(default: the default body)")
    ] = None
    contrast: ContrastConfig = field(default_factory=ContrastConfig)
    windows: WindowConfig = WindowConfig()
    paraphrase: PhaseConfig = PhaseConfig(steps=600, batch_size=512, lr=1e-3)
    autoencoder: AutoencoderPhaseConfig = AutoencoderPhaseConfig(
        steps=2_500, batch_size=64, lr=4e-4, warmup=300, ema=0.999
    )
    head: PhaseConfig = PhaseConfig(steps=200, batch_size=512, lr=1e-3)
    prior: PhaseConfig = PhaseConfig(steps=10_000, batch_size=256, lr=1e-3, warmup=300, ema=0.999)
    matcher: PhaseConfig = PhaseConfig(steps=1_200, batch_size=512, lr=1e-3, warmup=50, weight_decay=0.05)
    encoded_windows: int = 60_000
    bf16: bool = False
    compile: bool = False
    seed: int = 0
    validate_every: int = 500
    save_every: int = 250

    def __post_init__(self) -> None:
        _check_least(self, 1, "encoded_windows", "validate_every", "save_every")
        _check_least(self, 0, "seed")
        if self.uses_images and self.model.architecture != "paper" and not self.model.image_head:
            raise ModelError("losses.image_cosine has a weight, but the model has no image head; set model.image_head")
        if self.new_components and (self.start is None or self.model.architecture == "paper"):
            raise ModelError("new_components needs a model of our architecture to start from; give --start too")
        longest = self.model.max_frames / self.model.fps
        if max(self.windows.seconds) > longest:
            raise ModelError(f"windows.seconds are {self.windows.seconds}; the model takes at most {longest:g} seconds")

    @property
    def uses_images(self) -> bool:
        """Whether the objective holds motions against rendered frames."""
        return self.losses.image_cosine > 0

    def with_text_encoder(self, name: str, dim: int, *, sees_images: bool) -> TrainConfig:
        """Returns the configuration on a text encoder of ``dim`` numbers, without image loss if it has no images."""
        losses = self.losses if sees_images else dataclasses.replace(self.losses, image_cosine=0.0)
        return dataclasses.replace(self, model=self.model.with_text_encoder(name, dim), losses=losses)

    def shortened(self, steps: int) -> TrainConfig:
        """Returns the configuration with at most ``steps`` steps in each phase; epochs give way to ``steps``.

        No more windows are encoded than the phases head, prior and matcher then use.
        """
        phases = {name: getattr(self, name) for name in PHASES}
        short = {name: dataclasses.replace(phase, steps=min(phase.steps, steps)) for name, phase in phases.items()}
        if self.autoencoder.epochs:
            short["autoencoder"] = dataclasses.replace(self.autoencoder, steps=steps, epochs=0)
        used = max(1, *(short[name].steps * short[name].batch_size for name in ("head", "prior", "matcher")))
        return dataclasses.replace(self, **short, encoded_windows=min(self.encoded_windows, used))


#: Windows by their length, with the data set's words alone.
_PLAIN_WORDS: Mapping[str, Any] = {"balance": 0.0, "references": False, "reversals": False, "measured": 0.0}

PRESETS: Mapping[str, TrainConfig] = MappingProxyType(
    {
        "base": TrainConfig(model=ModelConfig(text_hidden=128)),
        # The published system, docs/paper.md.
        "paper": TrainConfig(
            model=ModelConfig(
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
            ),
            losses=LossWeights(
                features=1.0,
                feature_velocity=1.0,
                orientation=0.0,
                orientation_velocity=0.0,
                vertices=1 / 3,  # the published mean is over numbers, ours over vertices of three numbers
                path=0.0,
                velocity=0.0,
                contact=0.0,
                skate=0.0,
                cosine=0.01,
                image_cosine=0.01,
                contrast=0.0,
            ),
            windows=WindowConfig(seconds=(2.0,), mirror=False, captions="joined", **_PLAIN_WORDS),
            paraphrase=PhaseConfig(steps=0, batch_size=512, lr=1e-3),
            autoencoder=AutoencoderPhaseConfig(
                steps=0,
                epochs=100,
                batch_size=20,
                lr=1e-4,
                schedule="constant",
                betas=(0.9, 0.999),
                clip_norm=0.0,
                latent_noise=0.0,
            ),
            head=PhaseConfig(steps=0, batch_size=512, lr=1e-3),
            prior=PhaseConfig(steps=0, batch_size=256, lr=1e-3),
            matcher=PhaseConfig(steps=0, batch_size=512, lr=1e-3),
        ),
        # Learns little, but in seconds: for trying out a data set, and for the tests.
        "tiny": TrainConfig(
            model=ModelConfig(
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
            ),
            windows=WindowConfig(seconds=(2.0,), **_PLAIN_WORDS),
            paraphrase=PhaseConfig(steps=10, batch_size=16, lr=1e-3),
            autoencoder=AutoencoderPhaseConfig(steps=40, batch_size=8, lr=4e-4, warmup=5, ema=0.9),
            head=PhaseConfig(steps=10, batch_size=16, lr=1e-3),
            prior=PhaseConfig(steps=20, batch_size=16, lr=1e-3, warmup=5, ema=0.9),
            matcher=PhaseConfig(steps=10, batch_size=16, lr=1e-3, warmup=5),
            encoded_windows=64,
            validate_every=20,
            save_every=10,
        ),
    }
)


def preset(name: str) -> TrainConfig:
    """Returns the preset called ``name``.

    Raises:
        ModelError: if there is none.
    """
    if name not in PRESETS:
        raise ModelError(f"no preset is called {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
