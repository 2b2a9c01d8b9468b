"""Before the other phases: the inner map of the text head, on sentences alone.

Described motions are few, sentences about motions are many. Two sentences about the same motion are brought together
by the losses that will bring sentences and motions together, one of them where the motion will stand.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.data.paraphrases import Group
from motionclip.losses.objective import TextTargets, weighted, word_losses
from motionclip.model.checkpoint import Network
from motionclip.model.heads import TextHead
from motionclip.towers import TextTower
from motionclip.training.phase import Learner, OnStep, descend, device_of, seed_step, set_rate
from motionclip.training.presets import TrainConfig
from motionclip.training.run import Run
from motionclip.training.schedule import warmup_cosine

#: Sentences that the tower embeds between two looks at the progress.
_CHUNK = 1024


@dataclass(frozen=True)
class Paraphrases:
    """Embeddings (S, E) of sentences, group behind group, with the first place (G,) and the size (G,) of each group."""

    embeddings: Tensor
    first: Tensor
    size: Tensor

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Embeddings (count, E), twice: different sentences of the same groups."""
        group = torch.randint(len(self.first), (count,))
        size, (where, further) = self.size[group], torch.rand(2, count)
        one = (where * size).long()
        other = (one + 1 + (further * (size - 1)).long()) % size
        return self.embeddings[self.first[group] + one], self.embeddings[self.first[group] + other]


def embed_paraphrases(groups: Sequence[Group], tower: TextTower, on_step: OnStep) -> Paraphrases:
    """Groups of at least two sentences each, as a tower sees them."""
    sentences = [sentence for group in groups for sentence in group]
    rows = []
    for start in range(0, len(sentences), _CHUNK):
        rows.append(tower.encode_texts(sentences[start : start + _CHUNK]))
        on_step("sentences", min(start + _CHUNK, len(sentences)), len(sentences), None)
    size = torch.tensor([len(group) for group in groups])
    return Paraphrases(torch.cat(rows), size.cumsum(dim=0) - size, size)


class ParaphrasePhase:
    """Steps of the text head's inner map by the losses of words, between sentences."""

    name = "paraphrases"

    def __init__(self, config: TrainConfig, run: Run, groups: Sequence[Group], tower: TextTower, on_step: OnStep):
        self.config, self.run, self.groups, self.tower, self.on_step = config, run, groups, tower, on_step

    def fit(self, network: Network) -> None:
        """Train the map in place, if there are steps and sentences for it; the paper's head has none."""
        config, head = self.config, network.autoencoder.text_head
        if not config.paraphrase_steps or not self.groups or not isinstance(head, TextHead):
            return
        inner = head.paraphrase.requires_grad_(True)
        learner = Learner(self.name, inner, self.run, config, ema=0.0)

        def step(number: int) -> dict[str, float]:
            return {"loss": self._step(inner, self._embedded, learner.optimizer, number)}

        learner.learn(config.paraphrase_steps, step, self.on_step, save_every=config.paraphrase_steps)
        inner.requires_grad_(False)

    @functools.cached_property
    def _embedded(self) -> Paraphrases:
        """Embedded when the first step asks for them: a run that is past this phase does without."""
        with self.run.ranks.in_turn():
            return embed_paraphrases(self.groups, self.tower, self.on_step)

    def _step(self, inner: nn.Module, paraphrases: Paraphrases, optimizer: torch.optim.AdamW, step: int) -> float:
        """One step; all processes draw the batch of all of them, and each takes its share."""
        config, ranks, device = self.config, self.run.ranks, device_of(inner)
        seed_step(config.seed, 0, -1 - step)  # the steps from 0 on are the auto-encoder's
        set_rate(optimizer, config.head_lr * warmup_cosine(step, 0, config.paraphrase_steps))
        drawn = paraphrases.draw(config.head_batch * ranks.size)
        one, other = (rows[ranks.share(config.head_batch)].to(device) for rows in drawn)
        everyone = torch.ones(len(one), device=device)
        words = TextTargets(other, torch.full_like(everyone, -1), everyone)
        loss = weighted(config.losses, word_losses(config.losses, inner(one), inner(other), words))
        descend(loss, inner, optimizer, config.clip_norm, ranks)
        return loss.item()
