"""Activation functions of MLPs and their derivatives, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Activation:
    """A function of single numbers.

    Attributes:
        value: x -> f(x).
        pull: (gradient, x) -> gradient * f'(x), in one pass over memory where torch can.
    """

    value: Function
    pull: Callable[[Tensor, Tensor], Tensor]

    def slope(self, x: Tensor) -> Tensor:
        """f'(x)."""
        return self.pull(torch.ones_like(x), x)


def _gelu(approximate: str) -> Activation:
    return Activation(
        value=lambda x: torch.nn.functional.gelu(x, approximate=approximate),
        pull=lambda g, x: torch.ops.aten.gelu_backward(g, x, approximate=approximate),
    )


KNOWN: Mapping[str, Activation] = {
    "gelu": _gelu("none"),
    "gelu_new": _gelu("tanh"),
    "gelu_pytorch_tanh": _gelu("tanh"),
    "relu": Activation(value=torch.relu, pull=lambda g, x: g * (x > 0)),
    "silu": Activation(value=torch.nn.functional.silu, pull=torch.ops.aten.silu_backward),
}
KNOWN = {**KNOWN, "swish": KNOWN["silu"]}


def activation(name: str, function: Function) -> Activation:
    """The activation that a configuration names.

    Args:
        function: the model's own, for names that are not in the table: its derivative is
            then taken by autograd.
    """
    if name in KNOWN:
        return KNOWN[name]

    def pull(gradient: Tensor, x: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(function(leaf).sum(), leaf)
        return gradient * slope

    return Activation(value=function, pull=pull)
