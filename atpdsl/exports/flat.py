"""Graphs made harmless for formats that hold less than Python does."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    import networkx

Value = str | int | float | bool


def flat_graph(graph: networkx.MultiDiGraph) -> networkx.MultiDiGraph:
    """A copy with attributes that every graph format can hold.

    None and what is not finite are left out, lists become words apart by a space, numpy
    numbers become Python's, texts are made harmless. A token that this changes is kept as JSON
    in `token_json`. The key of an edge, which some formats take for the edge's own name, is
    unique: `mlp.L0@3->heads.z.L2.H1@5<q>`.
    """
    import networkx

    flat = networkx.MultiDiGraph(**_flat(graph.graph))
    for node, attributes in graph.nodes(data=True):
        token = attributes.get("token")
        changed = isinstance(token, str) and harmless(token) != token
        kept = {"token_json": json.dumps(token)} if changed else {}
        flat.add_node(harmless(node), **_flat({**attributes, **kept}))
    for source, target, through, attributes in graph.edges(keys=True, data=True):
        ends = harmless(source), harmless(target)
        flat.add_edge(*ends, key=edge_id(*ends, str(through)), **_flat(attributes))
    return flat


def edge_id(source: str, target: str, through: str) -> str:
    """The name of an edge, unique in its graph."""
    return f"{source}->{target}<{through}>"


def _flat(attributes: Mapping[str, Any]) -> dict[str, Value]:
    values = ((name, _value(value)) for name, value in attributes.items())
    return {name: value for name, value in values if value is not None}


def _value(value: Any) -> Value | None:
    if isinstance(value, list | tuple):
        return " ".join(harmless(str(item)) for item in value) or None
    if isinstance(value, str):
        return harmless(value)
    # Python's own numbers are instances of none of numpy's types, which have `item`.
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if plain is None or isinstance(plain, Value) else harmless(str(plain))
