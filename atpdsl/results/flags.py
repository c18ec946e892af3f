"""Flags: for which nodes the diagnostics that a spec asks for warn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atpdsl.results.measured import Column
from atpdsl.results.operators import CALCULATE, COMPARE
from atpdsl.results.trust import FlagRecord
from atpdsl.semantics import diagnosis as d

Truths = NDArray[np.bool_]
# The column that a method has if it computes what a diagnostic is about.
_ABOUT = {"cancellation": "cancellation", "saturation": "attention", "uncertainty": "score"}
_TEXTS = pa.schema({"method": pa.string(), "flags": pa.string()})


@dataclass(frozen=True, slots=True)
class _Held:
    """For each node whether a condition holds, or does not; neither where it is not known."""

    holds: Truths
    fails: Truths


def flagged(flag: d.Flag, quantities: Mapping[str, Column]) -> Truths:
    """The nodes that a flag is about; not those for which it cannot be decided.

    Args:
        flag: the condition.
        quantities: what it may ask of each node, by name; nan where a node has no such number.

    Raises:
        KeyError: when the flag asks for something else.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _held(flag.condition, quantities).holds


def _held(condition: d.FlagCondition, quantities: Mapping[str, Column]) -> _Held:
    match condition:
        case d.Test(operator=sign, left=left, right=right):
            first, second = _value(left, quantities), _value(right, quantities)
            known = ~(np.isnan(first) | np.isnan(second))
            held = np.asarray(COMPARE[sign](first, second))
            return _Held(held & known, ~held & known)
        case d.Not(operand=operand):
            inner = _held(operand, quantities)
            return _Held(inner.fails, inner.holds)
        case d.Several(operator=joint, operands=operands):
            parts = [_held(one, quantities) for one in operands]
            every, some = (np.logical_and.reduce, np.logical_or.reduce)
            if joint == "or":
                every, some = some, every
            return _Held(every([p.holds for p in parts]), some([p.fails for p in parts]))
        case _:
            assert_never(condition)


def _value(quantity: d.FlagQuantity, quantities: Mapping[str, Column]) -> Column:
    match quantity:
        case d.Number(value=value):
            return np.full_like(next(iter(quantities.values())), value)
        case d.Column(name=name):
            return quantities[name]
        case d.Arithmetic(operator=sign, left=left, right=right):
            first, second = _value(left, quantities), _value(right, quantities)
            return np.asarray(CALCULATE[sign](first, second))
        case _:
            assert_never(quantity)


def flags_of(diagnosis: d.Diagnosis) -> dict[str, d.Flag]:
    """The flags that a spec asks for, by the word that nodes get."""
    parts = {
        "cancellation": diagnosis.cancellation,
        "saturation": diagnosis.saturation,
        "uncertainty": diagnosis.uncertainty,
    }
    return {name: part.flag for name, part in parts.items() if part is not None}


def words(names: Sequence[str]) -> tuple[str, ...]:
    """The texts of the column `flags`, by the sum of 2 ** place of the names that hold."""
    return tuple(
        ",".join(name for place, name in enumerate(names) if code >> place & 1)
        for code in range(2 ** len(names))
    )


def codes(held: Sequence[Truths]) -> Column:
    """Which of `words` each node has."""
    powers = 2 ** np.arange(len(held))
    return np.asarray(powers @ np.stack(held))


def flag_records(diagnosis: d.Diagnosis, table: pa.Table) -> tuple[FlagRecord, ...]:
    """What a result says of its flags, with the number of nodes that have them.

    A method that says nothing of what a diagnostic is about has no number.
    """
    asked = flags_of(diagnosis)
    if not asked:
        return ()
    counts = {name: _told(table, _ABOUT[name]) for name in asked}
    plain = table.select(["method", "flags"]).cast(_TEXTS)
    for row in plain.group_by(["method", "flags"]).aggregate([([], "count_all")]).to_pylist():
        for name in filter(None, row["flags"].split(",")):
            before = counts[name].get(row["method"], 0)
            counts[name][row["method"]] = before + row["count_all"]
    return tuple(
        FlagRecord(name=name, text=flag.text, nodes=counts[name])
        for name, flag in asked.items()
    )


def _told(table: pa.Table, column: str) -> dict[str, int]:
    """0 for every method that has numbers in a column."""
    if column not in table.column_names:
        return {}
    told = table["method"].filter(pc.is_valid(table[column]))
    return dict.fromkeys(pc.unique(told).to_pylist(), 0)
