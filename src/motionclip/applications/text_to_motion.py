"""Text to motion, and the latents that words and motions, mixed freely, have for all other applications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import torch
from torch import Tensor
from torch.nn import functional as F

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_SECONDS, DEFAULT_TAKES
from motionclip.applications.demands import Demand, demands_of, met, without_negation
from motionclip.data.references import as_read
from motionclip.metrics.physics import skate_of
from motionclip.metrics.plausibility import Plausibility, plausibility
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.seeds import SEEDS, check_seed

#: What a figure of twice its limit costs, in cosines of agreement with the words: far more than takes differ by.
EXCESS = 2.0
#: What the matcher's figure of a take counts, in cosines: docs/experiments.md.
MATCH = 0.2
#: What meeting all that its words demand counts for a take, in cosines: docs/experiments.md.
MET = 3.0
#: What a foot that slides costs a take, in cosines for each metre per second.
SKATE = 1.0
#: Draws for each take that is decoded: the best by their drafts, which cost a tenth (docs/experiments.md).
DRAFTS = 3
#: Words, or a motion on any human-like skeleton.
Source = str | Motion


@overload
def text_to_motion(  # type: ignore[overload-overlap]  # a string is a sequence of strings, too
    model: MotionCLIP,
    text: str,
    *,
    seconds: float | None = ...,
    seed: int = ...,
    guidance: float = ...,
    takes: int = ...,
) -> Motion: ...
@overload
def text_to_motion(
    model: MotionCLIP,
    text: Sequence[str],
    *,
    seconds: float | None = ...,
    seed: int = ...,
    guidance: float = ...,
    takes: int = ...,
) -> list[Motion]: ...
def text_to_motion(
    model: MotionCLIP,
    text: str | Sequence[str],
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float = DEFAULT_GUIDANCE,
    takes: int = DEFAULT_TAKES,
) -> Motion | list[Motion]:
    """Returns a motion for a text, or a list with one for each of several: the best of some takes.

    Args:
        model: from :func:`motionclip.load`.
        text: what the person does, in words.
        seconds: length of the motion; if not given 4, or the longest that the model makes if that is shorter.
        seed: of the noise. Another seed gives another motion of the same words; the same seed, the same motion.
        guidance: classifier-free guidance scale; above 1 follows the words more closely, with less variety.
        takes: how many are decoded, each the best by its draft of several that are drawn. The one that matches the
            words best is kept, unless no body could do it.

    Returns:
        Motion at the model's frame rate on the canonical skeleton, from above the origin, facing +Z.

    Raises:
        TextError: if a text is empty, too long, or not text.
        ModelError: if the model cannot make that length, or there are no takes.
    """
    texts = [text] if isinstance(text, str) else list(text)
    seconds = seconds_of(model, [], seconds)
    drawn = ranked_takes(model, prompts_of(model, texts), seconds, seed=seed, guidance=guidance, takes=takes)
    motions = decode_best(model, drawn, seconds)
    return motions[0] if isinstance(text, str) else motions


@dataclass(frozen=True, eq=False)
class Prompts:
    """What motions of N texts are drawn and ranked by.

    Attributes:
        latents: (N, D) of the texts.
        demands: what each demands that can be measured.
    """

    latents: Tensor
    demands: tuple[tuple[Demand, ...], ...]

    def __len__(self) -> int:
        return len(self.demands)

    def row(self, number: int) -> Prompts:
        """Returns those of one of the texts."""
        return Prompts(self.latents[number : number + 1], self.demands[number : number + 1])

    @classmethod
    def joined(cls, parts: Sequence[Prompts]) -> Prompts:
        """Returns those of several texts together."""
        return cls(torch.cat([part.latents for part in parts]), tuple(own for part in parts for own in part.demands))


def prompts_of(model: MotionCLIP, texts: Sequence[str]) -> Prompts:
    """Returns what motions of texts are drawn and ranked by, each as :func:`read` reads it.

    Raises:
        TextError: if a text is empty, too long, or not text.
    """
    texts = list(map(read, texts))
    return Prompts(model.embed_prompts(texts), tuple(map(demands_of, texts)))


def read(text: str) -> str:
    """Returns a text as it is meant: what a body does, where it is said for that and demands nothing by itself.

    Negations are turned into what is done. What is not text is returned as it is.
    """
    if not isinstance(text, str):
        return text
    return without_negation(text) if demands_of(text) else as_read(text)


@dataclass(frozen=True, eq=False)
class Takes:
    """K draws of each of N texts, the most promising first: by drafts, or by the cosine alone.

    Attributes:
        prompts: of the texts.
        latents: (N, K, D).
        agreement: (N, K) cosines of latents and words.
        order: (N, K) the number of each draw.
    """

    prompts: Prompts
    latents: Tensor
    agreement: Tensor
    order: Tensor

    def most_promising(self, count: int) -> Takes:
        """Returns the first of each text."""
        return Takes(self.prompts, *(value[:, :count] for value in self._tensors))

    def row(self, number: int) -> Takes:
        """Returns those of one of the texts."""
        return Takes(self.prompts.row(number), *(value[number : number + 1] for value in self._tensors))

    @classmethod
    def joined(cls, parts: Sequence[Takes]) -> Takes:
        """Returns those of several texts together, of one number of takes."""
        tensors = (torch.cat(rows) for rows in zip(*(part._tensors for part in parts), strict=True))
        return cls(Prompts.joined([part.prompts for part in parts]), *tensors)

    @property
    def _tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.latents, self.agreement, self.order


def draws_for(model: MotionCLIP, takes: int, drafts: int = DRAFTS) -> int:
    """Returns how many latents are drawn for as many takes of a text: one for one, then some for each."""
    if not model.has_prior:
        return min(takes, 1)
    return takes if takes < 2 or model.matcher is None else takes * drafts


def first_seed(seed: int, draws: int) -> int:
    """Returns the seed of the first of several draws; two seeds have no draw in common."""
    return check_seed(seed) * draws % SEEDS


def quality(agreement: float, worth: float, physics: Plausibility) -> float:
    """Returns what takes of one text are ranked by.

    Args:
        agreement: cosine of the take's latent and that of the words.
        worth: how well the motion does what the words say, by :func:`worth_of`, less what its sliding feet cost.
        physics: its worst moments; what no body does costs.
    """
    return agreement + worth - EXCESS * physics.excess


def worth_of(model: MotionCLIP, words: Tensor, demands: Sequence[Demand], positions: Tensor) -> Tensor:
    """Returns how well K motions do what one text says, in cosines of agreement: (K,).

    By the matcher, and by how far they meet what the words demand. Only differences between motions of the same words
    mean anything.

    Args:
        model: with the matcher.
        words: (D,) latent of the text.
        demands: of the text.
        positions: (K, T, 24, 3) joint positions, metres, of decoded motions or of drafts.
    """
    matches = model.match(positions, words.expand(len(positions), -1))
    return MATCH * matches + MET * met(demands, positions, model.config.fps).to(matches)


def ranked_takes(
    model: MotionCLIP,
    prompts: Prompts,
    seconds: float | Sequence[float],
    *,
    seed: int | Sequence[int],
    guidance: float,
    takes: int = DEFAULT_TAKES,
    drafts: int = DRAFTS,
) -> Takes:
    """Returns the takes of texts that are worth decoding.

    Texts may have a length and a seed each. ``drafts`` are drawn for each take. Other arguments and errors as of
    :func:`text_to_motion`.
    """
    draws = draws_for(model, takes, drafts)
    first = [first_seed(each, draws) for each in ([seed] if isinstance(seed, int) else seed)]
    drawn = model.sample(prompts.latents, seconds, guidance=guidance, seed=first, draws=draws)
    drawn = drawn.unflatten(0, (len(prompts), -1))
    if draws <= takes:
        return Takes(prompts, *best_first(drawn, prompts.latents))
    lengths = [seconds] * len(prompts) if isinstance(seconds, float | int) else seconds
    worth = [
        worth_of(model, words, demands, model.draft(latents, length))
        for words, demands, latents, length in zip(prompts.latents, prompts.demands, drawn, lengths, strict=True)
    ]
    return Takes(prompts, *best_first(drawn, prompts.latents, torch.stack(worth))).most_promising(takes)


def best_first(drawn: Tensor, words: Tensor, worth: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Returns draws in the order of their promise: latents (N, K, D), agreement (N, K), and number (N, K) of each.

    Args:
        drawn: (N, K, D) latents drawn for texts.
        words: (N, D) text latents.
        worth: (N, K) what else counts, in cosines.
    """
    agreement = (F.normalize(drawn, dim=-1) @ F.normalize(words.to(drawn), dim=-1)[..., None])[..., 0]
    order = (agreement if worth is None else agreement + worth).argsort(dim=1, descending=True)
    return drawn.gather(1, order[..., None].expand_as(drawn)), agreement.gather(1, order), order


