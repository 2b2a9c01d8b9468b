"""How far a few steps along the prior's flow lead from where many lead.

    python benchmarks/flow_steps.py [MODEL ...]

Draws the prompts of benchmarks/by_eye.txt from the same noise with few steps and with many, and prints by how many
millimetres joints differ on average, seen from the pelvis.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

import motionclip
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.prior import FLOW_TIMES

PROMPTS = Path(__file__).with_suffix("").with_name("by_eye.txt")
SECONDS, GUIDANCE, DRAWS, CONVERGED = 4.0, 1.5, 2, 192


def even(steps: int) -> list[float]:
    """Flow times of steps of equal length."""
    return [step / steps for step in range(steps + 1)]


CHOICES: dict[str, Sequence[float]] = {
    "4 evaluations, as shipped": FLOW_TIMES,
    **{f"{steps} evaluations, equal steps": even(steps) for steps in (1, 2, 4, 6, 8, 12, 24)},
}


@torch.inference_mode()
def drawn(model: MotionCLIP, words: Tensor, noise: Tensor, times: Sequence[float]) -> Tensor:
    """Joint positions (N, T, 24, 3), metres, seen from the pelvis, of what noise becomes."""
    assert model.prior is not None
    latents = model.prior.sample(noise, words, torch.tensor([SECONDS]), guidance=GUIDANCE, times=times).flatten(0, 1)
    positions = torch.stack([motion.positions for motion in model.decode(latents, SECONDS)])
    return positions - positions[:, :, :1]


def main(names: Sequence[str]) -> None:
    """Prints a table for each model."""
    prompts = [line for line in PROMPTS.read_text().splitlines() if line.strip()]
    for name in names:
        model = motionclip.load(name)
        words = model.embed_prompts(prompts)
        noise = torch.randn(
            len(words), DRAWS, model.config.num_coefficients, generator=torch.Generator().manual_seed(0)
        )
        goal = drawn(model, words, noise, even(CONVERGED))
        print(f"{name}, {len(words) * DRAWS} draws")
        for choice, times in CHOICES.items():
            apart = (drawn(model, words, noise, times) - goal).norm(dim=-1).mean().item()
            print(f"  {choice:<32} {1000 * apart:6.1f} mm")


if __name__ == "__main__":
    main(sys.argv[1:] or ["base", "open"])
