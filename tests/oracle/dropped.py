"""GradDrop, slow and obvious: for every drop the plain model is run once more.

Dropping a contribution means that the model is one in which it cannot change: the output of
the layer's attention, of its MLP, or of both is set to what it is in an unpatched run. All
values stay the same, and every way through the contribution is cut, for gradients as well as
for finite differences. Nothing of TransformerLens and nothing of the engine is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from tests.oracle.families import places
from tests.oracle.metrics import Metric
from tests.oracle.plain import (
    STEP,
    Activations,
    _derivative,
    _watched,
    capture,
    edited,
    run,
)

Held = Sequence[tuple[str, int]]
"""Contributions that are held: `attn` or `mlp`, and the layer."""


def whole_layers(n_layers: int) -> list[Held]:
    """What is held in each drop of a layer."""
    return [[("attn", layer), ("mlp", layer)] for layer in range(n_layers)]


def sublayers(n_layers: int) -> list[Held]:
    """What is held in each drop of an attention or an MLP."""
    return [[(kind, layer)] for layer in range(n_layers) for kind in ("attn", "mlp")]


@contextmanager
def holding(model: nn.Module, values: Activations, held: Held) -> Iterator[None]:
    """The model with contributions set to `values`, whatever happens before."""

    def still(_raw: Tensor, *, value: Tensor) -> Tensor:
        return value

    with ExitStack() as hooks:
        for kind, layer in held:
            place = places(model, layer)[kind]
            change = partial(still, value=values[kind, layer])
            hooks.enter_context(_watched(place.module, place.side, change))
        yield


def gradients(model: nn.Module, tokens: Tensor, metric: Metric, held: Held) -> Activations:
    """(kind, layer) -> gradient of the metric there in the model with contributions held.

    Taken at a zero that is added to the activation.
    """
    values = capture(model, tokens)
    zeros: Activations = {}

    def add(raw: Tensor, *, key: tuple[str, int]) -> Tensor:
        zeros[key] = torch.zeros_like(raw).requires_grad_(True)
        return raw + zeros[key]

    def add_again(raw: Tensor, *, key: tuple[str, int]) -> Tensor:
        return raw + zeros[key]

    with ExitStack() as hooks:
        for kind, layer in values:
            here, key = places(model, layer), (kind, layer)
            place = here[kind]
            hooks.enter_context(_watched(place.module, place.side, partial(add, key=key)))
            if kind == "resid.mid":  # see `edited`: the stream goes around the MLP's branch
                around = partial(add_again, key=key)
                hooks.enter_context(_watched(here["resid.post"].module, "output", around))
        hooks.enter_context(holding(model, values, held))
        with torch.enable_grad():
            total = metric(model(tokens, use_cache=False).logits).sum()
    found = torch.autograd.grad(total, list(zeros.values()), allow_unused=True)
    return {
        (kind, layer): places(model, layer)[kind].view(
            torch.zeros_like(zero) if gradient is None else gradient
        )
        for ((kind, layer), zero), gradient in zip(zeros.items(), found, strict=True)
    }


def slopes(
    model: nn.Module, tokens: Tensor, metric: Metric, held: Held, directions: Activations
) -> dict[str, Tensor]:
    """Kind -> d/dt of the metric, [pair], with contributions held and t * direction added.

    A kind is moved in all its layers together, in rows of its own, all in one forward.
    """
    kinds, times = sorted({kind for kind, _ in directions}), (STEP, -STEP, 2 * STEP, -2 * STEP)
    moves = [(kind, t) for kind in kinds for t in times]
    many = tokens.repeat(len(moves), 1)
    values = capture(model, many)

    def move(activation: Tensor, *, kind: str, by: Tensor) -> None:
        for rows, (moved, t) in zip(activation.split(len(tokens)), moves, strict=True):
            if moved == kind:
                rows.copy_(rows + t * by)

    with ExitStack() as hooks:
        for (kind, layer), by in directions.items():
            edit = partial(move, kind=kind, by=by)
            hooks.enter_context(edited(model, kind, layer, edit))
        hooks.enter_context(holding(model, values, held))
        found = metric(run(model, many).unflatten(0, (len(moves), len(tokens))))
    at = dict(zip(moves, found, strict=True))
    return {kind: _derivative(lambda t, kind=kind: at[kind, t], STEP) for kind in kinds}
