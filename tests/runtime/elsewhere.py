"""A device that is not there: tensors that say they are on it, and refuse to meet others.

The numbers are computed on the CPU. Every operation looks at its operands as a real second
device would: tensors of both devices together are an error, but for single numbers and for
indices, which CUDA takes from the CPU too (and waits for them; here they are refused, because
such a wait in every layer costs more than the layer).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

THERE = torch.device("meta")  # the only one that torch knows without its hardware
CPU = torch.device("cpu")


class There(Tensor):
    """A tensor that says it is on `THERE`; `here` has its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> There:
        return Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=THERE,
            requires_grad=False,
        )

    def __init__(self, here: Tensor) -> None:
        self.here = here

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None):
        return computed(func, args, kwargs or {})

    def __repr__(self) -> str:  # type: ignore[override]
        return f"There({self.here})"


class _Factories(TorchDispatchMode):
    """Also sees what is made from nothing, `torch.arange(..., device=...)`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
        return computed(func, args, kwargs or {})


class _FromData(TorchFunctionMode):
    """What torch does without asking: `torch.tensor(data, device=...)` has no numbers there."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
        kwargs = dict(kwargs or {})
        if func is Tensor.tolist and isinstance(args[0], There):
            return args[0].here.tolist()
        if func is not torch.tensor or kwargs.get("device") is None:
            return func(*args, **kwargs)
        there = torch.device(kwargs.pop("device")).type == THERE.type
        return _outer(func(*args, **kwargs), there=there)


@contextmanager
def elsewhere() -> Iterator[None]:
    """Operations may name the device `THERE`."""
    with _Factories(), _FromData():
        yield


def computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation, on the device of its operands."""
    tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
    there = any(isinstance(one, There) for one in tensors)
    stray = [one for one in tensors if not isinstance(one, There) and one.dim() > 0]
    asked = kwargs.get("device")
    moving = func in {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}
    if there and stray and not moving:
        raise RuntimeError(f"{func} on {THERE} is given tensors on {CPU}: {stray}")
    if asked is not None:
        kwargs = {**kwargs, "device": CPU}
        there = torch.device(asked).type == THERE.type
    inner_args, inner_kwargs = tree_map(_inner, (args, kwargs))
    found = func(*inner_args, **inner_kwargs)
    if func.name().endswith("_") or func is torch.ops.aten.copy_.default:
        return args[0] if isinstance(found, Tensor) else found
    return tree_map(lambda one: _outer(one, there=there), found)


def _inner(value: Any) -> Any:
    return value.here if isinstance(value, There) else value


def _outer(value: Any, *, there: bool) -> Any:
    return There(value) if there and isinstance(value, Tensor) else value
