"""One text, many motions: a distribution over motion latents given a text, by flow matching.

A text's own point is the middle of all motions that it may mean; decoding the middle gives their
blur. The prior instead draws a latent of a motion that could have been recorded under that text.
Training, on the scores z of latents: x_s = (1 - s) noise + s z, and the network predicts z - noise
(Lipman et al., "Flow Matching for Generative Modeling", ICLR 2023; the straight paths of Liu et al., "Rectified Flow").
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

_CODE = 64


@dataclass(frozen=True)
class FlowNoise:
    """What is random in a step of training.

    Attributes:
        noise: (N, D - 1) where the flow starts.
        time: (N,) flow time in [0, 1].
        dropped: (N, 1) true where the text is left out, so that the prior also learns motions without one.
    """

    noise: Tensor
    time: Tensor
    dropped: Tensor

    @classmethod
    def draw(cls, count: int, scores: int, text_dropout: float = 0.1) -> FlowNoise:
        """For ``count`` latents of ``scores`` scores, from torch's generator of the CPU."""
        return cls(torch.randn(count, scores), torch.rand(count), torch.rand(count, 1) < text_dropout)

    def to(self, device: torch.device) -> FlowNoise:
        """The same on a device."""
        return FlowNoise(self.noise.to(device), self.time.to(device), self.dropped.to(device))


class PriorBlock(nn.Module):
    """A residual layer whose scale and shift come from the condition."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(width, 2 * width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """States (N, W) and conditions (N, W) to states (N, W)."""
        scale, shift = self.modulate(condition).chunk(2, dim=-1)
        return x + self.down(F.gelu(self.up(self.norm(x) * (1 + scale) + shift)))


class LatentPrior(nn.Module):
    """Velocity field of the flow from noise to the scores of motion latents, given text and length."""

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
        """Take how much each score matters from how far it moves the frames of the linear path.

        All scores have about unit variance, but the first move a limb and the last a millimetre.
        """
        effect = (linear.restore.weight.detach() * linear.metric[:, None].sqrt()).norm(dim=0)
        self.importance.copy_(effect / effect.mean())

    def forward(self, x: Tensor, time: Tensor, text: Tensor, seconds: Tensor) -> Tensor:
        """Velocity (N, D - 1) at states x (N, D - 1), flow time (N,) in [0, 1], text latents (N, D), seconds (N,)."""
        scale = self.latent_dim**0.5
        codes = [text * scale, sinusoid(time * 1000, _CODE), sinusoid(seconds * 100, _CODE)]
        condition = self.condition(torch.cat(codes, dim=-1))
        x = self.embed(x)
        for block in self.blocks:
            x = block(x, condition)
        return self.head(self.norm(x))

    def loss(self, latent: Tensor, text: Tensor, seconds: Tensor, drawn: FlowNoise) -> Tensor:
        """Flow-matching loss (scalar) for unit latents (N, D) under unit text latents (N, D)."""
        target = from_sphere(latent)
        text = torch.where(drawn.dropped, self.no_text, text)
        x = torch.lerp(drawn.noise, target, drawn.time[:, None])
        error = self(x, drawn.time, text, seconds) - (target - drawn.noise)
        return (error.square() * self.importance).mean()

    @torch.no_grad()
    def sample(self, noise: Tensor, text: Tensor, seconds: Tensor, *, guidance: float, steps: int) -> Tensor:
        """Unit motion latents (N, D) that noise (N, D - 1) becomes under unit text latents (N, D), lengths (N,) in s.

        ``guidance`` above 1 leans towards the text (classifier-free guidance, Ho & Salimans 2022).
        """
        return to_sphere(self._flow(noise, torch.linspace(0, 1, steps + 1), text, seconds, guidance))

    @torch.no_grad()
    def translate(
        self, latent: Tensor, source: Tensor, target: Tensor, seconds: Tensor, *, guidance: float, steps: int
    ) -> Tensor:
        """Unit motion latents (N, D) carried from what one text says to what another says, unit text latents (N, D).

        The flow is followed back under the source to the noise that the latent came from, and from there under the
        target: what the words do not say is in the noise, and stays (Su et al., "Dual Diffusion Implicit Bridges for
        Image-to-Image Translation", ICLR 2023).
        """
        times = torch.linspace(0, 1, steps + 1)
        noise = self._flow(from_sphere(latent), times.flip(0), source, seconds, guidance)
        return to_sphere(self._flow(noise, times, target, seconds, guidance))

    def _flow(self, x: Tensor, times: Tensor, text: Tensor, seconds: Tensor, guidance: float) -> Tensor:
        """States (N, D - 1) at the last of the flow times (S + 1,) of states at the first."""
        for now, then in itertools.pairwise(times):
            x = self.step(x, now, then, text, seconds, guidance)
        return x

    def step(
        self, x: Tensor, now: Tensor, then: Tensor, text: Tensor, seconds: Tensor, guidance: float | Tensor
    ) -> Tensor:
        """States (N, D - 1) at flow time ``then`` of states at ``now``, two scalars: one step of Heun's method."""
        first = self._guided(x, now, text, seconds, guidance)
        second = self._guided(x + (then - now) * first, then, text, seconds, guidance)
        return x + (then - now) * (first + second) / 2

    def _guided(self, x: Tensor, time: Tensor, text: Tensor, seconds: Tensor, guidance: float | Tensor) -> Tensor:
        both = torch.cat([text, self.no_text.expand_as(text)])
        velocity = self(torch.cat([x, x]), time.expand(both.shape[0]).to(x), both, torch.cat([seconds, seconds]))
        with_text, without = velocity.chunk(2)
        return without + guidance * (with_text - without)
