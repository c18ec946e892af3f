"""How nodes are called: `heads.z.L9.H6@14` in files, and what the parts of the name are."""

from __future__ import annotations

from collections.abc import Sequence

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit

# The two ends of a circuit: the tokens of the prompt, and the metric.
INPUT, LOGITS = "input", "logits"
_LETTERS = {Unit.HEAD: "H", Unit.KV_HEAD: "KV", Unit.NEURON: "N"}


def node_id(kind: str, layer: int | None, index: int | None, position: str) -> str:
    """The stable name of a node: `heads.z.L9.H6@14`, `mlp.L3@S2`, `embed@5`."""
    return f"{'.'.join((kind, *_numbers(kind, layer, index)))}@{position}"


def short_name(kind: str, layer: int | None, index: int | None) -> str:
    """The name in tables for people, without the position: `heads.z L9H6`, `embed`."""
    return f"{kind} {''.join(_numbers(kind, layer, index))}".strip()


def _numbers(kind: str, layer: int | None, index: int | None) -> tuple[str, ...]:
    letter = _LETTERS.get(NODE_KINDS[kind].unit, "I") if kind in NODE_KINDS else "I"
    layers = () if layer is None else (f"L{layer}",)
    return layers if index is None else (*layers, f"{letter}{index}")


def set_member(nodes: NodeSet, flat: int) -> tuple[int | None, int | None, str]:
    """(layer, index, position) of a node; None where its kind has no such number."""
    kind = NODE_KINDS[nodes.kind]
    layer, index, position = nodes.at(flat)
    return (
        layer if kind.layered else None,
        None if kind.unit is Unit.VECTOR else index,
        position,
    )


def row_id(sets: Sequence[NodeSet], row: int) -> str:
    """The stable name of a node by its number over all node sets, one after the other.

    Raises:
        IndexError: when there is no such node.
    """
    for nodes in sets:
        if row < len(nodes):
            return node_id(nodes.kind, *set_member(nodes, row))
        row -= len(nodes)
    raise IndexError(f"no node {row}")
