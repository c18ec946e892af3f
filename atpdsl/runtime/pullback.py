"""Gradients of several cotangents at once through the same piece of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from atpdsl.problems import Problem, RunError
from atpdsl.runtime.memory import out_of_memory

MOST_NUMBERS = 1 << 20
"""In the cotangents of one batched backward. Measured on one core with GPT-2 small's sizes: up
to 500 rows of 768 a larger batch is faster, from 2,000 on slower, and it takes more memory."""


class Pullback:
    """Vector-Jacobian products of a stack of cotangents.

    They go through together (`is_grads_batched`, a vmap over the backward). An operation that
    cannot be batched makes them go through one by one, in this and in all later calls.
    """

    def __init__(self) -> None:
        self._batched = True

    def __call__(
        self, output: Tensor, inputs: Mapping[str, Tensor], cotangents: Tensor, *, keep: bool
    ) -> dict[str, Tensor]:
        """Gradients [stream, *input.shape] at each input.

        Args:
            output: [...].
            inputs: hook name -> a tensor that `output` was computed from, or `output` itself.
            cotangents: [stream, ...], at least one.
            keep: whether the graph is needed again. Where it is not, it goes at once or with
                the last tensor that refers to it: a batched backward that fails half way has
                to find it whole.

        Raises:
            RunError: ATP405 when `output` does not depend on an input.
        """
        asked = {name: tensor for name, tensor in inputs.items() if tensor is not output}
        found = {name: cotangents for name in inputs if name not in asked}
        if not asked:
            return found
        gradients = self._pull(output, list(asked.values()), cotangents, keep=keep)
        for name, gradient in zip(asked, gradients, strict=True):
            if gradient is None:
                raise RunError([no_gradient(name)])
            found[name] = gradient
        return found

    def _pull(
        self, output: Tensor, inputs: list[Tensor], cotangents: Tensor, *, keep: bool
    ) -> list[Tensor | None]:
        if self._batched and len(cotangents) > 1:
            try:
                return _together(output, inputs, cotangents)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self._batched = False
        return _one_by_one(output, inputs, cotangents, keep=keep)


def _together(output: Tensor, inputs: list[Tensor], cotangents: Tensor) -> list[Tensor | None]:
    size = max(1, MOST_NUMBERS // cotangents[0].numel())
    groups = [
        torch.autograd.grad(
            output,
            inputs,
            grad_outputs=group,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
        for group in torch.split(cotangents, size)
    ]
    return [_joined(torch.cat, of_input) for of_input in zip(*groups, strict=True)]


def _one_by_one(
    output: Tensor, inputs: list[Tensor], cotangents: Tensor, *, keep: bool
) -> list[Tensor | None]:
    last = len(cotangents) - 1
    streams = [
        torch.autograd.grad(
            output,
            inputs,
            grad_outputs=cotangent,
            retain_graph=keep or number < last,
            allow_unused=True,
        )
        for number, cotangent in enumerate(cotangents)
    ]
    return [_joined(torch.stack, of_input) for of_input in zip(*streams, strict=True)]


def _joined(
    join: Callable[[tuple[Tensor, ...]], Tensor], gradients: tuple[Tensor | None, ...]
) -> Tensor | None:
    there = tuple(gradient for gradient in gradients if gradient is not None)
    return join(there) if len(there) == len(gradients) else None


def no_gradient(name: str) -> Problem:
    """Nothing comes back to a hook."""
    return Problem(
        code="ATP405",
        message=f"no gradient arrives at `{name}`",
        help="this model does not use the activation there; leave the node kind out",
    )
