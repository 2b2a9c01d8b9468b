"""A device beside the CPU, named ``other``, that computes on the CPU but mixes with it as little as a GPU does.

Tensors of it are wrappers; below autograd, each operation is checked and then done with what they wrap. An operation
on tensors of both devices is an error, but for what CUDA allows too: copies, single numbers, and indices on the CPU.
It shows what a GPU would refuse, not what it would round. torch's interface to devices written in Python is young, so
this belongs into a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "other"
_aten = torch.ops.aten
_COPIES = (_aten.copy_.default, _aten._to_copy.default)
#: Operations whose indices, of a tensor on the device, may be on the CPU.
_INDEXING = (_aten.index.Tensor, _aten.index_put_.default, _aten.index_put.default, _aten._index_put_impl_.default)


class _Backend(backend_registration._DummyBackendModule):
    """What torch asks the module of a device for."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def get_rng_state(self, device: object = None) -> torch.Tensor:
        return torch.zeros(1, dtype=torch.uint8)

    def set_rng_state(self, state: object, device: object = None) -> None:
        pass

    def manual_seed_all(self, seed: int) -> None:
        pass

    def _is_in_bad_fork(self) -> bool:
        return False


def register() -> None:
    """Make the device known to this process; before motionclip is imported."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Backend())
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(..., device=) goes through a copy that is seen here
    # Inference mode takes a shorter way that passes wrappers by.
    torch.inference_mode = lambda mode=True: torch.no_grad() if mode else torch.enable_grad()  # type: ignore


class _Wrapper(torch.Tensor):
    """A tensor on the device, around one on the CPU."""

    wrapped: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, wrapped: torch.Tensor) -> _Wrapper:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            wrapped.size(),
            strides=wrapped.stride(),
            storage_offset=wrapped.storage_offset(),
            dtype=wrapped.dtype,
            device=torch.device(NAME, 0),
        )
        made.wrapped = wrapped
        return made

    def tolist(self) -> Any:
        return self.wrapped.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class OtherDevice(TorchDispatchMode):
    """Within this context the device works."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    leaves = tree_leaves((args, kwargs))
    here = [leaf for leaf in leaves if isinstance(leaf, _Wrapper)]
    device = kwargs.get("device")
    wanted = device is not None and torch.device(device).type == NAME
    if here and func not in _COPIES:
        _refuse_mixed(func, args, leaves)
    if (here or wanted) and any(isinstance(leaf, torch.Generator) for leaf in leaves):
        raise RuntimeError(f"{func}: a generator on the CPU for numbers on the device")
    if wanted:
        kwargs = kwargs | {"device": torch.device("cpu")}
    result = func(*tree_map(_unwrap, args), **tree_map(_unwrap, kwargs))
    if func is _aten.copy_.default:
        return args[0]
    known = {id(wrapper.wrapped): wrapper for wrapper in here}  # what an operation in place returns is the same tensor
    stays = wanted or (device is None and bool(here))

    def wrap(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or isinstance(value, _Wrapper) or not stays:
            return value
        return known[id(value)] if id(value) in known else _Wrapper(value)

    return tree_map(wrap, result)


def _unwrap(value: Any) -> Any:
    return value.wrapped if isinstance(value, _Wrapper) else value


def _refuse_mixed(func: Callable[..., Any], args: tuple[Any, ...], leaves: list[Any]) -> None:
    there = [
        leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and not isinstance(leaf, _Wrapper) and leaf.dim()
    ]
    if func in _INDEXING and isinstance(args[0], _Wrapper):
        indices = {id(index) for index in args[1]}
        there = [tensor for tensor in there if id(tensor) not in indices]
    if there:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in there)
        raise RuntimeError(f"{func}: tensors on the CPU, of shape {shapes}, with tensors on the device")
