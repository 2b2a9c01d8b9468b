"""The latent prior: the distribution of motion latents given a text and a length, by flow matching.

A text's own latent lies in the middle of all motions that it may mean, and decodes to their blur. The prior draws the
latent of one motion instead. It works on the coefficients z of latents, N of them: with noise e and flow time s, the
network is trained to predict the velocity z - e at the state x = (1 - s) e + s z (Lipman et al., "Flow Matching for
Generative Modeling", ICLR 2023; straight paths as in Liu et al., "Flow Straight and Fast", ICLR 2023).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.layers import sinusoid
from motionclip.model.network import PCAAutoencoder, from_sphere, to_sphere

#: Width of the sinusoidal codes of flow time and length.
_CODE = 64
#: Flow times at which a sampler asks for velocities, and the end: the four that lead nearest to where many lead
#: (docs/experiments.md).
FLOW_TIMES = (0.0, 0.2, 0.45, 0.8, 1.0)

#: Velocities (N, K, D - 1) at a number of a list of flow times, at states (N, K, D - 1).
_Field = Callable[[int, Tensor], Tensor]


@dataclass(frozen=True)
class FlowNoise:
    """Random numbers of a training step.

    Attributes:
        noise: (N, D - 1) standard normal, where the flow starts.
        time: (N,) uniform flow times in [0, 1].
        dropped: (N, 1) true where the text is left out, so that the prior also learns motions without one.
    """

    noise: Tensor
    time: Tensor
    dropped: Tensor

    @classmethod
    def draw(
        cls, count: int, coefficients: int, generator: torch.Generator | None = None, text_dropout: float = 0.1
    ) -> FlowNoise:
        """Returns the noise for ``count`` latents of ``coefficients`` numbers, by a generator on the CPU."""
        noise = torch.randn(count, coefficients, generator=generator)
        time, chance = torch.rand(count, generator=generator), torch.rand(count, 1, generator=generator)
        return cls(noise, time, chance < text_dropout)

    def to(self, device: torch.device) -> FlowNoise:
        """Returns the same on a device."""
        return FlowNoise(self.noise.to(device), self.time.to(device), self.dropped.to(device))


class PriorBlock(nn.Module):
    """A residual layer whose scale and shift depend on a condition."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(width, 2 * width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """Returns the states (..., W) of states (..., W) under modulations (..., 2 W): their scale and shift."""
        scale, shift = modulation.chunk(2, dim=-1)
        return x + self.down(F.gelu(self.up(self.norm(x) * (1 + scale) + shift)))


class LatentPrior(nn.Module):
    """Velocity field of the flow from noise to the coefficients of motion latents, given text and length."""

    importance: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        width = config.prior_width
        self.latent_dim, self.num_coefficients = config.latent_dim, config.num_coefficients
        self.register_buffer("importance", torch.ones(config.num_coefficients))
        self.embed = nn.Linear(config.num_coefficients, width)
        self.condition = nn.Sequential(
            nn.Linear(config.latent_dim + 2 * _CODE, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.no_text = nn.Parameter(torch.zeros(config.latent_dim))
        self.blocks = nn.ModuleList(PriorBlock(width) for _ in range(config.prior_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.num_coefficients)

    def weigh_coefficients(self, linear: PCAAutoencoder) -> None:
        """Weights the loss of each coefficient by how far it moves the windows of the PCA autoencoder.

        All coefficients have about unit variance, but the first move a limb and the last a millimetre.
        """
        effect = (linear.restore.weight.detach() * linear.metric[:, None].sqrt()).norm(dim=0)
        self.importance.copy_(effect / effect.mean())

    def forward(self, x: Tensor, time: Tensor, text: Tensor, seconds: Tensor) -> Tensor:
        """Returns velocities (N, D - 1) at states x (N, D - 1), times (N,) in [0, 1], texts (N, D), seconds (N,)."""
        return self._velocity(x, self._modulations(time, text, seconds))

    def _modulations(self, time: Tensor, text: Tensor, seconds: Tensor) -> list[Tensor]:
        """Returns what the states are modulated by in each block (..., 2 W): texts (..., D), times and seconds (...,).

        No state is in it, so that a sampler makes it once for all its evaluations and draws.
        """
        codes = [text * self.latent_dim**0.5, sinusoid(time * 1000, _CODE), sinusoid(seconds * 100, _CODE)]
        condition = self.condition(torch.cat(codes, dim=-1))
        return [block.get_submodule("modulate")(condition) for block in self.blocks]

    def _velocity(self, x: Tensor, modulations: Iterable[Tensor]) -> Tensor:
        x = self.embed(x)
        for block, modulation in zip(self.blocks, modulations, strict=True):
            x = block(x, modulation)
        return self.head(self.norm(x))

    def loss(self, latent: Tensor, text: Tensor, seconds: Tensor, drawn: FlowNoise) -> Tensor:
        """Returns the flow-matching loss (scalar) of unit latents (N, D) under unit text latents (N, D)."""
        target = from_sphere(latent)
        text = torch.where(drawn.dropped, self.no_text, text)
        x = torch.lerp(drawn.noise, target, drawn.time[:, None])
        error = self(x, drawn.time, text, seconds) - (target - drawn.noise)
        return (error.square() * self.importance).mean()

    @torch.no_grad()
    def sample(
        self,
        noise: Tensor,
        text: Tensor,
        seconds: Tensor,
        *,
        guidance: float | Tensor,
        times: Sequence[float] = FLOW_TIMES,
    ) -> Tensor:
        """Returns the unit latents (N, K, D) that the flow makes of noise (N, K, D - 1): K draws for each of N texts.

        The flow is nearly straight, so that the last two velocities tell where it goes: each step takes one evaluation
        (the method of Adams and Bashforth of order 2, for steps of unequal length; the first is Euler's).

        Args:
            noise: (N, K, D - 1) standard normal.
            text: (N, D) unit text latents.
            seconds: (N,) lengths of the motions, or (1,) of all.
            guidance: weight of the text in classifier-free guidance (Ho & Salimans 2022); 1 is none.
            times: flow times from 0 to 1, the ends of the steps.
        """
        field = self._field(noise.new_tensor(times[:-1]), text, seconds, guidance)
        x, last = noise, None
        for at, (now, then) in enumerate(itertools.pairwise(times)):
            velocity = field(at, x)
            change = 0.0 if last is None else (then - now) / 2 * (velocity - last[1]) / (now - last[0])
            x, last = x + (then - now) * (velocity + change), (now, velocity)
        return to_sphere(x)

    @torch.no_grad()
    def translate(
        self, latent: Tensor, source: Tensor, target: Tensor, seconds: Tensor, *, guidance: float, steps: int
    ) -> Tensor:
        """Returns unit latents (N, D) translated from a source to a target text, both unit text latents (N, D).

        The flow is followed back under the source to noise, and from there forth under the target, in steps of Heun's
        method: what the texts do not say is in the noise, and stays (Su et al., "Dual Diffusion Implicit Bridges for
        Image-to-Image Translation", ICLR 2023). Other arguments as of :meth:`sample`.
        """
        times = torch.linspace(0, 1, steps + 1)
        back, forth = (self._field(times, text, seconds, guidance) for text in (source, target))
        noise = _follow(back, from_sphere(latent)[:, None], range(steps, -1, -1))
        return to_sphere(_follow(forth, noise, range(steps + 1)))[:, 0]

    def _field(self, times: Tensor, text: Tensor, seconds: Tensor, guidance: float | Tensor) -> _Field:
        """Returns the guided velocities at times (S,), under texts (N, D), for seconds (N,) or (1,)."""
        steps, texts = len(times), len(text)
        time, length = times.to(text)[:, None], seconds.expand(steps, -1)
        words, silence = text.expand(steps, -1, -1), self.no_text.expand(steps, length.shape[1], -1)
        spoken = self._modulations(time.expand(-1, texts), words, length.expand(-1, texts))
        silent = self._modulations(time.expand_as(length), silence, length)
        both = [
            torch.stack([one, other.expand_as(one)], dim=1)[..., None, :]
            for one, other in zip(spoken, silent, strict=True)
        ]

        def field(at: int, x: Tensor) -> Tensor:
            with_text, without = self._velocity(x, [part[at] for part in both])  # (N, K, D - 1) each
            return without + guidance * (with_text - without)

        return field


def _follow(field: _Field, x: Tensor, order: range) -> Tensor:
    """Returns states (N, K, D - 1) followed along a field from the first of some of its times to the last."""
    steps = len(order) - 1
    for now, then in itertools.pairwise(order):
        first = field(now, x)
        x = x + (then - now) / steps * (first + field(then, x + (then - now) / steps * first)) / 2
    return x
