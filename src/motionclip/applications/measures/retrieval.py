"""Motions by sentences and sentences by motions, by the protocols of TMR (Petrovich et al., ICCV 2023, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.measures.clips import Clips
from motionclip.metrics.retrieval import (
    POOL,
    Retrieval,
    chance,
    cosines,
    dissimilar,
    pooled_retrieval,
    pools,
    retrieval,
)
from motionclip.model.pipeline import MotionCLIP
from motionclip.towers import TextTower

#: Cosine of the yardstick's embeddings above which two sentences say the same: TMR's 0.95 on its scale (1 + cos) / 2.
NEAR = 0.9

_DISSIMILAR, _LEAST_DISSIMILAR = 100, 8


@dataclass(frozen=True)
class Protocol:
    """Retrieval both ways by one protocol.

    Attributes:
        name: ``all``, ``same sentence``, ``threshold``, ``dissimilar`` or ``pools of 32``.
        text_to_motion: sentences are the queries.
        motion_to_text: motions are the queries.
        chance: text to motion by a random order.
    """

    name: str
    text_to_motion: Retrieval
    motion_to_text: Retrieval
    chance: Retrieval


def measure_retrieval(
    model: MotionCLIP, clips: Clips, latents: Tensor, yardstick: TextTower, seed: int = 0
) -> tuple[Protocol, ...]:
    """All protocols that the number of clips and sentences allows.

    Args:
        model: embeds the sentences.
        clips: N clips with their sentences.
        latents: (N, D) of the clips.
        yardstick: the tower that says how alike two sentences are, the same for all models.
        seed: of the pools.
    """
    words = model.embed_text(clips.sentences).cpu()
    own = words[clips.number]  # (N, D)
    alike = cosines(*[yardstick.encode_texts(clips.sentences)] * 2)
    pairs = cosines(own, latents)
    same = torch.nn.functional.one_hot(clips.number, len(clips.sentences)).bool()  # (N, S)
    itself = torch.eye(len(clips), dtype=torch.bool)
    near = (alike > NEAR)[clips.number][:, clips.number] | itself
    merged = cosines(words, latents)  # (S, N)
    found = [
        Protocol("all", retrieval(pairs, itself), retrieval(pairs.T, itself), chance(itself)),
        Protocol("same sentence", retrieval(merged, same.T), retrieval(merged.T, same), chance(same.T)),
        Protocol("threshold", retrieval(pairs, near), retrieval(pairs.T, near), chance(near)),
    ]
    if (count := min(_DISSIMILAR, len(clips.sentences) // 3)) >= _LEAST_DISSIMILAR:
        found.append(_dissimilar(clips, words, latents, dissimilar(alike, count)))
    if len(clips.sentences) >= POOL:
        dealt, by_chance = pools(clips.number.tolist(), seed), chance(torch.eye(POOL, dtype=torch.bool))
        ways = pooled_retrieval(own, latents, dealt), pooled_retrieval(latents, own, dealt)
        found.append(Protocol(f"pools of {POOL}", *ways, by_chance))
    return tuple(found)


def _dissimilar(clips: Clips, words: Tensor, latents: Tensor, chosen: list[int]) -> Protocol:
    """Some sentences, each with the first clip that has it."""
    first = [clips.number.tolist().index(sentence) for sentence in chosen]
    pairs, itself = cosines(words[chosen], latents[first]), torch.eye(len(chosen), dtype=torch.bool)
    return Protocol("dissimilar", retrieval(pairs, itself), retrieval(pairs.T, itself), chance(itself))
