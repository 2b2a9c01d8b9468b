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

import torch
from torch import Tensor

from motionclip.applications.direct.constraint import Constraint
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
_STAY = 5e-4
#: Weight of the square metres by which the body is lifted: a hand is not to be reached by floating.
_LIFT = 10.0


def posed(model: MotionCLIP, point: Tensor, frames: int, place: Place) -> Posed:
    """Returns the bodies that a point (P,) of the tangent plane decodes to, feet held by the root; differentiable."""
    decoded = model.decode_batch(model.from_tangent(point[None]), torch.ones(1, frames, dtype=torch.bool))
    world, positions = forward_kinematics(rot.sixd_to_matrix(decoded.sixd), decoded.root, CANONICAL)
    if decoded.contacts is not None:
        feet = positions[:, :, CONTACT_INDICES]
        root = foot_locked_root(feet, decoded.root, decoded.contacts.sigmoid())
        positions = positions + (root - decoded.root)[:, :, None]
    return Posed(place.turned(positions) @ world[0], place.to_world(positions[0]), model.config.fps)


def misfit(body: Posed, constraints: Sequence[Constraint]) -> Tensor:
    """Returns how far bodies are from all constraints together (scalar), square metres."""
    return torch.stack([each.misfit(body) for each in constraints]).sum()


def _lowest(body: Posed) -> Tensor:
    """Returns the height (T,), metres, of the lower foot."""
    return (body.positions[:, CONTACT_INDICES, 1] - body.positions.new_tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)).amin(1)


def descend(
    model: MotionCLIP,
    starts: Tensor,
    frames: int,
    place: Place,
    constraints: Sequence[Constraint],
    steps: int,
    on_step: ProgressCallback,
) -> Tensor:
    """Returns the point (P,) of the tangent plane that fits the constraints, near the best of starts (N, P).

    Args:
        model: from :func:`motionclip.load`.
        starts: (N, P) likely points.
        frames: of the motion.
        place: where it starts.
        constraints: at least one.
        steps: of the descent.
        on_step: called with the number of steps done, and of all.
    """
    with torch.no_grad():
        fits = torch.stack([misfit(posed(model, point, frames, place), constraints) for point in starts])
        start = starts[fits.argmin()].clone()
        floor = _lowest(posed(model, start, frames, place))
    with torch.enable_grad():
        point = start.clone().requires_grad_(True)
        descent = torch.optim.Adam([point], lr=_RATE, betas=(0.9, 0.95))
        for step in range(steps):
            descent.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / steps)) / 2
            descent.zero_grad()
            body = posed(model, point, frames, place)
            lifted = (_lowest(body) - floor).square().mean()
            loss = misfit(body, constraints) + _LIFT * lifted + _STAY * (point - start).square().sum()
            loss.backward()
            descent.step()
            on_step(step + 1, steps)
    return point.detach()
