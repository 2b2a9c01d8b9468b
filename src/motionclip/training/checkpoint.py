"""The state of a run, saved so that a run that resumes goes on exactly as it would have.

One safetensors file of tensors and the step in its metadata: written under a temporary name and
renamed, so that a kill at any moment leaves the last whole one.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from motionclip.errors import ModelError
from motionclip.formats.files import replacing

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def save_state(path: Path, step: int, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> None:
    """Write the weights of modules and the moments of the optimizer at ``step``."""
    tensors = {
        f"{kind}/{name}": value.contiguous()
        for kind, module in modules.items()
        for name, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": state[name].contiguous() for name in _MOMENTS}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"step": str(step)})


def load_state(path: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> int:
    """Read a state back into modules and optimizer; returns its step.

    Raises:
        ModelError: if the file is damaged or belongs to another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            step = int(file.metadata()["step"])
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for kind, module in modules.items():
            module.load_state_dict(_under(tensors, kind))
        _load_moments(optimizer, _under(tensors, "optimizer"))
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be resumed from: {error}; train into a new folder") from error
    return step


def _load_moments(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    state = optimizer.state_dict()
    count = sum(len(group["params"]) for group in state["param_groups"])
    state["state"] = {
        index: {name: moments[f"{index}/{name}"] for name in _MOMENTS}
        for index in range(count)
        if f"{index}/step" in moments  # a parameter without gradient has none
    }
    optimizer.load_state_dict(state)


def _under(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    prefix = kind + "/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
