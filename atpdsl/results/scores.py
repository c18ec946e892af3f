"""The table of scores: one row per node and method, kept as columns, never as objects.

Columns, in this order:
    method, kind, layer, index, position: which number of which node. `layer` is null for a
        kind that exists once, `index` for a kind without units.
    token: the clean token at the position in the first pair that has it; null where the node
        covers the whole prompt.
    estimate, signed: mean over pairs of |estimate| and of the estimate; null for exact methods.
    effect, effect_abs: mean over pairs of the exact effect and of |effect|; null where the
        effect was not measured.
    verified: whether the effect was measured.
    pairs: how many pairs have the node.
    score, rank: `effect_abs` where verified, else `estimate`; the rank by it within the
        method, from 1. Null where no pair has the node.

A run that keeps pairs has two more columns:
    signed_by_pair, effect_by_pair: the estimate and the measured effect in each pair, with
        their signs, in the order of the pairs; null where a pair lacks the node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.outcome import MethodOutcome, Outcome

# A column of any number type, on its way to becoming a typed one.
Column = NDArray[Any]

_WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "method": _WORD,
        "kind": _WORD,
        "layer": pa.int32(),
        "index": pa.int32(),
        "position": _WORD,
        "token": _WORD,
        "estimate": pa.float64(),
        "signed": pa.float64(),
        "effect": pa.float64(),
        "effect_abs": pa.float64(),
        "verified": pa.bool_(),
        "pairs": pa.int32(),
        "score": pa.float64(),
        "rank": pa.int32(),
    }
)
BY_PAIR = ("signed_by_pair", "effect_by_pair")
# Stands for "has no value" in numpy columns of whole numbers; null in the table.
_ABSENT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One row of the table, for the few nodes that are shown or drawn."""

    method: str
    kind: str
    layer: int | None
    index: int | None
    position: str
    token: str | None
    estimate: float | None
    signed: float | None
    effect: float | None
    effect_abs: float | None
    verified: bool
    pairs: int
    score: float | None
    rank: int | None


def score_table(outcome: Outcome, tokens: Mapping[str, str | None]) -> pa.Table:
    """Every node of every method as a table of `SCHEMA`.

    Args:
        outcome: what the run computed.
        tokens: position label -> the token shown for it.
    """
    labels = tuple(method.call.label for method in outcome.methods)
    labelled = (p for m in outcome.methods for nodes in m.sets for p in nodes.positions)
    positions = tuple(dict.fromkeys(labelled))
    number = {position: i for i, position in enumerate(positions)}
    blocks = [
        {"method": np.full(len(nodes), i), **_places(nodes, number)}
        for i, method in enumerate(outcome.methods)
        for nodes in method.sets
    ]
    places = _joined(blocks, ("method", "kind", "layer", "index", "position"))
    names = ("estimate", "signed", "effect", "effect_abs", "verified", "pairs", "score", "rank")
    values = _joined([_values(outcome, method) for method in outcome.methods], names)
    columns = {
        "method": _words(places["method"], labels),
        "kind": _words(places["kind"], NODE_KINDS.names),
        "layer": _whole(places["layer"]),
        "index": _whole(places["index"]),
        "position": _words(places["position"], positions),
        "token": _words(places["position"], [tokens.get(p) for p in positions]),
        "verified": pa.array(values.pop("verified").astype(np.bool_)),
        "pairs": _whole(values.pop("pairs")),
        "rank": _whole(values.pop("rank")),
        **{name: pa.array(column, from_pandas=True) for name, column in values.items()},
    }
    table = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
    for name, column in _by_pair(outcome).items():
        table = table.append_column(pa.field(name, column.type), column)
    return table


def schema_by_pair(pairs: int) -> pa.Schema:
    """The types of the table of a run that keeps pairs."""
    each = pa.list_(pa.float64(), pairs)
    return pa.schema([*SCHEMA, *(pa.field(name, each) for name in BY_PAIR)])


def _by_pair(outcome: Outcome) -> dict[str, pa.Array]:
    """The columns of single pairs, none where they were not kept."""
    if any(method.per_pair is None for method in outcome.methods):
        return {}
    signed = [_single(outcome, m, measured=False) for m in outcome.methods]
    effect = [_single(outcome, m, measured=True) for m in outcome.methods]
    both = zip(BY_PAIR, (signed, effect), strict=True)
    return {name: _lists(np.concatenate(values)) for name, values in both}


def _single(outcome: Outcome, method: MethodOutcome, *, measured: bool) -> Column:
    """Values of one method in each pair, [node, pair]; nan where there is none."""
    pairs = len(outcome.clean_metric)
    own = np.concatenate([values.reshape(pairs, -1).T for values in method.per_pair or ()])
    if method.exact is measured:
        return own
    truth = exhaustive(outcome, method)
    if measured and truth is not None:
        return _single(outcome, truth, measured=True)
    values = np.full(own.shape, np.nan)
    for verified in outcome.verified if measured else ():
        if method.call.label in verified.labels and verified.per_pair is not None:
            values[flat_numbers(method.sets, verified.nodes)] = verified.per_pair.T
    return values


