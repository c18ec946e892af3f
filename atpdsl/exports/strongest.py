"""Which edges of a circuit are drawn: the strongest, few to each node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from atpdsl.results.names import INPUT

if TYPE_CHECKING:
    import networkx

# More edges into or out of one node hide each other.
MOST_IN, MOST_OUT = 2, 3
MOST = 150


def strongest(graph: networkx.MultiDiGraph) -> tuple[tuple[str, str, str], ...]:
    """(source, target, through) of the edges to draw, strongest first.

    An edge's weight is the smaller score of its ends, so many have the same; of those the one
    with the larger score at the other end comes first. Edges from the input are left out: all
    that reads the stream first has one.
    """

    def strength(edge: tuple[str, str, str, float | None]) -> tuple[Any, ...]:
        source, target, through, weight = edge
        scores = [graph.nodes[end].get("score") or 0.0 for end in (source, target)]
        return -(weight or 0.0), -max(scores), source, target, through

    edges = sorted(graph.edges(keys=True, data="weight"), key=strength)
    into: Counter[str] = Counter()
    out_of: Counter[str] = Counter()
    chosen: list[tuple[str, str, str]] = []
    for source, target, through, _ in edges:
        if len(chosen) == MOST:
            break
        if source == INPUT or into[target] >= MOST_IN or out_of[source] >= MOST_OUT:
            continue
        into[target] += 1
        out_of[source] += 1
        chosen.append((source, target, through))
    return tuple(chosen)