@dataclass(frozen=True, eq=False)
class Take:
    """A decoded take of a text.

    Attributes:
        motion: on the canonical skeleton at the model's rate.
        order: the number of the draw.
        agreement: cosine of its latent and that of the words.
        plausibility: its worst moments.
        quality: what it is ranked by.
    """

    motion: Motion
    order: int
    agreement: float
    plausibility: Plausibility
    quality: float


def decode_takes(model: MotionCLIP, takes: Takes, seconds: float) -> list[list[Take]]:
    """Returns the K takes of each of N texts, in their order.

    Raises:
        ModelError: if the model cannot make that length.
    """
    motions = iter(model.decode(takes.latents.flatten(0, 1), seconds))
    decoded = []
    for number, orders in enumerate(takes.order.tolist()):
        own = [next(motions) for _ in orders]
        positions = torch.stack([motion.positions for motion in own])
        worths = worth_of(model, takes.prompts.latents[number], takes.prompts.demands[number], positions)
        worths = worths - SKATE * skate_of(positions, model.config.fps).to(worths)
        ranked = zip(own, orders, takes.agreement[number].tolist(), worths.tolist(), strict=True)
        decoded.append([_take(*each) for each in ranked])
    return decoded


def _take(motion: Motion, order: int, agreement: float, worth: float) -> Take:
    physics = plausibility(motion)
    return Take(motion, order, agreement, physics, quality(agreement, worth, physics))


