"""The table of scores: one row per node and method, kept as columns, never as objects.

`atpdsl.results.columns` has their names and types, docs/results.md their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.outcome import MethodOutcome, Outcome
from atpdsl.results import flags
from atpdsl.results.bounds import bound_columns, sampling_of
from atpdsl.results.by_pair import columns_by_pair, score_intervals
from atpdsl.results.columns import BY_PAIR, SCHEMA, in_order, schema
from atpdsl.results.diagnostics import (
    MOVED_BY,
    Scored,
    agreement,
    cancellation,
    corrections,
    disagreement,
    saturation,
    score_error,
    scored,
)
from atpdsl.results.measured import Column, measured
from atpdsl.semantics.diagnosis import Diagnosis

# Stands for "has no value" in numpy columns of whole numbers; null in the table.
_ABSENT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a spec wants to know of each node beside estimates and effects.

    Attributes:
        by_pair: the numbers of single pairs, where the run kept them.
        seed: of the bootstrap.
    """

    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    by_pair: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One row of the table, for the few nodes that are shown or drawn.

    Attributes:
        more: the columns that are not in every table, by name.
    """

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
    estimate_se: float | None
    effect_se: float | None
    sign_flips: float | None
    more: Mapping[str, float | str | None]

    @property
    def flags(self) -> tuple[str, ...]:
        """What the diagnostics warn of."""
        return tuple(filter(None, str(self.more.get("flags") or "").split(",")))

    def values(self) -> dict[str, Any]:
        """All columns of the row by name."""
        always = {name: getattr(self, name) for name in SCHEMA.names}
        return {**always, **self.more}


def score_table(
    outcome: Outcome, tokens: Mapping[str, str | None], wanted: Wanted | None = None
) -> pa.Table:
    """Every node of every method as a table.

    Args:
        outcome: what the run computed.
        tokens: position label -> the token shown for it.
        wanted: what else the spec wants to know; its defaults for None.
    """
    wanted = wanted or Wanted()
    values = _joined([_values(outcome, method, wanted) for method in outcome.methods])
    singles = columns_by_pair(outcome) if wanted.by_pair else {}
    columns = {**_nodes(outcome, tokens), **_typed(values, wanted.diagnosis), **singles}
    others = [name for name in values if name not in SCHEMA.names]
    kinds = schema(others, len(outcome.clean_metric) if singles else None)
    return pa.table([columns[name] for name in kinds.names], schema=kinds)


def _nodes(outcome: Outcome, tokens: Mapping[str, str | None]) -> dict[str, pa.Array]:
    """Which node of which method each row is about."""
    labels = tuple(method.call.label for method in outcome.methods)
    labelled = (p for m in outcome.methods for nodes in m.sets for p in nodes.positions)
    positions = tuple(dict.fromkeys(labelled))
    number = {position: i for i, position in enumerate(positions)}
    blocks = [
        {"method": np.full(len(nodes), i), **_places(nodes, number)}
        for i, method in enumerate(outcome.methods)
        for nodes in method.sets
    ]
    numbers = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    return {
        "method": _words(numbers["method"], labels),
        "kind": _words(numbers["kind"], NODE_KINDS.names),
        "layer": _whole(numbers["layer"]),
        "index": _whole(numbers["index"]),
        "position": _words(numbers["position"], positions),
        "token": _words(numbers["position"], [tokens.get(p) for p in positions]),
    }


def _typed(values: Mapping[str, Column], diagnosis: Diagnosis) -> dict[str, pa.Array]:
    """Numbers as the table has them: nan is null, words have their text."""
    columns = {name: pa.array(column, from_pandas=True) for name, column in values.items()}
    columns["verified"] = pa.array(values["verified"].astype(np.bool_))
    columns |= {name: _whole(values[name]) for name in ("pairs", "rank")}
    texts = {"moved_by": MOVED_BY, "flags": flags.words(tuple(flags.flags_of(diagnosis)))}
    for name, words in texts.items():
        if name in values:
            # What a method has no number of has the first word.
            columns[name] = _words(np.nan_to_num(values[name]).astype(np.int64), words)
    return columns


def _joined(methods: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """The columns of all methods; nan where a method lacks one that another has."""
    names = dict.fromkeys(name for columns in methods for name in columns)
    absent = [np.full(len(columns["score"]), np.nan) for columns in methods]
    return {
        name: np.concatenate(
            [columns.get(name, no) for columns, no in zip(methods, absent, strict=True)]
        )
        for name in names
    }


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


def _values(outcome: Outcome, method: MethodOutcome, wanted: Wanted) -> dict[str, Column]:
    """The numbers of one method, all its node sets one after the other."""
    truth, diagnosis = measured(outcome, method), wanted.diagnosis
    nodes = scored(method, truth)
    found = {
        "estimate": nodes.estimate,
        "signed": nodes.signed,
        "effect": truth.mean,
        "effect_abs": truth.mean_abs,
        "verified": truth.known,
        "pairs": nodes.pairs,
        "score": nodes.score,
        "rank": ranks(nodes.score),
        **agreement(nodes),
        **corrections(nodes),
        **cancellation(nodes),
        **saturation(nodes),
        **bound_columns(outcome, method, truth.known, sampling_of(diagnosis)),
    }
    if any(one.direct is not None for one in outcome.verified):
        found["direct_effect"] = truth.direct
    if not method.exact and truth.known.any():
        found["disagreement"] = disagreement(nodes)
    if diagnosis.uncertainty is not None and diagnosis.uncertainty.bootstrap:
        found |= score_intervals(outcome, nodes, diagnosis.uncertainty, wanted.seed)
    if flags.flags_of(diagnosis):
        found["flags"] = _flags(nodes, found, diagnosis)
    return found


def _flags(nodes: Scored, found: Mapping[str, Column], diagnosis: Diagnosis) -> Column:
    """Which flags each node has, as numbers of `flags.words`."""
    nothing = np.full(nodes.score.shape, np.nan)
    columns = {name: found.get(name, nothing) for name in _FLAGGED}
    asked = {
        "cancellation": {
            "index": columns["cancellation"],
            "direct": columns["direct"],
            "indirect": nodes.signed - columns["direct"],
            "direct_ratio": columns["direct_ratio"],
        },
        "saturation": {
            "attention": columns["attention"],
            "change": columns["attention_change"],
            "ratio": columns["saturation_ratio"],
            "disagreement": columns["correction"],
        },
        "uncertainty": {
            "sign_flips": columns["sign_flips"],
            "standard_error": score_error(nodes),
            "score": nodes.score,
            "disagreement": columns["disagreement"],
        },
    }
    wanted = flags.flags_of(diagnosis).items()
    return flags.codes([flags.flagged(flag, asked[name]) for name, flag in wanted])


_FLAGGED = (
    *("cancellation", "direct", "direct_ratio", "disagreement", "sign_flips"),
    *("attention", "attention_change", "saturation_ratio", "correction"),
)


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
    always, others = SCHEMA.names, [n for n in table.column_names if n not in SCHEMA.names]
    more = in_order(name for name in others if name not in BY_PAIR)
    for row in table.select([*always, *more]).to_pylist():
        yield ScoreRow(
            **{name: row[name] for name in always}, more={name: row[name] for name in more}
        )
