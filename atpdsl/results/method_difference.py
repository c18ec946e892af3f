"""How the nodes of a method differ between two results: ranks, top lists, signs, changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atpdsl.results.columns import BY_PAIR, NODE
from atpdsl.results.joined_nodes import Joined, join, of_method
from atpdsl.results.names import node_id
from atpdsl.results.rank_statistics import spearman

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
# Nodes in the list of the largest changes.
CHANGES = 10
# Below this part of the largest score a change is not taken relative to the node's own score,
# which may be nothing but rounding.
SMALL = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A node in two results; None where one of them has it not.

    Attributes:
        node: its stable name.
        first_rank, second_rank: from 1 for the largest score.
        first_score, second_score: see `score` in docs/results.md.
        first_signed, second_signed: the mean effect where it was measured, else the signed
            estimate.
    """

    node: str
    kind: str
    layer: int | None
    index: int | None
    position: str
    first_rank: int | None
    second_rank: int | None
    first_score: float | None
    second_score: float | None
    first_signed: float | None
    second_signed: float | None

    @property
    def flips(self) -> bool:
        """Whether the two signed values have opposite signs."""
        return (self.first_signed or 0.0) * (self.second_signed or 0.0) < 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MethodDifference:
    """One method of the first result against one of the second.

    Attributes:
        label: what to call it: the label, or both where they differ.
        first, second: its label in each result.
        common: nodes with a score in both; `only_first` and `only_second` count the others.
        differing: columns of the scores with other values, or that only one result has.
        correlation: Spearman's, of the scores of common nodes, without those that are 0 in
            both (`compared` are left); None where it is not defined.
        top: the length of the top lists.
        shared: how many nodes are in both top lists; a score of 0 is in none.
        jaccard: those, as a share of all nodes in either; 1 where there is none.
        entered, left: nodes in the second top list only, in the first only; best first.
        flips: nodes of either top list with the other sign in the other result.
        changes: the nodes whose scores or signed values changed most, the most first.
        best: the nodes of either top list, by the better of their two ranks.
        largest: the largest relative change: of score and signed value the larger change,
            divided by the larger of both scores, or by a thousandth of the largest score of
            all where that is more.
    """

    label: str
    first: str
    second: str
    common: int
    only_first: int
    only_second: int
    differing: tuple[str, ...]
    correlation: float | None
    compared: int
    top: int
    shared: int
    jaccard: float
    entered: tuple[Moved, ...]
    left: tuple[Moved, ...]
    flips: tuple[Moved, ...]
    changes: tuple[Moved, ...]
    best: tuple[Moved, ...]
    largest: float
    sides: _Sides

    def __repr__(self) -> str:
        how = "identical" if self.identical else f"largest relative change {self.largest:.3g}"
        return f"<Difference of `{self.label}`: {self.common:,} common nodes, {how}>"

    @property
    def identical(self) -> bool:
        """Whether both results have the same nodes with the same numbers, bit for bit."""
        return not (self.only_first or self.only_second or self.differing)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per node of either result, as a pandas DataFrame; nan where it is in one."""
        import pandas as pd

        return pd.DataFrame(self.sides.columns())


def compare_method(
    tables: tuple[pa.Table, pa.Table], labels: tuple[str, str], *, top: int
) -> MethodDifference:
    """Compare the nodes that have a score.

    Args:
        tables: the scores of both results.
        labels: of the method in each.
        top: the length of the top lists.
    """
    first, second = (
        _scored(of_method(table, label)) for table, label in zip(tables, labels, strict=True)
    )
    joined = join(first, second)
    sides = _Sides(first, second, joined)
    best = [side.best(top) for side in (sides.one, sides.other)]
    shared, either = int((best[0] & best[1]).sum()), int((best[0] | best[1]).sum())
    scores = sides.one.score[: sides.common], sides.other.score[: sides.common]
    alive = (scores[0] != 0) | (scores[1] != 0)
    one, other = labels
    return MethodDifference(
        label=one if one == other else f"{one} / {other}",
        first=one,
        second=other,
        common=sides.common,
        only_first=len(joined.only_first),
        only_second=len(joined.only_second),
        differing=tuple(_differing(first, second, joined)),
        correlation=spearman(scores[0][alive], scores[1][alive]),
        compared=int(alive.sum()),
        top=top,
        shared=shared,
        jaccard=shared / either if either else 1.0,
        entered=sides.moved(best[1] & ~best[0], sides.other.rank),
        left=sides.moved(best[0] & ~best[1], sides.one.rank),
        flips=sides.moved(sides.flipped & (best[0] | best[1]), sides.best_rank),
        changes=sides.moved(sides.change > 0, -sides.change)[:CHANGES],
        best=sides.moved(best[0] | best[1], sides.best_rank),
        largest=sides.largest,
        sides=sides,
    )


def _scored(table: pa.Table) -> pa.Table:
    return table.filter(pc.is_valid(table["score"]))


class _Side:
    """The numbers of one result for the nodes of both; nan, and rank 0, where it has none."""

    def __init__(self, table: pa.Table, rows: Integers) -> None:
        self.table = table
        self.rows = rows
        effect, signed = (self.numbers(name) for name in ("effect", "signed"))
        self.score = self.numbers("score")
        self.signed = np.where(np.isnan(effect), signed, effect)
        self.rank = np.nan_to_num(self.numbers("rank")).astype(np.int64)

    def numbers(self, name: str) -> Floats:
        column = np.asarray(self.table[name].to_numpy(), np.float64)
        # One more for the nodes that are not there: -1 is the last.
        return np.asarray(np.append(column, np.nan)[self.rows], np.float64)

    def best(self, top: int) -> Mask:
        """The nodes of the top list."""
        return np.asarray((self.rank >= 1) & (self.rank <= top) & (self.score > 0), np.bool_)


class _Sides:
    """The nodes of both results: common ones first, then the first's, then the second's."""

    def __init__(self, first: pa.Table, second: pa.Table, joined: Joined) -> None:
        self.common = len(joined.first)
        without = [np.full(len(rows), -1) for rows in (joined.only_first, joined.only_second)]
        self.one = _Side(first, np.concatenate([joined.first, joined.only_first, without[1]]))
        self.other = _Side(
            second, np.concatenate([joined.second, without[0], joined.only_second])
        )

    @property
    def change(self) -> Floats:
        """The larger of the changes of score and signed value; 0 for nodes in one only."""
        pairs = ((self.one.score, self.other.score), (self.one.signed, self.other.signed))
        scores, signed = (np.abs(one - other) for one, other in pairs)
        return np.asarray(np.nan_to_num(np.fmax(scores, signed)), np.float64)

    @property
    def largest(self) -> float:
        """The largest relative change."""
        if not self.common:
            return 0.0
        scores = np.fmax(np.abs(self.one.score), np.abs(self.other.score))
        floor = SMALL * float(scores.max(initial=0.0))
        change = self.change
        if not change.any():
            return 0.0
        scale = np.maximum(scores, floor)
        return float(np.divide(change, scale, where=scale > 0, out=np.ones_like(change)).max())

    @property
    def flipped(self) -> Mask:
        """The nodes whose signed values have opposite signs."""
        return np.asarray(np.sign(self.one.signed) * np.sign(self.other.signed) < 0, np.bool_)

    @property
    def best_rank(self) -> Integers:
        """The better of both ranks."""
        ranks = np.stack([self.one.rank, self.other.rank])
        known = np.where(ranks > 0, ranks, np.iinfo(np.int64).max)
        return np.asarray(known.min(axis=0), np.int64)

    def moved(self, chosen: Mask, order: NDArray[Any]) -> tuple[Moved, ...]:
        """Some nodes as objects, in an order; as many as are ever shown."""
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(order[rows], kind="stable")]
        return tuple(self._objects(rows[:MOST]))

    def _objects(self, rows: Integers) -> Iterator[Moved]:
        for row, place in zip(rows, self._places(rows), strict=True):
            values: dict[str, Any] = {}
            for name, side in (("first", self.one), ("second", self.other)):
                here = side.rows[row] >= 0
                values[f"{name}_rank"] = int(side.rank[row]) if here else None
                values[f"{name}_score"] = float(side.score[row]) if here else None
                signed = float(side.signed[row])
                values[f"{name}_signed"] = None if np.isnan(signed) else signed
            yield Moved(node=node_id(**place), **place, **values)

    def _places(self, rows: Integers) -> Iterator[dict[str, Any]]:
        """Kind, layer, index and position of some nodes."""
        names = ("kind", "layer", "index", "position")
        for row in rows:
            side = self.one if self.one.rows[row] >= 0 else self.other
            where = int(side.rows[row])
            yield {name: side.table[name][where].as_py() for name in names}

    def columns(self) -> dict[str, Any]:
        """What the nodes are, and their numbers on both sides, as columns."""
        places = self._columns_of_places()
        for name, side in (("first", self.one), ("second", self.other)):
            places |= {
                f"{name}_score": side.score,
                f"{name}_signed": side.signed,
                f"{name}_rank": np.where(side.rank > 0, side.rank, np.nan),
            }
        return {**places, "change": self.change}

    def _columns_of_places(self) -> dict[str, Any]:
        import pandas as pd

        of_one = self.one.rows >= 0
        sides = (
            self.one.table.take(self.one.rows[of_one]),
            self.other.table.take(self.other.rows[~of_one]),
        )
        columns: dict[str, Any] = {}
        for name in ("kind", "layer", "index", "position"):
            plain = pa.string() if pa.types.is_dictionary(NODE[name]) else NODE[name]
            chunks = [chunk for side in sides for chunk in side[name].cast(plain).chunks]
            whole = pa.chunked_array(chunks, plain)
            columns[name] = whole.to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get)
        return columns


# Nodes that a list holds at most: of entries and flips there can be as many as in a top list.
MOST = 1000


def _differing(first: pa.Table, second: pa.Table, joined: Joined) -> Iterator[str]:
    """Columns whose values differ among common nodes, and columns of one side."""
    told = (*NODE, *BY_PAIR)
    names = [name for name in first.column_names if name not in told]
    for name in dict.fromkeys((*names, *second.column_names)):
        if name in told:
            continue
        if name not in first.column_names or name not in second.column_names:
            yield name
            continue
        one, other = first[name], second[name]
        if not _equal(one, other, (joined.first, joined.second)):
            yield name


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray, rows: Sequence[Integers]) -> bool:
    """Whether two columns have the same values in some rows, null like null."""
    if pa.types.is_dictionary(one.type):
        one, other = one.cast(pa.string()), other.cast(pa.string())
    if len(rows[0]) == len(one) and (rows[0] == rows[1]).all():
        return bool(one.equals(other))
    return bool(one.take(pa.array(rows[0])).equals(other.take(pa.array(rows[1]))))
