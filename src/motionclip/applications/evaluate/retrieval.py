"""Recognition of clips by the nearest labels, and retrieval of motions by sentences and of sentences by motions.

Retrieval follows the protocols of TMR (Petrovich et al., ICCV 2023, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.evaluate.clips import CHUNK, Clips, known_sentences
from motionclip.applications.windows import embed_windows
from motionclip.data.babel import CHUNK as BABEL_FRAMES
from motionclip.data.babel import Chunk, babel_actions, babel_chunks
from motionclip.data.store import FPS, Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import TextEncoder
from motionclip.metrics.recognition import Recognition, recognition
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
from motionclip.training.batches import gather

#: The data set whose categories are BABEL's.
_BABEL = "amass"
#: Chunks of BABEL that are encoded together.
_TOGETHER = 256

#: Cosine of the reference encoder's embeddings above which two sentences say the same: TMR's 0.95 of (1 + cos) / 2.
NEAR = 0.9

#: Sentences of the protocol of dissimilar sentences, and the least that it is worth doing with.
_DISSIMILAR, _LEAST_DISSIMILAR = 100, 8


def measure_recognition(
    model: MotionCLIP, clips: Clips, embeddings: Tensor, stores: Sequence[Store]
) -> tuple[Recognition, ...]:
    """Returns the recognition of sentence, content and style among all of the data set; nothing if it has no labels.

    The similarity of a content is that of the nearest sentence with this content, whatever its style; and the reverse.
    ``embeddings`` (N, J) are those of the clips.
    """
    if not all(segment.labelled for segment in clips.segments):
        return ()
    known = known_sentences(stores, clips.dataset)
    similarity = cosines(embeddings, model.embed_words([text for text, _, _ in known]).cpu())  # (N, S)
    found = []
    for kind, truth, column in (
        ("sentence", clips.texts, 0),
        ("content", [segment.category for segment in clips.segments], 1),
        ("style", [segment.style for segment in clips.segments], 2),
    ):
        labels = [row[column] for row in known]
        names = sorted({name for name in labels if name})
        if names and all(truth):
            best = torch.stack(
                [similarity[:, [label == name for label in labels]].amax(dim=1) for name in names], dim=1
            )
            right = torch.tensor([[name == true for name in names] for true in truth])
            found.append(recognition(kind, best, right))
    return tuple(found)


def measure_actions(model: MotionCLIP, windows: WindowSet, dataset: str) -> tuple[Recognition, ...]:
    """Returns the recognition of named actions, such as window captions', among all of the data set's in this split.

    Nothing if it has none. The texts are the bare names; of spans longer than the model takes, the middle is encoded.
    """
    own = [(row, each) for row, each in enumerate(windows.segments) if each.dataset == dataset]
    named = [(row, each.action) for row, each in own if each.named and not each.joined]
    if not named:
        return ()
    names = sorted({str(action) for _, action in named})
    embeddings = []
    for start in range(0, len(named), CHUNK):
        rows = [row for row, _ in named[start : start + CHUNK]]
        batch = gather(windows, windows.central(rows, model.config.max_frames))
        embeddings.append(model.embed_batch(batch).cpu())
    right = torch.tensor([[name == action for name in names] for _, action in named])
    return (recognition("actions", cosines(torch.cat(embeddings), model.embed_words(names).cpu()), right),)


def measure_babel(model: MotionCLIP, stores: Sequence[Store], split: str, dataset: str) -> tuple[Recognition, ...]:
    """Returns the recognition of BABEL-60 and BABEL-120 by BABEL's protocol; nothing for other data sets than AMASS.

    A model that takes less than five seconds sees a chunk in windows, whose cosines are averaged. The texts are the
    bare names of the classes, as in the paper.
    """
    kept = [store for store in stores if dataset == _BABEL and _has_categories(store, split, dataset)]
    return tuple(_babel(model, kept, split, dataset, count) for count in (60, 120)) if kept else ()


def _has_categories(store: Store, split: str, dataset: str) -> bool:
    own = (store.entries[index] for index in store.split(split))
    return any(caption.categories for entry in own if entry.dataset == dataset for caption in entry.captions)


def _babel(model: MotionCLIP, stores: Sequence[Store], split: str, dataset: str, count: int) -> Recognition:
    words = model.embed_words(babel_actions(count)).cpu()
    nearness, right = [], []
    for store in stores:
        own = [each for each in babel_chunks(store, split, count) if store.entries[each.entry].dataset == dataset]
        right += [[number in chunk.classes for number in range(count)] for chunk in own]
        for start in range(0, len(own), _TOGETHER):
            nearness.append(_chunk_cosines(model, store, own[start : start + _TOGETHER], words))
    return recognition(f"BABEL-{count}", torch.cat(nearness), torch.tensor(right))


def _chunk_cosines(model: MotionCLIP, store: Store, chunks: Sequence[Chunk], words: Tensor) -> Tensor:
    """Returns the cosines (N, C) of chunks and the joint embeddings (C, J) of class names."""
    seconds = min(BABEL_FRAMES / FPS, model.max_seconds)
    motions = [store.motion(chunk.entry).frames(chunk.start, chunk.stop) for chunk in chunks]
    windows = embed_windows(model, motions, seconds, seconds)
    return torch.stack([cosines(each.embeddings, words).mean(dim=0) for each in windows])


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
    model: MotionCLIP, clips: Clips, embeddings: Tensor, reference: TextEncoder, seed: int = 0
) -> tuple[Protocol, ...]:
    """Returns all protocols that the number of clips and sentences allows.

    Args:
        model: embeds the sentences.
        clips: N clips with their sentences.
        embeddings: (N, J) of the clips.
        reference: the text encoder that says how alike two sentences are, the same for all models.
        seed: of the pools.
    """
    words = model.embed_words(clips.sentences).cpu()
    own = words[clips.number]  # (N, J)
    alike = cosines(*[reference.encode_texts(clips.sentences)] * 2)
    pairs = cosines(own, embeddings)
    same = torch.nn.functional.one_hot(clips.number, len(clips.sentences)).bool()  # (N, S)
    itself = torch.eye(len(clips), dtype=torch.bool)
    near = (alike > NEAR)[clips.number][:, clips.number] | itself
    merged = cosines(words, embeddings)  # (S, N)
    found = [
        Protocol("all", retrieval(pairs, itself), retrieval(pairs.T, itself), chance(itself)),
        Protocol("same sentence", retrieval(merged, same.T), retrieval(merged.T, same), chance(same.T)),
        Protocol("threshold", retrieval(pairs, near), retrieval(pairs.T, near), chance(near)),
    ]
    if (count := min(_DISSIMILAR, len(clips.sentences) // 3)) >= _LEAST_DISSIMILAR:
        chosen = dissimilar(alike, count)
        first = [clips.number.tolist().index(sentence) for sentence in chosen]  # of the clips of each sentence
        few, itself = cosines(words[chosen], embeddings[first]), torch.eye(count, dtype=torch.bool)
        found.append(Protocol("dissimilar", retrieval(few, itself), retrieval(few.T, itself), chance(itself)))
    if len(clips.sentences) >= POOL:
        dealt, by_chance = pools(clips.number.tolist(), seed), chance(torch.eye(POOL, dtype=torch.bool))
        ways = pooled_retrieval(own, embeddings, dealt), pooled_retrieval(embeddings, own, dealt)
        found.append(Protocol(f"pools of {POOL}", *ways, by_chance))
    return tuple(found)
