"""A file of EAP-IG's `Graph.to_json` as a graph with the attributes that ours have."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.eap_ig_names import EDGES, NODES, Config, edge_of, names_of_nodes
from atpdsl.problems import Problem, RunError
from atpdsl.results.columns import SCHEMA as COLUMNS
from atpdsl.results.graph import SCHEMA
from atpdsl.results.names import INPUT, LOGITS, node_id, short_name
from atpdsl.results.reading import Via

if TYPE_CHECKING:
    import networkx

# Its nodes are over the whole prompt.
EVERYWHERE = "sequence"
# A model with more is no language model, and would fill the memory.
MOST_NODES = 1_000_000


class _DamagedError(ValueError):
    """What a file has that EAP-IG would not read."""


def read(path: Path) -> networkx.MultiDiGraph:
    """The graph in a file of EAP-IG; all its nodes and edges, `in_graph` says which are kept.

    Nodes have the attributes of `Result.graph`: `signed` is the file's score, `estimate` and
    `score` its absolute value, `position` the whole prompt. Edges have the file's score as
    `weight`.

    Args:
        path: the file; it need not be trusted.

    Raises:
        RunError: when it cannot be read, or is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _graph(document, path.name.partition(".")[0])
    except (_DamagedError, ValueError, RecursionError) as error:
        message = f"`{path}` is no graph of EAP-IG: {error}"
        advice = "it is written by `Graph.to_json` of EAP-IG, or by `export eap_ig(...)`"
        raise RunError([Problem(code="ATP455", message=message, help=advice)]) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"cannot read `{path}`: {reason}"
        raise RunError(
            [Problem(code="ATP455", message=message, help="check the path")]
        ) from error


def _graph(document: object, name: str) -> networkx.MultiDiGraph:
    import networkx

    entries = _object(document, "the file")
    config = _config(_object(entries.get("cfg"), "`cfg`"))
    nodes = _object(entries.get(NODES), f"`{NODES}`")
    edges = _object(entries.get(EDGES), f"`{EDGES}`")
    known = list(names_of_nodes(config))
    other = next((name for name in nodes if name not in set(known)), None)
    if other is not None:
        raise _DamagedError(f"its model has no node `{other[:60]}`")
    told = entries.get("atpdsl")
    graph = networkx.MultiDiGraph(**_facts(told if isinstance(told, dict) else {}, name))
    ids = {}
    for node in known:
        ids[node], facts = _node(node, _object(nodes.get(node, {}), f"node `{node}`"))
        graph.add_node(ids[node], **facts)
    _rank(graph)
    for text, found in edges.items():
        edge = edge_of(text, config)
        if edge is None:
            raise _DamagedError(f"its model has no edge `{text[:60]}`")
        info = _object(found, f"edge `{text}`")
        graph.add_edge(
            ids[edge.source],
            ids[edge.target],
            key=edge.through,
            via=Via.STREAM.value,
            through=edge.through,
            weight=_number(info.get("score"), f"the score of `{text}`"),
            weight_from=EDGES,
            in_graph=_truth(info.get("in_graph"), text),
        )
    return graph


def _config(found: Mapping[str, Any]) -> Config:
    sizes = [found.get(name) for name in ("n_layers", "n_heads", "d_model")]
    layers, heads, width = (_size(size) for size in sizes)
    if layers * (heads + 1) > MOST_NODES:
        raise _DamagedError("its model is too large")
    return Config(
        n_layers=layers,
        n_heads=heads,
        d_model=width,
        parallel_attn_mlp=_truth(found.get("parallel_attn_mlp", False), "parallel_attn_mlp"),
    )


def _node(name: str, info: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Its name here, and its attributes."""
    kept = name in (INPUT, LOGITS) or _truth(info.get("in_graph", False), name)
    score = info.get("score")
    signed = None if score is None else _number(score, f"the score of `{name}`")
    kind, layer, index = _place(name)
    ours = name if kind == name else node_id(kind, layer, index, EVERYWHERE)
    label = name if kind == name else short_name(kind, layer, index)
    size = None if signed is None else abs(signed)
    facts = dict.fromkeys(COLUMNS.names) | {
        "kind": kind,
        "layer": layer,
        "index": index,
        "position": None if kind == name else EVERYWHERE,
        "label": label,
        "estimate": size,
        "signed": signed,
        "score": size,
        "verified": False,
        "token_index": None,
        "flags": [],
        "in_graph": kept,
    }
    return ours, facts


def _place(name: str) -> tuple[str, int | None, int | None]:
    """(kind, layer, index) of a node that the model is known to have."""
    if name in (INPUT, LOGITS):
        return name, None, None
    if name.startswith("m"):
        return "mlp", int(name[1:]), None
    layer, head = name.split(".")
    return "heads.z", int(layer[1:]), int(head[1:])


def _rank(graph: networkx.MultiDiGraph) -> None:
    """Ranks from 1 for the largest score; ties in the order of the nodes."""
    scored = [facts for _, facts in graph.nodes(data=True) if facts["score"] is not None]
    ordered = sorted(scored, key=lambda facts: -facts["score"])
    for rank, facts in enumerate(ordered, start=1):
        facts["rank"] = rank


def _facts(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the graph says of itself; a file of EAP-IG's own says little."""

    def text(key: str, otherwise: str = "") -> str:
        value = told.get(key)
        return value if isinstance(value, str) else otherwise

    pairs = told.get("pairs")
    return {
        "schema": SCHEMA,
        "spec": text("spec", name),
        "model": text("model"),
        "weights_sha256": text("weights_sha256"),
        "method": text("method", "eap_ig"),
        "direction": text("direction"),
        "metric": text("metric"),
        "metric_position": text("metric_position"),
        "pairs": pairs if isinstance(pairs, int) else 0,
        "edges": "source is read by target; weight is the score that the file gives the edge",
    }


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _DamagedError(f"{where} is no object")
    return value


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _DamagedError("`cfg` lacks a size of the model")
    return value


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _DamagedError(f"`{where[:60]}` lacks a truth value")
    return value


def _number(value: object, where: str) -> float | None:
    """A score; None for NaN, which means that there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _DamagedError(f"{where} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise _DamagedError(f"{where} is too large")
    return None if math.isnan(number) else number