def _lists(values: Column) -> pa.Array:
    """[node, pair] as one list per node; null where no pair has a value."""
    numbers = pa.array(values.ravel(), from_pandas=True)
    absent = pa.array(np.isnan(values).all(axis=1))
    return pa.FixedSizeListArray.from_arrays(numbers, values.shape[1], mask=absent)


def _joined(blocks: Sequence[Mapping[str, Column]], names: Sequence[str]) -> dict[str, Column]:
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}


def _places(nodes: NodeSet, number: Mapping[str, int]) -> dict[str, Column]:
    """Which node each flat number is."""
    kind = NODE_KINDS[nodes.kind]
    layer, index, position = np.meshgrid(
        nodes.layers if kind.layered else [_ABSENT] * len(nodes.layers),
        [_ABSENT] * len(nodes.indices) if kind.unit is Unit.VECTOR else nodes.indices,
        [number[p] for p in nodes.positions],
        indexing="ij",
    )
    return {
        "kind": np.full(len(nodes), NODE_KINDS.names.index(nodes.kind)),
        "layer": layer.ravel(),
        "index": index.ravel(),
        "position": position.ravel(),
    }


def exhaustive(outcome: Outcome, method: MethodOutcome) -> MethodOutcome | None:
    """The method that measured all nodes of `method` in its direction; itself if exact."""
    if method.exact:
        return method
    for other in outcome.methods:
        same = other.sets == method.sets and other.call.direction is method.call.direction
        if other.exact and same:
            return other
    return None


def _values(outcome: Outcome, method: MethodOutcome) -> dict[str, Column]:
    """The numbers of one method, all its node sets one after the other."""
    signed, absolute = flat(method, "mean"), flat(method, "mean_abs")
    unknown = np.full(signed.shape, np.nan)
    truth = exhaustive(outcome, method)
    effect = unknown.copy() if truth is None else flat(truth, "mean")
    effect_abs = unknown.copy() if truth is None else flat(truth, "mean_abs")
    for verified in outcome.verified if truth is None else ():
        if method.call.label in verified.labels:
            rows = flat_numbers(method.sets, verified.nodes)
            effect[rows] = verified.statistics.mean
            effect_abs[rows] = verified.statistics.mean_abs
    measured = ~np.isnan(effect_abs)
    score = np.where(measured, effect_abs, absolute)
    return {
        "estimate": unknown if method.exact else absolute,
        "signed": unknown if method.exact else signed,
        "effect": effect,
        "effect_abs": effect_abs,
        "verified": measured,
        "pairs": flat(method, "pairs"),
        "score": score,
        "rank": ranks(score),
    }


def flat(method: MethodOutcome, field: str) -> Column:
    """One statistic of all node sets of a method as one vector, in the order of the table."""
    return np.concatenate([np.ravel(getattr(s, field)) for s in method.statistics])


def flat_numbers(sets: Sequence[NodeSet], nodes: Column) -> Column:
    """[n, 2] (node set, flat number in it) -> [n] row of the method's part of the table."""
    starts = np.cumsum([0, *(len(s) for s in sets)])
    pairs = np.asarray(nodes, np.int64).reshape(-1, 2)
    return np.asarray(starts[pairs[:, 0]] + pairs[:, 1])


def ranks(scores: Column) -> Column:
    """Ranks from 1 for the largest; ties in the order of the nodes; -1 where nan."""
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(len(scores), np.int32)
    rank[order] = np.arange(1, len(scores) + 1)
    rank[np.isnan(scores)] = _ABSENT
    return rank


def _whole(values: Column) -> pa.Array:
    return pa.array(values.astype(np.int32), mask=values == _ABSENT)


def _words(numbers: Column, words: Sequence[str | None]) -> pa.DictionaryArray:
    """A column of few different words; None is null."""
    distinct = tuple(dict.fromkeys(encodable(word) for word in words if word is not None))
    place = {word: i for i, word in enumerate(distinct)}
    codes = [_ABSENT if word is None else place[encodable(word)] for word in words]
    return pa.DictionaryArray.from_arrays(
        _whole(np.asarray(codes, np.int32)[numbers]), pa.array(distinct, pa.string())
    )


def encodable(text: str) -> str:
    """The text with lone surrogates, which no file format can hold, replaced by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def best(table: pa.Table, method: str, n: int) -> pa.Table:
    """The `n` rows of one method with the largest scores, best first."""
    mine = pc.and_(pc.equal(table["method"], method), pc.less_equal(table["rank"], n))
    return table.filter(mine).sort_by("rank")


def rows(table: pa.Table) -> Iterator[ScoreRow]:
    """The rows of a small table as objects."""
    for row in table.select(SCHEMA.names).to_pylist():
        yield ScoreRow(**row)
