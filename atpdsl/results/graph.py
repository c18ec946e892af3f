"""The circuit as a networkx graph: the nodes that matter, and who of them can read whom.

Nodes are those that the spec's `circuit` keeps. Without one they are those with a measured
effect, filled up with the best estimates. `input` stands for the tokens of the prompt and
`logits` for the metric's position. Every node has the columns of the scores as attributes,
and:

    label: a short name for drawings.
    token_index: where its position is in the clean prompt of the first pair that has it.
    upper: its bound at the confidence that was asked for, where the run has bounds; None for
        a node that was measured.
    flags: those of the scores (`cancellation`, `saturation`, `uncertainty`), `not-excluded`
        (not measured, and its bound is at least `min_effect`), `missed` (drawn at random, and
        above the weakest of the verified top), `signs-cancel` (|mean effect| is less than half
        of mean |effect|), `index-varies` and `token-varies` (the position is elsewhere, or on
        another token, in other pairs).

Edges say who can read whom, by the structure of the model:

    via: how what the source writes gets there: `stream`, `attention` or `part`.
    through: what of the target reads it: `q`, `k`, `v`, `mlp`, `stream`, `part` or `logits`;
        also the key of the edge, as a head may read the same node in several ways.
    weight: the smaller of the two nodes' scores, for drawing. Nothing was measured along it.
    weight_from: where the weight comes from: `nodes`.

See `atpdsl.results.reading`. docs/results.md has the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from atpdsl.nodes import NODE_KINDS
from atpdsl.results.columns import SCHEMA as COLUMNS
from atpdsl.results.columns import upper_column
from atpdsl.results.kept import kept
from atpdsl.results.names import INPUT, LOGITS, node_id, short_name
from atpdsl.results.reading import Reading, Spot, Through, Via
from atpdsl.results.record import PositionRecord, Record
from atpdsl.results.scores import ScoreRow, best, rows
from atpdsl.results.trust import BoundRecord

if TYPE_CHECKING:
    import networkx

SCHEMA = "atpdsl/graph/3"
WEIGHT_FROM = "nodes"
KEEP = 50
# Verified nodes beyond this are left out: edges grow with the square of the nodes.
MOST = 200


def circuit(
    record: Record,
    table: pa.Table,
    method: str,
    keep: int | None = None,
    *,
    prune: bool | None = None,
) -> networkx.MultiDiGraph:
    """The graph for one method.

    Args:
        record: what is known about the run.
        table: its scores.
        method: the label of the method whose nodes are drawn.
        keep: how many nodes; more (up to `MOST`) if more were chosen for verification. None
            is exactly what the spec's `circuit` keeps, or `KEEP` if it has none.
        prune: leave out nodes that are on no way from the input to the logits; None does where
            the spec's `circuit` says which nodes there are.
    """
    import networkx

    if prune is None:
        prune = keep is None and record.circuit is not None
    if keep is None and record.circuit is not None:
        drawn = kept(replace(record.circuit, method=method), table)
        keep = len(drawn)
    else:
        keep = KEEP if keep is None else keep
        drawn = chosen(table, method, keep)
    graph = networkx.MultiDiGraph(**_facts(record, method, keep))
    positions = {position.label: position for position in record.positions}
    missed = {m.node for v in record.verification if v.label == method for m in v.missed}
    bound = next((b for b in record.bounds if method in b.labels), None)
    spots: dict[str, Spot] = {}
    for row in rows(drawn):
        node = node_id(row.kind, row.layer, row.index, row.position)
        position = positions[row.position]
        upper = _upper(row, bound)
        flags = _flags(row, position, missed=node in missed, left=_not_excluded(upper, bound))
        graph.add_node(node, **_attributes(row, position, flags), **upper)
        spots[node] = Spot(
            kind=NODE_KINDS[row.kind],
            layer=row.layer or 0,
            index=row.index or 0,
            position=position.index,
        )
    reading = _reading(record)
    for source, here in spots.items():
        for reader, there in spots.items():
            via = reading.via(here, there)
            for way in () if via is None else reading.through(here, there, via):
                _add_edge(graph, (source, reader), via, way)
    _add_ends(graph, record, reading, spots)
    if prune:
        _prune(graph)
    return graph


def _add_edge(
    graph: networkx.MultiDiGraph, ends: tuple[str, str], via: Via | None, through: Through
) -> None:
    scores = [graph.nodes[end].get("score") for end in ends]
    known = [score for score in scores if score is not None]
    graph.add_edge(
        *ends,
        key=through.value,
        via=Via.STREAM.value if via is None else via.value,
        through=through.value,
        weight=min(known, default=None),
        weight_from=WEIGHT_FROM,
    )


def _prune(graph: networkx.MultiDiGraph) -> None:
    """Takes out what is on no way from the input to the logits, and says what that was.

    A key, say, does nothing in a circuit that has none of its head's outputs.
    """
    import networkx

    joined = networkx.descendants(graph, INPUT) & networkx.ancestors(graph, LOGITS)
    dangling = [node for node in graph if node not in joined | {INPUT, LOGITS}]
    graph.remove_nodes_from(dangling)
    graph.graph["pruned"] = len(dangling)


def chosen(table: pa.Table, method: str, keep: int) -> pa.Table:
    """The rows of the nodes that are drawn, best first.

    The best `keep`, and what was chosen for verification, up to `MOST`. Where everything was
    measured nothing was chosen.
    """
    mine = table.filter(pc.equal(table["method"], method))
    verified = mine.filter(mine["verified"])
    if len(verified) == len(mine) - mine["score"].null_count:
        return best(table, method, keep)
    verified = verified.sort_by("rank").slice(0, max(keep, MOST))
    free = max(0, keep - len(verified))
    others = mine.filter(pc.invert(mine["verified"]))
    # Among the best `keep` of all there are the best `free` of the others.
    others = others.filter(pc.less_equal(others["rank"], keep + len(verified)))
    return pa.concat_tables([verified, others.sort_by("rank").slice(0, free)]).sort_by("rank")


def _facts(record: Record, method: str, keep: int) -> dict[str, str | int]:
    described = record.method(method)
    return {
        "schema": SCHEMA,
        "spec": record.spec.name,
        "model": record.provenance.model.name,
        "method": method,
        "direction": "" if described is None else described.direction,
        "metric": record.metric.title,
        "metric_position": record.metric.position,
        "pairs": len(record.pairs),
        "keep": keep,
        "pruned": 0,
        "edges": "source can be read by target, by the structure of the model; weight is the "
        "smaller score of both, not measured",
        **_provenance(record),
    }


def _provenance(record: Record) -> dict[str, str | int]:
    """What made the numbers, as far as a graph file can say it."""
    made, model = record.provenance, record.provenance.model
    return {
        "atpdsl": made.versions.get("atpdsl", ""),
        "revision": model.revision or "",
        "weights_sha256": model.weights_sha256,
        "tokenizer_sha256": model.tokenizer_sha256,
        "dtype": made.dtype,
        "device": made.device,
        "executor": made.executor,
        "seed": made.seed,
    }


def _attributes(row: ScoreRow, position: PositionRecord, flags: list[str]) -> dict[str, Any]:
    label = f"{short_name(row.kind, row.layer, row.index)} @{row.position}"
    return {**row.values(), "label": label, "token_index": position.index, "flags": flags}


def _upper(row: ScoreRow, bound: BoundRecord | None) -> dict[str, Any]:
    """The attribute `upper`; none where the run has no bounds."""
    return {} if bound is None else {"upper": row.more[upper_column(bound.confidence)]}


def _not_excluded(upper: Mapping[str, Any], bound: BoundRecord | None) -> bool:
    """Whether an effect of the size that is looked for is still possible."""
    if bound is None or bound.min_effect is None or upper["upper"] is None:
        return False
    return bool(upper["upper"] >= bound.min_effect)


def _flags(row: ScoreRow, position: PositionRecord, *, missed: bool, left: bool) -> list[str]:
    measured = row.effect is not None and row.effect_abs is not None
    cancels = measured and abs(row.effect or 0.0) < (row.effect_abs or 0.0) / 2
    found = {
        **dict.fromkeys(row.flags, True),
        "not-excluded": left,
        "missed": missed,
        "signs-cancel": cancels,
        "index-varies": not position.same_index,
        "token-varies": not position.same_token,
    }
    return [flag for flag, holds in found.items() if holds]


def _reading(record: Record) -> Reading:
    covered: dict[str, tuple[tuple[int, int], ...]] = {}
    for nodes in record.nodes:
        covered[nodes.kind] = (*covered.get(nodes.kind, ()), *nodes.layers)
    return Reading(shape=record.provenance.model.shape, covered=covered)


def _add_ends(
    graph: networkx.MultiDiGraph, record: Record, reading: Reading, spots: Mapping[str, Spot]
) -> None:
    """The two ends; `input` is read through `embed` where the run has such nodes."""
    nothing = dict.fromkeys(
        [*COLUMNS.names, *(name for _, node in graph.nodes(data=True) for name in node)]
    )
    for name in (INPUT, LOGITS):
        graph.add_node(name, **nothing | {"kind": name, "label": name, "flags": []})
    graph.nodes[INPUT].update(verified=False, token_index=None)
    graph.nodes[LOGITS].update(
        verified=False, position=record.metric.position, token_index=_metric_index(record)
    )
    embedded = any(not NODE_KINDS[nodes.kind].layered for nodes in record.nodes)
    place = graph.nodes[LOGITS]["token_index"]
    for node, spot in spots.items():
        if not spot.kind.layered or (not embedded and reading.reads_stream(spot)):
            for way in _first_reads(reading, spot):
                _add_edge(graph, (INPUT, node), Via.STREAM, way)
        end = reading.via_end(spot, place)
        if end is not None:
            _add_edge(graph, (node, LOGITS), end, Through.LOGITS)


def _first_reads(reading: Reading, spot: Spot) -> tuple[Through, ...]:
    """What of a node reads the prompt's own embedding, at its position or before it."""
    tokens = Spot(kind=NODE_KINDS["embed"], layer=0, index=0, position=spot.position)
    if not spot.kind.layered:
        return (Through.STREAM,)
    return reading.through(tokens, spot, Via.STREAM)


def _metric_index(record: Record) -> int | None:
    if record.metric.position.isdecimal():
        return int(record.metric.position)
    for pair in record.pairs:
        if record.metric.position in pair.positions:
            return pair.positions[record.metric.position][0]
    return None
