"""A text tower that remembers: labels and popular sentences are encoded once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from motionclip.towers import TextTower, checked_texts

#: Sentences remembered: 15 MB for vectors of 384 numbers.
_KEPT = 10_000


class RememberingTower:
    """Another tower, with the vectors of the last sentences kept in memory. Any thread may use it."""

    def __init__(self, tower: TextTower):
        self._tower = tower
        self.name, self.dim, self.fingerprint = tower.name, tower.dim, tower.fingerprint
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, dim), as of the tower.

        Raises:
            TextError: as the tower.
        """
        texts = checked_texts(texts)
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            # copies: a row would keep the whole batch in memory
            found |= {text: row.clone() for text, row in zip(new, self._tower.encode_texts(new), strict=True)}
        with self._lock:
            for text in dict.fromkeys(texts):
                self._known[text] = found[text]
                self._known.move_to_end(text)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return torch.stack([found[text] for text in texts]) if texts else torch.empty(0, self.dim)
