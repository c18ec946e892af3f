"""Float64 that is float64 all the way through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class _Float64Stays(TorchFunctionMode):
    """A request to turn a float64 tensor into float32 leaves it float64."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        asked = any(a is torch.float32 for a in (*args, *kwargs.values()))
        if (asked or func is Tensor.float) and args and _is_float64(args[0]):
            if func is Tensor.float:
                return args[0]
            args = tuple(torch.float64 if a is torch.float32 else a for a in args)
            kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in kwargs.items()}
        return func(*args, **kwargs)


def _is_float64(value: object) -> bool:
    return isinstance(value, Tensor) and value.dtype is torch.float64


@contextmanager
def in_float64(model: nn.Module) -> Iterator[nn.Module]:
    """Holds back every cast to float32 inside a float64 model, forward and backward.

    The Hugging Face code casts to float32 within a float64 model: RMSNorm does (Llama, Qwen2,
    Qwen3, Gemma 3: `x.to(torch.float32)`, `x.float()`), and so does the softmax of eager
    attention (all of these and GPT-NeoX: `softmax(..., dtype=torch.float32)`); GPT-2 does
    neither. Then outputs carry noise of 1e-7, a step of 1e-3 in a finite difference turns
    that into 1e-4, and two implementations that differ by one cast differ by 1e-7. Other code
    around the same model may cast elsewhere, so the casts are caught where all of them pass,
    at the torch functions, and not in some modules of some family: `x.float()` and any
    `dtype=torch.float32` on a float64 tensor are ignored. Run oracle and engine both in here.

    The angles of rotary embedding become more exact too (by 1e-7) than outside.

    Raises:
        ValueError: when a parameter of the model is not float64.
    """
    wrong = [name for name, p in model.named_parameters() if p.dtype is not torch.float64]
    if wrong:
        raise ValueError(f"not float64: {', '.join(wrong[:3])}")
    with _Float64Stays():
        yield model
