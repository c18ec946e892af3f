"""Set algebra on node sets: what is left of one without another, and few sets for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from atpdsl.binding.nodeset import WHOLE, NodeSet

V = TypeVar("V", int, str)


def overlap(nodes: NodeSet, other: NodeSet) -> int:
    """How many nodes are in both."""
    if nodes.kind != other.kind:
        return 0
    return (
        len(_both(nodes.layers, other.layers))
        * len(_both(nodes.indices, other.indices))
        * len(_both(nodes.positions, other.positions))
    )


def without(nodes: NodeSet, other: NodeSet) -> tuple[NodeSet, ...]:
    """The nodes that `other` does not have, as at most three products that share none."""
    if not overlap(nodes, other):
        return (nodes,)
    layers = _both(nodes.layers, other.layers)
    indices = _both(nodes.indices, other.indices)
    parts = (
        replace(nodes, layers=_rest(nodes.layers, layers)),
        replace(nodes, layers=layers, indices=_rest(nodes.indices, indices)),
        replace(
            nodes,
            layers=layers,
            indices=indices,
            positions=_rest(nodes.positions, other.positions),
        ),
    )
    return tuple(part for part in parts if len(part))


def joined(sets: Iterable[NodeSet]) -> tuple[NodeSet, ...]:
    """The same nodes in fewer sets: those that differ in one axis only become one.

    The sets must share no node. Numbered positions, named ones and the whole sequence stay
    apart; each axis of a joined set is in order.
    """
    current = tuple(sets)
    while True:
        fewer = current
        for axis in ("indices", "layers", "positions"):
            fewer = _joined_along(fewer, axis)
        if len(fewer) == len(current):
            return fewer
        current = fewer


def _joined_along(sets: tuple[NodeSet, ...], axis: str) -> tuple[NodeSet, ...]:
    groups: dict[tuple[object, ...], list[NodeSet]] = {}
    for nodes in sets:
        axes = ("layers", "indices", "positions")
        others = tuple(getattr(nodes, other) for other in axes if other != axis)
        key = (nodes.kind, _placing(nodes), others)
        groups.setdefault(key, []).append(nodes)
    join = _JOIN[axis]
    return tuple(join(group) if len(group) > 1 else group[0] for group in groups.values())


def _join_layers(group: list[NodeSet]) -> NodeSet:
    layers = sorted({layer for nodes in group for layer in nodes.layers})
    return replace(group[0], layers=tuple(layers))


def _join_indices(group: list[NodeSet]) -> NodeSet:
    indices = sorted({index for nodes in group for index in nodes.indices})
    return replace(group[0], indices=tuple(indices))


def _join_positions(group: list[NodeSet]) -> NodeSet:
    labels = dict.fromkeys(label for nodes in group for label in nodes.positions)
    if _placing(group[0]) == "numbered":
        return replace(group[0], positions=tuple(sorted(labels, key=int)))
    return replace(group[0], positions=tuple(labels))


_JOIN: dict[str, Callable[[list[NodeSet]], NodeSet]] = {
    "layers": _join_layers,
    "indices": _join_indices,
    "positions": _join_positions,
}


def _placing(nodes: NodeSet) -> str:
    if nodes.whole:
        return WHOLE
    numbered = all(label.isdecimal() for label in nodes.positions)
    return "numbered" if numbered else "named"


def _both(values: tuple[V, ...], others: tuple[V, ...]) -> tuple[V, ...]:
    present = set(others)
    return tuple(value for value in values if value in present)


def _rest(values: tuple[V, ...], others: tuple[V, ...]) -> tuple[V, ...]:
    absent = set(others)
    return tuple(value for value in values if value not in absent)
