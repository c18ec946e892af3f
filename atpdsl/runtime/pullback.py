"""Gradients of several cotangents at once through the same piece of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from atpdsl.problems import Problem, RunError
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.memory import out_of_memory

T = TypeVar("T")

MOST_NUMBERS = 1 << 20
"""In the cotangents of one batched backward. Measured on one core with GPT-2 small's sizes: up
to 500 rows of 768 a larger batch is faster, from 2,000 on slower, and it takes more memory."""


class Pullback:
    """Vector-Jacobian products of a stack of cotangents.

    They go through together (`is_grads_batched`, a vmap over the backward). An operation that
    cannot be batched makes them go through one by one, in this and in all later calls.

    Args:
        at_once: numbers in the cotangents of one batched backward, fewer after memory ran out.
    """

    def __init__(self, at_once: Halving | None = None) -> None:
        self._batched = True
        self._at_once = at_once or Halving(MOST_NUMBERS)

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
                return _together(output, inputs, cotangents, self._at_once)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self._batched = False
        return _one_by_one(output, inputs, cotangents, keep=keep)


def _together(
    output: Tensor, inputs: list[Tensor], cotangents: Tensor, at_once: Halving
) -> list[Tensor | None]:
    def pull(some: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(
            output,
            inputs,
            grad_outputs=some,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )

    groups = in_groups(cotangents, pull, at_once)
    return [_joined(torch.cat, of_input) for of_input in zip(*groups, strict=True)]


def in_groups(streams: Tensor, pull: Callable[[Tensor], T], at_once: Halving) -> list[T]:
    """What `pull` gives for all streams, some at a time: as many as have so many numbers."""
    each, done = max(1, streams[0].numel()), 0
    found: list[T] = []
    while done < len(streams):
        some = streams[done : done + max(1, at_once.size // each)]
        count = len(some)
        given = at_once.attempt(count * each, partial(pull, some), divisible=count > 1)
        if given is not None:
            found.append(given[0])
            done += count
    return found


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
