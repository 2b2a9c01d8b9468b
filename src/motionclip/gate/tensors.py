"""Safetensors files: one gate for weights, states and indexes. Nothing that is not finite gets in."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor


class TensorError(ValueError):
    """Why a file of tensors cannot be used."""


def read_tensors(path: Path, only: Collection[str] | None = None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors of a file by name, memory-mapped, and what else its header says.

    Args:
        path: the file.
        only: the names that it must have, and no others; any if None.

    Raises:
        TensorError: if it is missing or damaged, has other tensors, or one of them is not finite.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if only is not None and set(names) != set(only):
                raise TensorError(f"tensors {', '.join(sorted(names)[:5])}; expected {', '.join(sorted(only))}")
            tensors = {name: file.get_tensor(name) for name in names}
            about = dict(file.metadata() or {})
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError) as error:
        raise TensorError(str(error)) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise TensorError(f"tensor {name} contains NaN or infinity")
    return tensors, about
