"""A latent moved until what it decodes to does what is asked.

The latent itself is descended (Adam on the tangent plane, from the most fitting of several draws), not the noise that
the prior's flow makes it of (DNO; Karunratanakul et al., "Optimizing Diffusion Noise Can Serve As Universal Motion
Priors", CVPR 2024): every point of this latent space decodes to a motion, and a step through the flow would cost 24
passes of the prior beside the one of the decoder. What keeps the words is the square distance from the start, in
standard deviations of the latent's coefficients, for which the prior is a Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from motionclip.applications.direct.posed import Place, Posed
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.postprocessing import foot_locked_root
from motionclip.motion import CANONICAL, forward_kinematics
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT
from motionclip.progress import ProgressCallback

#: Learning rate of the descent at its start; it falls as a cosine.
_RATE = 0.1
#: Square metres that a square standard deviation away from the start is worth.
_STAY = 1e-2
#: Share of the frames in which a foot is on the floor, at least.
_STANDING = 0.2
#: Weight of the square metres by which the body is lifted: a hand is not to be reached by floating.
_LIFT = 30.0


class Term(Protocol):
    """Something that a motion is to be near to, such as a constraint."""

    def misfit(self, posed: Posed) -> Tensor:
        """Returns how far a motion is from it (scalar), square metres; differentiable."""


def posed(model: MotionCLIP, points: Tensor, frames: int, place: Place) -> list[Posed]:
    """Returns the bodies that points (N, P) of the tangent plane decode to, feet held by the root; differentiable."""
    decoded = model.decode_batch(model.from_tangent(points), torch.ones(len(points), frames, dtype=torch.bool))
    world, positions = forward_kinematics(rot.sixd_to_matrix(decoded.sixd), decoded.root, CANONICAL)
    if decoded.contacts is not None:
        feet = positions[:, :, CONTACT_INDICES]
        root = foot_locked_root(feet, decoded.root, decoded.contacts.sigmoid())
        positions = positions + (root - decoded.root)[:, :, None]
    bodies = zip(place.turned(positions) @ world, place.to_world(positions), strict=True)
    return [Posed(rotations, places, model.config.fps) for rotations, places in bodies]


def misfit(body: Posed, terms: Sequence[Term]) -> Tensor:
    """Returns how far bodies are from all terms together (scalar), square metres."""
    return torch.stack([each.misfit(body) for each in terms]).sum()


def _lowest(body: Posed) -> Tensor:
    """Returns the height (T,), metres, of the lower foot."""
    return (body.positions[:, CONTACT_INDICES, 1] - body.positions.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)).amin(1)


def _grounded(height: Tensor) -> Tensor:
    """Returns heights (T,) of the lower foot, lowered until it stands on the floor in a good part of the frames."""
    return height - height.quantile(_STANDING).clamp(min=0)


def descend(
    model: MotionCLIP,
    starts: Tensor,
    frames: int,
    place: Place,
    terms: Sequence[Term],
    steps: int,
    on_step: ProgressCallback,
) -> Tensor:
    """Returns the point (P,) of the tangent plane that fits the terms, near the best of starts (N, P).

    Args:
        model: from :func:`motionclip.load`.
        starts: (N, P) likely points.
        frames: of the motion.
        place: where it starts.
        terms: at least one.
        steps: of the descent.
        on_step: called with the number of steps done, and of all.
    """
    with torch.no_grad():
        bodies = posed(model, starts, frames, place)
        best = int(torch.stack([misfit(body, terms) for body in bodies]).argmin())
        start, floor = starts[best], _grounded(_lowest(bodies[best]))
    with torch.enable_grad():
        point = start.clone().requires_grad_(True)
        descent = torch.optim.Adam([point], lr=_RATE, betas=(0.9, 0.95))
        for step in range(steps):
            descent.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / steps)) / 2
            descent.zero_grad()
            (body,) = posed(model, point[None], frames, place)
            lifted = (_lowest(body) - floor).square().mean()
            loss = misfit(body, terms) + _LIFT * lifted + _STAY * (point - start).square().sum()
            loss.backward()
            descent.step()
            on_step(step + 1, steps)
    return point.detach()
