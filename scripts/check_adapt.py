"""Measures how well OpenAI's CLIP drives the shipped model after `adapt`, on texts with given CLIP embeddings.

    python scripts/check_adapt.py EMBEDDINGS.npz

EMBEDDINGS.npz holds `texts` (N,), `kinds` (N,) and `embeddings` (N, 512). The map from CLIP's embeddings to the
model's text latents is fitted on all kinds of texts but one; on that one, each mapped embedding is used to retrieve its
text's latent. Prints one row per kind left out.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from motionclip import load
from motionclip.applications.adapt import fit_linear
from motionclip.metrics.retrieval import cosines, retrieval


def main(path: str) -> None:
    with np.load(path, allow_pickle=False) as stored:
        texts, kinds = stored["texts"].tolist(), stored["kinds"]
        embeddings = F.normalize(torch.from_numpy(stored["embeddings"]), dim=-1)
    model = load()
    own, head = model.text_encoder.encode_texts(texts), model.network.autoencoder.text_head
    print("left out       fitted on   R@1   R@5   R@10  median rank   of")
    for kind in sorted(set(kinds.tolist())):
        report(kind, embeddings, own, head, torch.from_numpy(kinds == kind))


@torch.inference_mode()
def report(kind: str, embeddings: Tensor, own: Tensor, head: nn.Module, held: Tensor) -> None:
    mapped = fit_linear(embeddings[~held], own[~held])(embeddings[held])
    found = retrieval(cosines(head(mapped), head(own[held])), torch.eye(int(held.sum()), dtype=torch.bool))
    recall = "  ".join(f"{value:4.1f}" for value in found.recall)
    print(f"{kind:12s} {int((~held).sum()):9d}    {recall}  {found.median_rank:8g}  {found.candidates:8d}")


if __name__ == "__main__":
    main(sys.argv[1])
