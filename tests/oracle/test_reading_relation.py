"""The edges of circuit graphs, against the model itself.

One node is moved, all other nodes that the run has are held at their values (the residual
stream is not: it is what nodes read each other through), and every node is looked at as it is
computed, before it is held. It moves exactly if there is an edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from atpdsl.nodes import NODE_KINDS
from atpdsl.results.reading import Reading, Spot
from tests.engine import shape_of
from tests.oracle.families import VECTOR_KINDS, Place, places
from tests.oracle.float64 import in_float64
from tests.oracle.plain import Activations, Node, _watched, capture, part, run
from tests.small_models import PARALLEL, small_model

QUERY, KEY, VALUE, OUTPUT = "heads.q", "heads.k", "heads.v", "heads.z"
STREAM = ("resid.pre", "resid.post")
TOKENS = torch.tensor([[3, 11, 23]])
POSITIONS = (0, 1, 2)
# Two neurons stand for all of a layer.
SOME_NEURONS = (0, 7)


def nodes_of(activations: Activations, kinds: Sequence[str]) -> list[Node]:
    """All nodes of some kinds."""
    found = []
    for (kind, layer), activation in sorted(activations.items()):
        if kind not in kinds:
            continue
        count = 1 if kind in VECTOR_KINDS else activation.shape[2]
        for index in SOME_NEURONS if kind == "neurons" else range(count):
            found += [Node(kind=kind, layer=layer, index=index, position=p) for p in POSITIONS]
    return found


def moved(
    model: nn.Module, base: Activations, kinds: Sequence[str], source: Node
) -> Activations:
    """What all nodes would become if `source` alone were something else."""
    found: Activations = {}

    def watch(kind: str, layer: int, place: Place):
        def change(raw: Tensor) -> Tensor:
            found[kind, layer] = place.view(raw).clone()
            new = raw.clone()
            values = place.view(new)
            if kind not in STREAM:
                values[:] = base[kind, layer]
            if (kind, layer) == (source.kind, source.layer):
                own = part(values, source)
                own += torch.linspace(0.5, 1.5, own.numel()).reshape(own.shape).to(own) ** 2
            return new

        return _watched(place.module, place.side, change)

    with ExitStack() as hooks:
        for kind, layer in base:
            if kind in kinds:
                hooks.enter_context(watch(kind, layer, places(model, layer)[kind]))
        run(model, TOKENS)
    return found


def spot(node: Node) -> Spot:
    return Spot(
        kind=NODE_KINDS[node.kind],
        layer=node.layer,
        index=node.index or 0,
        position=node.position,
    )


def does_not_matter(source: Node, reader: Node) -> bool:
    """At position 0 there is one key, and attention is 1 whatever query and key are."""
    return source.kind in (QUERY, KEY) and reader.position == 0


def wrong_edges(family: str, kinds: Sequence[str]) -> list[str]:
    """Edges that should not be, and those that should be."""
    with in_float64(small_model(family)) as model:
        base = capture(model, TOKENS)
        layers = ((0, model.config.num_hidden_layers - 1),)
        shape = replace(shape_of(model.config), parallel=family in PARALLEL)
        reading = Reading(shape=shape, covered=dict.fromkeys(kinds, layers))
        nodes = nodes_of(base, kinds)
        wrong = []
        for source in nodes:
            after = moved(model, base, kinds, source)
            for reader in nodes:
                if reader == source or does_not_matter(source, reader):
                    continue
                place = reader.kind, reader.layer
                change = (part(after[place], reader) - part(base[place], reader)).abs().max()
                via = reading.via(spot(source), spot(reader))
                if (via is not None) != bool(change > 1e-9):
                    wrong.append(f"{source} -> {reader}: {via}, changes by {change:.1e}")
        return wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds",
    [
        ("embed", QUERY, KEY, VALUE, OUTPUT, "mlp"),
        ("embed", QUERY, KEY, VALUE, OUTPUT, "mlp", *STREAM),
        ("embed", QUERY, KEY, VALUE, "attn", "mlp"),
        ("embed", QUERY, KEY, VALUE, OUTPUT, "neurons"),
        ("embed", QUERY, KEY, VALUE, "mlp"),
        ("embed", OUTPUT, "mlp"),
        ("embed", "attn", "mlp"),
        (KEY, OUTPUT, "mlp"),
        (QUERY, OUTPUT),
        (QUERY, KEY, VALUE),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("family", ["gpt2", "neox", "llama"])
def test_an_edge_is_where_one_node_moves_another(family, kinds):
    assert wrong_edges(family, kinds) == []
