"""The oracle: activation patching one node at a time, by hooks on the plain model.

Slow and obvious. Nothing of TransformerLens and nothing of the engine is used here, so that
an agreement of the two means something.

`base` is the prompt that is run, `donor` the prompt whose value a node is set to. Noising has
base = clean and donor = corrupted, denoising the reverse. Both are token ids [pair, pos] of
one length, without padding. A metric maps logits [..., pair, pos, vocab] to [..., pair].
Effects are metric(patched) - metric(unpatched).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.oracle.families import VECTOR_KINDS, places
from tests.oracle.metrics import Metric

Activations = dict[tuple[str, int], Tensor]

STEP = 1e-3
"""Step of the finite differences: the error of the five-point rule is a few 1e-12 of the fifth
derivative, rounding adds some 1e-13 of the metric; both are far below 1e-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One unit of a kind.

    Attributes:
        index: head, kv head or neuron; 0 for kinds that are one vector. None is all of them.
        position: token index, None for all positions at once.
    """

    kind: str
    layer: int
    index: int | None = 0
    position: int | None


def run(model: nn.Module, tokens: Tensor) -> Tensor:
    """Logits [pair, pos, vocab] of a plain forward."""
    with torch.no_grad():
        return model(tokens, use_cache=False).logits


@contextmanager
def _watched(
    module: nn.Module, side: str, change: Callable[[Tensor], Tensor | None]
) -> Iterator[None]:
    """Gives a module's input or output to `change`; a tensor that it returns replaces it."""

    def before(_module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        new = change(arguments[0])
        return None if new is None else (new, *arguments[1:])

    def after(
        _module: nn.Module, _arguments: object, output: Tensor | tuple[Tensor, ...]
    ) -> Tensor | tuple[Tensor, ...] | None:
        if isinstance(output, Tensor):
            return change(output)
        new = change(output[0])
        return None if new is None else (new, *output[1:])

    if side == "input":
        handle = module.register_forward_pre_hook(before)
    else:
        handle = module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def capture(model: nn.Module, tokens: Tensor) -> Activations:
    """(kind, layer) -> activation of one forward; `embed` under layer 0.

    Heads are [pair, pos, head, d_head], neurons [pair, pos, neuron], all others
    [pair, pos, d_model].
    """
    found: Activations = {}
    with ExitStack() as hooks:
        for layer in range(model.config.num_hidden_layers):
            for kind, place in places(model, layer).items():
                if kind == "embed" and layer > 0:
                    continue

                def keep(raw: Tensor, key=(kind, layer), view=place.view) -> None:
                    found[key] = view(raw).clone()

                hooks.enter_context(_watched(place.module, place.side, keep))
        run(model, tokens)
    return found


@contextmanager
def edited(
    model: nn.Module, kind: str, layer: int, edit: Callable[[Tensor], None]
) -> Iterator[nn.Module]:
    """The model with one layer's activation of a kind changed; `edit` writes into its view."""
    here = places(model, layer)
    place = here[kind]
    shift: list[Tensor] = []

    def change(raw: Tensor) -> Tensor:
        new = raw.clone()
        edit(place.view(new))
        shift[:] = [new - raw]
        return new

    with ExitStack() as hooks:
        hooks.enter_context(_watched(place.module, place.side, change))
        if kind == "resid.mid":
            # The hook is on the norm in front of the MLP, which only the MLP's branch goes
            # through. The skip path goes around it and ends in the block's output.
            block = here["resid.post"].module
            hooks.enter_context(_watched(block, "output", lambda out: out + shift[0]))
        yield model


def part(activation: Tensor, node: Node) -> Tensor:
    """The node's own values, as a view: [pair, ...], with a `pos` axis if it is at all."""
    if node.kind not in VECTOR_KINDS and node.index is not None:
        activation = activation[:, :, node.index]
    return activation if node.position is None else activation[:, node.position]


def patched_logits(model: nn.Module, tokens: Tensor, node: Node, value: Tensor) -> Tensor:
    """Logits [pair, pos, vocab] with the node set to `value`, shaped as its `part`."""

    def edit(activation: Tensor) -> None:
        part(activation, node)[:] = value

    with edited(model, node.kind, node.layer, edit):
        return run(model, tokens)


def _value(activations: Activations, node: Node) -> Tensor:
    return part(activations[node.kind, node.layer], node)


def patching_effect(
    model: nn.Module, base: Tensor, donor: Tensor, node: Node, metric: Metric
) -> Tensor:
    """metric(base run with the node's value of the donor run) - metric(base run): [pair]."""
    value = _value(capture(model, donor), node)
    return metric(patched_logits(model, base, node, value)) - metric(run(model, base))


def finite_difference_estimate(
    model: nn.Module,
    base: Tensor,
    donor: Tensor,
    node: Node,
    metric: Metric,
    *,
    epsilon: float = STEP,
) -> Tensor:
    """d/dt metric(base run with the node at base + t (donor - base)) at t = 0: [pair].

    This is what attribution patching computes by a gradient. Central, five points, error
    O(epsilon ** 4); needs float64 throughout (`in_float64`).
    """
    start = _value(capture(model, base), node)
    step = _value(capture(model, donor), node) - start

    def at(t: float) -> Tensor:
        return metric(patched_logits(model, base, node, start + t * step))

    return _derivative(at, epsilon)


def _derivative(at: Callable[[float], Tensor], h: float) -> Tensor:
    """Derivative at 0: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h."""
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def _table(
    model: nn.Module, base: Tensor, nodes: list[Node], values: list[Tensor], metric: Metric
) -> Tensor:
    """metric with each node patched, every node in rows of its own: [pair, node].

    One kind and layer; the same as `patched_logits` node by node, in one forward.
    """
    pairs = len(base)

    def edit(activation: Tensor) -> None:
        for number, (node, value) in enumerate(zip(nodes, values, strict=True)):
            rows = activation[number * pairs : (number + 1) * pairs]
            part(rows, node)[:] = value

    with edited(model, nodes[0].kind, nodes[0].layer, edit):
        logits = run(model, base.repeat(len(nodes), 1))
    return metric(logits.unflatten(0, (len(nodes), pairs))).T


def every_node(
    activations: Activations, kind: str, layer: int, *, whole: bool = False
) -> list[list[Node]]:
    """All nodes of a kind in a layer: per index a list over positions (one if `whole`)."""
    activation = activations[kind, layer]
    indices = [0] if kind in VECTOR_KINDS else range(activation.shape[2])
    positions = [None] if whole else range(activation.shape[1])
    return [
        [Node(kind=kind, layer=layer, index=index, position=position) for position in positions]
        for index in indices
    ]


def every_effect(
    model: nn.Module,
    base: Tensor,
    donor: Tensor,
    kind: str,
    metric: Metric,
    *,
    whole: bool = False,
) -> Tensor:
    """`patching_effect` of every node of a kind: [pair, layer, index, position]."""
    donated = capture(model, donor)
    unpatched = metric(run(model, base))[:, None]

    def effects(nodes: list[Node]) -> Tensor:
        values = [_value(donated, node) for node in nodes]
        return _table(model, base, nodes, values, metric) - unpatched

    return _over_layers(donated, kind, effects, whole=whole)


def every_finite_difference(
    model: nn.Module,
    base: Tensor,
    donor: Tensor,
    kind: str,
    metric: Metric,
    *,
    whole: bool = False,
    epsilon: float = STEP,
) -> Tensor:
    """`finite_difference_estimate` of every node of a kind: [pair, layer, index, position]."""
    starts, donated = capture(model, base), capture(model, donor)

    def derivatives(nodes: list[Node]) -> Tensor:
        start = [_value(starts, node) for node in nodes]
        step = [_value(donated, node) - here for node, here in zip(nodes, start, strict=True)]

        def at(t: float) -> Tensor:
            values = [a + t * b for a, b in zip(start, step, strict=True)]
            return _table(model, base, nodes, values, metric)

        return _derivative(at, epsilon)

    return _over_layers(starts, kind, derivatives, whole=whole)


def _over_layers(
    activations: Activations, kind: str, numbers: Callable[[list[Node]], Tensor], *, whole: bool
) -> Tensor:
    """Joins `numbers` (nodes -> [pair, node]) to [pair, layer, index, position]."""
    layers = sorted(layer for name, layer in activations if name == kind)
    tables = []
    for layer in layers:
        rows = every_node(activations, kind, layer, whole=whole)
        flat = [node for row in rows for node in row]
        tables.append(numbers(flat).unflatten(1, (len(rows), len(rows[0]))))
    return torch.stack(tables, dim=1)
