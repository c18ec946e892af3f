"""Which nodes and edges EAP-IG's graph of a model has, and what it calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atpdsl.results.names import INPUT, LOGITS
from atpdsl.results.reading import Through

NODES, EDGES = "nodes", "edges"
_WAYS = (Through.QUERY, Through.KEY, Through.VALUE)
_EDGE = re.compile(r"([a-z0-9.]{1,20})->([a-z0-9.]{1,20})(?:<([qkv])>)?")
_NODE = re.compile(r"a(?P<layer>\d+)\.h(?P<head>\d+)|m(?P<mlp>\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What EAP-IG makes a graph from; the fields are called as in its files."""

    n_layers: int
    n_heads: int
    parallel_attn_mlp: bool
    d_model: int

    def as_json(self) -> dict[str, int | bool]:
        """The key `cfg` of a file."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge; `through` is what of the target reads it."""

    source: str
    target: str
    through: str

    @property
    def name(self) -> str:
        """As in its files: `m0->a1.h2<q>`, `m0->m1`."""
        ends = f"{self.source}->{self.target}"
        return f"{ends}<{self.through}>" if self.through in _WAYS else ends


def names_of_nodes(config: Config) -> Iterator[str]:
    """All nodes, in the order of its files."""
    yield INPUT
    for layer in range(config.n_layers):
        yield from _heads(config, layer)
        yield f"m{layer}"
    yield LOGITS


def names_of_edges(config: Config) -> Iterator[Edge]:
    """All edges: every node reads all that was written to the stream before it."""
    written = [INPUT]
    for layer in range(config.n_layers):
        heads = list(_heads(config, layer))
        for source in written:
            for head in heads:
                for way in _WAYS:
                    yield Edge(source, head, way.value)
        before = written if config.parallel_attn_mlp else [*written, *heads]
        for source in before:
            yield Edge(source, f"m{layer}", Through.MLP.value)
        written = [*written, *heads, f"m{layer}"]
    for source in written:
        yield Edge(source, LOGITS, Through.LOGITS.value)


def edge_of(name: str, config: Config) -> Edge | None:
    """The edge with a name; None if the model has none."""
    found = _EDGE.fullmatch(name)
    if found is None:
        return None
    source, target, way = found.groups()
    start, end = _time(source, config), _time(target, config)
    if start is None or end is None or start >= end or (way is None) == target.startswith("a"):
        return None
    through = Through.LOGITS if target == LOGITS else Through.MLP
    return Edge(source, target, way or through.value)


def _time(name: str, config: Config) -> int | None:
    """When a node writes or reads the stream; None for one that the model does not have.

    A head and the MLP of its layer do so at once if they are parallel.
    """
    steps = 1 if config.parallel_attn_mlp else 2
    if name in (INPUT, LOGITS):
        return -1 if name == INPUT else steps * config.n_layers
    found = _NODE.fullmatch(name)
    if found is None:
        return None
    head = found["head"]
    layer = int(found["layer"] or found["mlp"])
    if layer >= config.n_layers or int(head or 0) >= config.n_heads:
        return None
    return steps * layer if head else steps * layer + steps - 1


def _heads(config: Config, layer: int) -> Iterator[str]:
    return (f"a{layer}.h{head}" for head in range(config.n_heads))
