"""Held-out references: how often a phrase such as "don't shoot" is nearest to the action that it stands for.

    python benchmarks/references.py [MODEL ...]

Of the references of the package (`data/references.jsonl`), the hundred actions with held-out phrases for which most is
said; texts are compared by the cosines of their latents, and for comparison of their embeddings by the text encoder.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

import motionclip
from motionclip.data.references import load_references
from motionclip.metrics.retrieval import cosines

_ACTIONS = 100


def share(phrases: Tensor, actions: Tensor, truth: Tensor, top: int) -> float:
    nearest = cosines(phrases, actions).topk(top, dim=1).indices
    return 100 * (nearest == truth[:, None]).any(dim=1).float().mean().item()


def main(models: list[str]) -> None:
    known = [reference for reference in load_references() if reference.held_out]
    chosen = sorted(known, key=lambda reference: (-len(reference.said), reference.action))[:_ACTIONS]
    actions = [reference.action for reference in chosen]
    phrases = [phrase for reference in chosen for phrase in reference.held_out]
    truth = torch.tensor([number for number, reference in enumerate(chosen) for _ in reference.held_out])
    print(f"{len(phrases)} held-out phrases for {len(actions)} actions, nearest 1 / 5, %")
    for name in models:
        model = motionclip.load(name)
        encoder = model.text_encoder
        for kind, embed in (("text encoder", encoder.encode_texts), ("latents", model.embed_text)):
            one, other = embed(phrases).cpu(), embed(actions).cpu()
            print(f"{name}, {kind}: {share(one, other, truth, 1):.1f} / {share(one, other, truth, 5):.1f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:] or ["base"])
