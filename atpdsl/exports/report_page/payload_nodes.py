"""The nodes that the page has, as columns, and sums over those that it leaves out.

A page has every node up to `MOST` of a method. Of more, those that were measured and the best,
and for the rest, mostly neurons, how many they are in every layer at every position, the sum
of their scores and the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.results.columns import BY_PAIR, upper_column
from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    from atpdsl.results.result import Result

MOST = 12_000
LETTERS = {Unit.HEAD: "H", Unit.KV_HEAD: "KV", Unit.NEURON: "N"}
_PLACE = ("kind", "layer", "index", "position")
# Not shown of single nodes; the bound at the confidence that was asked for is `upper`.
_LEFT_OUT = {"method", "token", "flags", *_PLACE, *BY_PAIR}


def kinds_of() -> list[dict[str, object]]:
    """The kinds of nodes in the order of the page's numbers."""
    return [
        {
            "name": kind.name,
            "letter": LETTERS.get(kind.unit, "I"),
            "stage": kind.stage,
            "summary": kind.summary,
        }
        for kind in NODE_KINDS
    ]


def places(result: Result) -> list[dict[str, object]]:
    """Position labels from left to right; those of whole prompts first."""
    found = sorted(
        result.record.positions, key=lambda one: -1 if one.index is None else one.index
    )
    return [
        {
            "label": one.label,
            "index": one.index,
            "token": None if one.token is None else harmless(one.token),
            "same_index": one.same_index,
            "same_token": one.same_token,
        }
        for one in found
    ]


def tables(result: Result, labels: Sequence[str]) -> dict[str, Any]:
    """`tables` by method, and `flagSets`, which their column `flags` numbers."""
    flags = _Flags(result.table)
    order = [str(place["label"]) for place in places(result)]
    made = {label: _table(result, label, order, flags) for label in labels}
    return {"tables": made, "flagSets": flags.sets}


class _Flags:
    """Sets of flags by number."""

    def __init__(self, table: pa.Table) -> None:
        self.texts: list[str] = [""]
        if "flags" in table.column_names:
            words = pc.unique(table["flags"]).to_pylist()
            self.texts += [word for word in words if word]
        self.sets = [text.split(",") if text else [] for text in self.texts]

    def column(self, rows: pa.Table) -> list[int]:
        """The number of each row's set."""
        if "flags" not in rows.column_names:
            return [0] * len(rows)
        number = {text: i for i, text in enumerate(self.texts)}
        return [number[text or ""] for text in rows["flags"].to_pylist()]


def _table(result: Result, label: str, order: list[str], flags: _Flags) -> dict[str, Any]:
    mine = result.table.filter(pc.equal(result.table["method"], label))
    kept, left = _split(mine)
    columns = {**_numbered(kept, order), **_numbers(kept, result, label)}
    columns["flags"] = flags.column(kept)
    ranks = columns["rank"]
    best = sorted((rank, row) for row, rank in enumerate(ranks) if rank is not None)
    graph = result.circuit(method=label)
    return {
        "columns": columns,
        "order": [row for _, row in best],
        "total": len(mine),
        "rest": _rest(left, order),
        "extraFlags": _extra_flags(graph, flags),
    }


def _split(mine: pa.Table) -> tuple[pa.Table, pa.Table]:
    """What the page has node by node, and what it sums up."""
    if len(mine) <= MOST:
        return mine, mine.slice(0, 0)
    neurons = pc.equal(mine["kind"], "neurons")
    others = pc.sum(pc.invert(neurons)).as_py() or 0
    best = pc.fill_null(pc.less_equal(mine["rank"], MOST // 4), fill_value=False)
    wanted = pc.or_(best, mine["verified"])
    if others <= MOST:
        wanted = pc.or_(wanted, pc.invert(neurons))
    return mine.filter(wanted), mine.filter(pc.invert(wanted))


def _numbered(rows: pa.Table, order: list[str]) -> dict[str, list[Any]]:
    """Which node each row is."""
    positions = pa.array(order, pa.string())
    kinds = pa.array(NODE_KINDS.names, pa.string())
    return {
        "kind": pc.index_in(rows["kind"].cast(pa.string()), kinds).to_pylist(),
        "layer": rows["layer"].to_pylist(),
        "index": rows["index"].to_pylist(),
        "position": pc.index_in(rows["position"].cast(pa.string()), positions).to_pylist(),
    }


def _numbers(rows: pa.Table, result: Result, label: str) -> dict[str, list[Any]]:
    """All other columns; the bound that was asked for is `upper`."""
    names = [n for n in rows.column_names if n not in _LEFT_OUT and not n.startswith("upper_")]
    found = {name: _finite(rows[name]) for name in names}
    bound = next((one for one in result.record.bounds if label in one.labels), None)
    if bound is not None:
        found["upper"] = _finite(rows[upper_column(bound.confidence)])
    return {
        name: values
        for name, values in found.items()
        if name in _ALWAYS or any(value is not None for value in values)
    }


def _finite(column: pa.ChunkedArray) -> list[Any]:
    """Values without those that JSON has no word for."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    return list(column.to_pylist())


_ALWAYS = {"estimate", "signed", "effect", "effect_abs", "verified", "score", "rank"}


def _rest(left: pa.Table, order: list[str]) -> list[dict[str, Any]]:
    """Per kind, layer and position: how many nodes, the sum of their scores, the largest."""
    if not len(left):
        return []
    plain = pa.table(
        {
            "kind": left["kind"].cast(pa.string()),
            "layer": left["layer"],
            "position": left["position"].cast(pa.string()),
            "score": left["score"],
        }
    )
    sums = [("score", "sum"), ("score", "max"), ("score", "count")]
    grouped = plain.group_by(["kind", "layer", "position"]).aggregate(sums)
    number = {label: i for i, label in enumerate(order)}
    return [
        {
            "kind": NODE_KINDS.names.index(row["kind"]),
            "layer": row["layer"],
            "position": number[row["position"]],
            "nodes": row["score_count"],
            "sum": row["score_sum"] or 0.0,
            "largest": row["score_max"],
        }
        for row in grouped.to_pylist()
    ]


def _extra_flags(graph: Any, flags: _Flags) -> dict[str, list[str]]:
    """Flags that only drawn nodes have."""
    scored = {word for words in flags.sets for word in words}
    found = {
        node: [flag for flag in facts["flags"] if flag not in scored]
        for node, facts in graph.nodes(data=True)
    }
    return {node: words for node, words in found.items() if words}
