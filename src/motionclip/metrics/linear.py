"""The linear auto-encoder (PCA) that any learned one must be held against."""

from __future__ import annotations

import torch
from torch import Tensor


class LinearAutoEncoder:
    """PCA of windows: the best linear reconstruction, in squared error, from ``size`` numbers.

    Args:
        windows: (N, P) training windows, flattened.
        size: numbers per window; at most min(N, P) are used.
        seed: of the randomised subspace iteration (Halko et al. 2011, through torch.pca_lowrank).
    """

    def __init__(self, windows: Tensor, size: int, seed: int = 0):
        self.mean = windows.mean(dim=0)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            size = min(size, *windows.shape)
            _, _, self.directions = torch.pca_lowrank(windows - self.mean, q=size, center=False, niter=4)

    def reconstruct(self, windows: Tensor) -> Tensor:
        """Windows (M, P) through ``size`` numbers and back."""
        return (windows - self.mean) @ self.directions @ self.directions.T + self.mean