def decode_best(model: MotionCLIP, takes: Takes, seconds: float) -> list[Motion]:
    """Returns the motion of the best take of each text, by :func:`quality`.

    Raises:
        ModelError: if the model cannot make that length.
    """
    if takes.latents.shape[1] == 1:
        return model.decode(takes.latents[:, 0], seconds)
    return [max(row, key=lambda take: take.quality).motion for row in decode_takes(model, takes, seconds)]


def seconds_of(model: MotionCLIP, sources: Sequence[Source], seconds: float | None) -> float:
    """Returns the length to decode at: ``seconds`` if given, else the longest motion's, else 4; at most the model's."""
    if seconds is not None:
        return seconds
    lengths = [source.duration for source in sources if isinstance(source, Motion)]
    return min(max(lengths, default=DEFAULT_SECONDS), model.max_seconds)


def latents_of(
    model: MotionCLIP, sources: Sequence[Source], seconds: float, *, seed: int = 0, guidance: float = DEFAULT_GUIDANCE
) -> Tensor:
    """Returns the latents (N, D) of sources: a motion's own, or for words one that is drawn from the prior.

    Args:
        model: from :func:`motionclip.load`.
        sources: words and motions, in any order.
        seconds: length for which words are drawn.
        seed: of what is drawn for words.
        guidance: as in :func:`text_to_motion`.

    Raises:
        ModelError: if a motion is longer than the model takes, or the length cannot be made.
        TextError: if words are empty, too long, or not text.
        SkeletonError: if no human body is found in a skeleton.
    """
    is_text = torch.tensor([isinstance(source, str) for source in sources])
    latents = torch.empty(len(sources), model.config.latent_dim, device=model.device)
    if words := [source for source in sources if isinstance(source, str)]:
        prompts = prompts_of(model, words)
        # the one that agrees most is the plainest, and leaves most to what is added to it
        drawn = ranked_takes(model, prompts, seconds, seed=seed, guidance=guidance, drafts=1)
        latents[is_text] = drawn.latents[:, 0]
    if motions := [source for source in sources if isinstance(source, Motion)]:
        latents[~is_text] = model.encode(motions)
    return latents
