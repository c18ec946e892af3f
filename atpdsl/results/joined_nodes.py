"""The nodes of two results side by side: which row of the one is which row of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]
# Stands for a layer or an index that a kind has not; real ones are from 0.
_NONE = -1
_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Rows of two tables.

    Attributes:
        first, second: the rows of the nodes that are in both, in the order of the first table.
        only_first, only_second: the rows of the others.
    """

    first: Integers
    second: Integers
    only_first: Integers
    only_second: Integers


def of_method(table: pa.Table, label: str) -> pa.Table:
    """The rows of a method, in the order of the nodes."""
    return table.filter(pc.equal(table["method"], label))


def join(first: pa.Table, second: pa.Table) -> Joined:
    """The nodes of two tables of scores, of one method each, by kind, layer, index, position.

    Where a table has a node twice, which no run writes, its first row counts.
    """
    one, other = _keys(first, second)
    if len(one) == len(other) and bool((one == other).all()):
        rows, none = np.arange(len(one)), np.empty(0, np.int64)
        return Joined(first=rows, second=rows, only_first=none, only_second=none)
    order = np.argsort(other, kind="stable")
    place = np.searchsorted(other[order], one).clip(max=max(len(other) - 1, 0))
    if not len(other):
        found = np.zeros(len(one), np.bool_)
        rows = np.zeros(len(one), np.int64)
    else:
        rows = order[place]
        found = other[rows] == one
    second_rows = rows[found]
    lonely = np.ones(len(other), np.bool_)
    lonely[second_rows] = False
    return Joined(
        first=np.flatnonzero(found),
        second=second_rows,
        only_first=np.flatnonzero(~found),
        only_second=np.flatnonzero(lonely),
    )


def _keys(first: pa.Table, second: pa.Table) -> tuple[Integers, Integers]:
    """A number for every row, the same for the same node in both tables."""
    key = np.zeros(len(first) + len(second), np.int64)
    sizes = 1
    for name in ("kind", "layer", "index", "position"):
        codes, size = _codes(first[name], second[name])
        if sizes > _MOST // max(size, 1):
            # More combinations than numbers: name those that there are.
            key = np.unique(key, return_inverse=True)[1]
            sizes = len(key)
        key = key * size + codes
        sizes *= size
    return key[: len(first)], key[len(first) :]


def _codes(first: pa.ChunkedArray, second: pa.ChunkedArray) -> tuple[Integers, int]:
    """A column of both tables as numbers from 0, and how many different ones there can be."""
    if pa.types.is_dictionary(first.type):
        words: dict[str, int] = {}
        codes = np.concatenate([_words(column, words) for column in (first, second)])
        return codes, len(words)
    numbers = np.concatenate(
        [pc.fill_null(column, _NONE).to_numpy() for column in (first, second)]
    )
    distinct, codes = np.unique(numbers, return_inverse=True)
    return codes.astype(np.int64), len(distinct)


def _words(column: pa.ChunkedArray, words: dict[str, int]) -> Integers:
    """A column of words as numbers; `words` is one table for both sides, and grows."""
    whole = column.combine_chunks()
    chunks = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
    parts = [np.empty(0, np.int64)]
    for chunk in chunks:
        numbers = [words.setdefault(word, len(words)) for word in chunk.dictionary.to_pylist()]
        parts.append(np.asarray(numbers, np.int64)[chunk.indices.to_numpy()])
    return np.concatenate(parts)
