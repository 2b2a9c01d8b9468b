"""What is done in a clip: the nearest of some labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from motionclip.applications.measures.clips import Clips, known_sentences
from motionclip.applications.windowed import encode_windows
from motionclip.data.babel_recognition import CHUNK as BABEL_FRAMES
from motionclip.data.babel_recognition import Chunk, babel_actions, babel_segments
from motionclip.data.store import FPS, Store
from motionclip.metrics.recognition import Recognition, recognition
from motionclip.metrics.retrieval import cosines
from motionclip.model.pipeline import MotionCLIP

_TOGETHER = 256


def measure_recognition(
    model: MotionCLIP, clips: Clips, latents: Tensor, stores: Sequence[Store]
) -> tuple[Recognition, ...]:
    """Sentence, content and style of clips (latents (N, D)) among all that their data set names; none if it names none.

    The nearness of a content is that of the nearest sentence that says it, whatever the style; and the reverse.
    """
    if not all(segment.labelled for segment in clips.segments):
        return ()
    said = known_sentences(stores, clips.dataset)
    nearness = cosines(latents, model.embed_text([text for text, _, _ in said]).cpu())  # (N, S)
    found = []
    for kind, truth, column in (
        ("sentence", clips.texts, 0),
        ("content", [segment.category for segment in clips.segments], 1),
        ("style", [segment.style for segment in clips.segments], 2),
    ):
        labels = [row[column] for row in said]
        names = sorted({name for name in labels if name})
        if names and all(truth):
            best = torch.stack([nearness[:, [label == name for label in labels]].amax(dim=1) for name in names], dim=1)
            right = torch.tensor([[name == true for name in names] for true in truth])
            found.append(recognition(kind, best, right))
    return tuple(found)


def measure_babel(model: MotionCLIP, stores: Sequence[Store], split: str, dataset: str) -> tuple[Recognition, ...]:
    """BABEL-60 and BABEL-120 by BABEL's own protocol, where the data set has its categories; else nothing.

    A model that takes less than five seconds sees a chunk in windows, whose cosines are averaged. The texts are the
    bare names of the classes, as in the paper.
    """
    kept = [store for store in stores if _has_categories(store, split, dataset)]
    return tuple(_babel(model, kept, split, dataset, count) for count in (60, 120)) if kept else ()


def _has_categories(store: Store, split: str, dataset: str) -> bool:
    own = (store.entries[index] for index in store.split(split))
    return any(caption.categories for entry in own if entry.dataset == dataset for caption in entry.captions)


def _babel(model: MotionCLIP, stores: Sequence[Store], split: str, dataset: str, count: int) -> Recognition:
    words = model.embed_text(babel_actions(count)).cpu()
    nearness, right = [], []
    for store in stores:
        own = [each for each in babel_segments(store, split, count) if store.entries[each.entry].dataset == dataset]
        right += [[number in chunk.classes for number in range(count)] for chunk in own]
        for start in range(0, len(own), _TOGETHER):
            nearness.append(_chunk_cosines(model, store, own[start : start + _TOGETHER], words))
    return recognition(f"BABEL-{count}", torch.cat(nearness), torch.tensor(right))


def _chunk_cosines(model: MotionCLIP, store: Store, chunks: Sequence[Chunk], words: Tensor) -> Tensor:
    """Cosines (N, C) of chunks and the latents (C, D) of class names."""
    seconds = min(BABEL_FRAMES / FPS, model.max_seconds)
    motions = [store.motion(chunk.entry).frames(chunk.start, chunk.stop) for chunk in chunks]
    windowed = encode_windows(model, motions, seconds, seconds)
    return torch.stack([cosines(each.latents, words).mean(dim=0) for each in windowed])
