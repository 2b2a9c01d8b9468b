"""References: are phrases such as "don't shoot" read as the action that they stand for, and what becomes of them.

    python benchmarks/references.py [MODEL ...]

Held out: of the references of the package (`data/references.jsonl`), the hundred actions with held-out phrases for
which most is said; texts are compared by the cosines of their latents, and for comparison of their embeddings by the
text encoder. Known: phrases whose action demands something that can be measured (`applications/demands`), while they
do not; how far the motion of the phrase meets it, as the phrase is read and as the text encoder alone takes it.
"""

from __future__ import annotations

import random
import sys

import torch
from torch import Tensor

import motionclip
from motionclip.applications.demands import demands_of, met
from motionclip.applications.text_to_motion import Prompts, decode_best, prompts_of, ranked_takes
from motionclip.data.references import load_references
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP

_ACTIONS, _PHRASES, _SECONDS = 100, 200, 4.0


def share(phrases: Tensor, actions: Tensor, truth: Tensor, top: int) -> float:
    nearest = cosines(phrases, actions).topk(top, dim=1).indices
    return 100 * (nearest == truth[:, None]).any(dim=1).float().mean().item()


def held_out(name: str, model: MotionCLIP) -> None:
    """Print how often held-out phrases are nearest to their action."""
    known = [reference for reference in load_references() if reference.held_out]
    chosen = sorted(known, key=lambda reference: (-len(reference.said), reference.action))[:_ACTIONS]
    actions = [reference.action for reference in chosen]
    phrases = [phrase for reference in chosen for phrase in reference.held_out]
    truth = torch.tensor([number for number, reference in enumerate(chosen) for _ in reference.held_out])
    print(f"{len(phrases)} held-out phrases for {len(actions)} actions, nearest 1 / 5, %")
    encoder = model.text_encoder
    for kind, embed in (("text encoder", encoder.encode_texts), ("latents", model.embed_text)):
        one, other = embed(phrases).cpu(), embed(actions).cpu()
        print(f"{name}, {kind}: {share(one, other, truth, 1):.1f} / {share(one, other, truth, 5):.1f}")


def known(name: str, model: MotionCLIP) -> None:
    """Print how far motions of known phrases do what the phrases stand for."""
    pairs = [
        (said, demands_of(reference.does[0]))
        for reference in load_references()
        for said in reference.said
        if demands_of(reference.does[0]) and not demands_of(said)
    ]
    chosen = random.Random(0).sample(pairs, _PHRASES)
    for kind in ("as read", "by the text encoder alone"):
        shares = []
        for phrase, demands in chosen:
            alone = Prompts(model.embed_prompts([phrase]), ((),))
            prompts = prompts_of(model, [phrase]) if kind == "as read" else alone
            takes = ranked_takes(model, prompts, _SECONDS, seed=0, guidance=1.5)
            (motion,) = decode_best(model, takes, _SECONDS)
            shares.append(met(demands, motion.positions[None], motion.fps).item())
        print(
            f"{name}: of {len(pairs)} phrases {_PHRASES}, {kind}: {100 * sum(shares) / len(shares):.0f} % of it is met"
        )


def main(models: list[str]) -> None:
    for name in models:
        model = motionclip.load(name)
        held_out(name, model)
        known(name, model)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:] or ["base"])
