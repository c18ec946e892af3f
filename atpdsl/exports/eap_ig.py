"""The JSON of EAP-IG's `Graph`, which the MIB circuit track reads as well.

Its nodes are whole heads (`a9.h6`), MLPs (`m3`), `input` and `logits`, without positions, so
scores are summed over positions, with their signs. It wants every node and edge that the model
has, those of the circuit with `in_graph`. As in its own circuits of nodes, an edge is in the
circuit where both ends are.

    cfg: n_layers, n_heads, parallel_attn_mlp, d_model.
    nodes: name -> in_graph, and score where there is one.
    edges: `a8.h6->a9.h9<q>` -> score, in_graph.
    atpdsl: where the numbers are from; its reader passes over other keys.

Hanna, Pezzelle and Belinkov 2024, "Have Faith in Faithfulness"; Mueller et al. 2025, "MIB".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.eap_ig_names import (
    EDGES,
    NODES,
    Config,
    Edge,
    names_of_edges,
    names_of_nodes,
)
from atpdsl.exports.exporter import Exporter
from atpdsl.problems import Problem, RunError
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

    from atpdsl.results.record import Record
    from atpdsl.results.result import Result

# What a node of theirs is here. Queries, keys and values only weigh the edges that end there.
_SOURCES = {"heads.z": "head", "mlp": "mlp", "embed": "input"}
_INPUTS = {"q": "heads.q", "k": "heads.k", "v": "heads.v"}
_WORDS = {True: "true", False: "false"}
_ABOUT = (
    "node scores: effects where measured, else signed estimates, summed over positions; edge "
    "scores: the smaller absolute score of both ends (of the head's q, k or v nodes where the "
    "run has them), nothing was measured along edges"
)


def write(result: Result, path: Path) -> None:
    """Write heads and MLPs as EAP-IG's JSON.

    Raises:
        RunError: when the run has neither heads' outputs nor MLPs.
    """
    shape = result.record.provenance.model.shape
    scores = _Scores.of(result, shape.n_heads // shape.n_kv_heads)
    if scores.nodes.keys() <= {INPUT}:
        message = "EAP-IG's graphs have heads and MLPs, and this run has neither"
        advice = "choose `heads.z` or `mlp` in `nodes`, or export another format"
        raise RunError([Problem(code="ATP457", message=message, help=advice)])
    config = Config(
        n_layers=shape.n_layers,
        n_heads=shape.n_heads,
        parallel_attn_mlp=shape.parallel,
        d_model=shape.d_model,
    )
    inside = {INPUT, LOGITS, *_in_circuit(result.graph)}
    head = {
        "atpdsl": _facts(result.record, str(result.graph.graph["method"])),
        "cfg": config.as_json(),
        NODES: {name: _node(name, scores, inside) for name in names_of_nodes(config)},
    }
    edges = (
        # There are millions in a large model, and their names hold nothing to be escaped.
        f'"{edge.name}": {{"score": {scores.of_edge(edge)!r}, "in_graph": '
        f"{_WORDS[edge.source in inside and edge.target in inside]}}}"
        for edge in names_of_edges(config)
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, allow_nan=False)[:-1])
        file.write(f', "{EDGES}": {{{next(edges)}')
        file.writelines(f",\n{edge}" for edge in edges)
        file.write("}}\n")


def read(path: Path) -> networkx.MultiDiGraph:
    """The graph in such a file; see `atpdsl.exports.eap_ig_reading`.

    Raises:
        RunError: when it cannot be read, or is no such file.
    """
    from atpdsl.exports import eap_ig_reading

    return eap_ig_reading.read(path)


def _node(name: str, scores: _Scores, inside: set[str]) -> dict[str, bool | float]:
    score = scores.nodes.get(name)
    found: dict[str, bool | float] = {"in_graph": name in inside}
    return found if score is None else {**found, "score": score}


def _facts(record: Record, method: str) -> dict[str, Any]:
    described = record.method(method)
    return {
        "schema": "atpdsl/eap-ig/1",
        "spec": record.spec.name,
        "model": record.provenance.model.name,
        "weights_sha256": record.provenance.model.weights_sha256,
        "method": method,
        "direction": "" if described is None else described.direction,
        "metric": record.metric.title,
        "metric_position": record.metric.position,
        "effect_unit": record.metric.effect_unit,
        "pairs": len(record.pairs),
        "scores": _ABOUT,
    }


def _in_circuit(graph: networkx.MultiDiGraph) -> Iterator[str]:
    for _, facts in graph.nodes(data=True):
        name = _name(facts["kind"], facts.get("layer"), facts.get("index"))
        if name is not None:
            yield name


def _name(kind: str, layer: int | None, index: int | None) -> str | None:
    """What EAP-IG calls a node of this kind; None for what it does not have."""
    match _SOURCES.get(kind):
        case "head":
            return f"a{layer}.h{index}"
        case "mlp":
            return f"m{layer}"
        case "input":
            return INPUT
        case _:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scores:
    """Sums over positions.

    Attributes:
        nodes: by EAP-IG's names.
        inputs: (`q`, `k` or `v`, layer, index) of what heads read with; keys and values are
            those of `group` heads each.
    """

    nodes: Mapping[str, float]
    inputs: Mapping[tuple[str, int, int], float]
    group: int

    @classmethod
    def of(cls, result: Result, group: int) -> _Scores:
        """The sums of the method that the circuit is of."""
        nodes: dict[str, float] = {}
        inputs: dict[tuple[str, int, int], float] = {}
        ways = {kind: way for way, kind in _INPUTS.items()}
        for kind, layer, index, score in _sums(result, (*_SOURCES, *ways)):
            name = _name(kind, layer, index)
            if name is not None:
                nodes[name] = nodes.get(name, 0.0) + score
            elif layer is not None and index is not None:
                inputs[ways[kind], layer, index] = score
        return cls(nodes=nodes, inputs=inputs, group=group)

    def of_edge(self, edge: Edge) -> float:
        """The smaller absolute score of both ends; 0 where neither has one."""
        ends = (self.nodes.get(edge.source), self._of_target(edge.target, edge.through))
        return min((abs(score) for score in ends if score is not None), default=0.0)

    def _of_target(self, target: str, through: str) -> float | None:
        if through in _INPUTS:
            layer, head = (int(part[1:]) for part in target.split("."))
            index = head if through == "q" else head // self.group
            if (through, layer, index) in self.inputs:
                return self.inputs[through, layer, index]
        return self.nodes.get(target)


def _sums(
    result: Result, kinds: Iterable[str]
) -> Iterator[tuple[str, int | None, int | None, float]]:
    """(kind, layer, index, sum of signed scores over positions); None where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = result.table
    mine = pc.and_(
        pc.equal(table["method"], str(result.graph.graph["method"])),
        pc.is_in(table["kind"].cast(pa.string()), pa.array(list(kinds))),
    )
    table = table.filter(mine)
    columns = {name: table[name] for name in ("layer", "index")}
    columns |= {"kind": table["kind"].cast(pa.string())}
    columns |= {"score": pc.coalesce(table["effect"], table["signed"])}
    by = ["kind", "layer", "index"]
    summed = pa.table(columns).group_by(by).aggregate([("score", "sum")]).sort_by("kind")
    for row in summed.to_pylist():
        score = row["score_sum"]
        if score is not None and math.isfinite(score):
            yield row["kind"], row["layer"], row["index"], score


EAP_IG = Exporter(
    name="eap_ig",
    suffixes=(".eap-ig.json", ".mib.json"),
    summary="heads and MLPs for EAP-IG and the MIB circuit track",
    write=write,
)
