"""The latent prior: the distribution of motion latents given a text and a length, by flow matching.

A text's own latent lies in the middle of all motions that it may mean, and decodes to their blur. The prior draws the
latent of one motion instead. It works on the coefficients z of latents, N of them: with noise e and flow time s, the
network is trained to predict the velocity z - e at the state x = (1 - s) e + s z (Lipman et al., "Flow Matching for
Generative Modeling", ICLR 2023; straight paths as in Liu et al., "Flow Straight and Fast", ICLR 2023).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip.model.config import ModelConfig
from motionclip.model.layers import sinusoid
from motionclip.model.network import PCAAutoencoder, from_sphere, to_sphere

#: Width of the sinusoidal codes of flow time and length.
_CODE = 64


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

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Returns the states (N, W) of states (N, W) under conditions (N, W)."""
        scale, shift = self.modulate(condition).chunk(2, dim=-1)
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
        scale = self.latent_dim**0.5
        codes = [text * scale, sinusoid(time * 1000, _CODE), sinusoid(seconds * 100, _CODE)]
        condition = self.condition(torch.cat(codes, dim=-1))
        x = self.embed(x)
        for block in self.blocks:
            x = block(x, condition)
        return self.head(self.norm(x))

    def loss(self, latent: Tensor, text: Tensor, seconds: Tensor, drawn: FlowNoise) -> Tensor:
        """Returns the flow-matching loss (scalar) of unit latents (N, D) under unit text latents (N, D)."""
        target = from_sphere(latent)
        text = torch.where(drawn.dropped, self.no_text, text)
        x = torch.lerp(drawn.noise, target, drawn.time[:, None])
        error = self(x, drawn.time, text, seconds) - (target - drawn.noise)
        return (error.square() * self.importance).mean()

    @torch.no_grad()
    def sample(self, noise: Tensor, text: Tensor, seconds: Tensor, *, guidance: float, steps: int) -> Tensor:
        """Returns the unit latents (N, D) that the flow makes of noise (N, D - 1).

        Args:
            noise: (N, D - 1) standard normal.
            text: (N, D) unit text latents.
            seconds: (N,) lengths of the motions.
            guidance: weight of the text in classifier-free guidance (Ho & Salimans 2022); 1 is none.
            steps: of Heun's method.
        """
        return to_sphere(self._flow(noise, torch.linspace(0, 1, steps + 1), text, seconds, guidance))

    @torch.no_grad()
    def translate(
        self, latent: Tensor, source: Tensor, target: Tensor, seconds: Tensor, *, guidance: float, steps: int
    ) -> Tensor:
        """Returns unit latents (N, D) translated from a source to a target text, both unit text latents (N, D).

        The flow is followed back under the source to noise, and from there forth under the target: what the texts do
        not say is in the noise, and stays (Su et al., "Dual Diffusion Implicit Bridges for Image-to-Image
        Translation", ICLR 2023). Other arguments as of :meth:`sample`.
        """
        times = torch.linspace(0, 1, steps + 1)
        noise = self._flow(from_sphere(latent), times.flip(0), source, seconds, guidance)
        return to_sphere(self._flow(noise, times, target, seconds, guidance))

    def _flow(self, x: Tensor, times: Tensor, text: Tensor, seconds: Tensor, guidance: float) -> Tensor:
        """Returns the states (N, D - 1) at the last of flow times (S + 1,) of states at the first."""
        for now, then in itertools.pairwise(times):
            x = self.step(x, now, then, text, seconds, guidance)
        return x

    def step(
        self, x: Tensor, now: Tensor, then: Tensor, text: Tensor, seconds: Tensor, guidance: float | Tensor
    ) -> Tensor:
        """Returns the states (N, D - 1) at time ``then`` of states at ``now``, scalars: one step of Heun's method."""
        first = self._guided(x, now, text, seconds, guidance)
        second = self._guided(x + (then - now) * first, then, text, seconds, guidance)
        return x + (then - now) * (first + second) / 2

    def _guided(self, x: Tensor, time: Tensor, text: Tensor, seconds: Tensor, guidance: float | Tensor) -> Tensor:
        both = torch.cat([text, self.no_text.expand_as(text)])
        velocity = self(torch.cat([x, x]), time.expand(both.shape[0]).to(x), both, torch.cat([seconds, seconds]))
        with_text, without = velocity.chunk(2)
        return without + guidance * (with_text - without)
