"""`atpdsl plan`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.cli.failures import DONE
from atpdsl.cli.terminal import columns, count, facts, say_json, show, tell_problems, word
from atpdsl.planning.cost import PlanRow
from atpdsl.planning.outcome import Counts
from atpdsl.problems.clean import clean

if TYPE_CHECKING:
    from rich.table import Table


def plan(chosen: argparse.Namespace) -> int:
    """Say what a run would cost, stage by stage."""
    planned = driver.plan(
        chosen.spec, offline=chosen.offline, trust_remote_code=chosen.trust_remote_code
    )
    rows, bound = planned.rows(), planned.plan.bound
    # One patched run for each node of each pair, and the two runs that they start from.
    exhaustive = len(bound.pairs) * (bound.node_count + 2)
    if chosen.json:
        say_json(
            "atpdsl/plan/1",
            spec=bound.experiment.name,
            pairs=len(bound.pairs),
            nodes=bound.node_count,
            stages=rows,
            total=_total(rows),
            exhaustive_sequences=exhaustive,
        )
        return DONE
    if planned.checked.warnings:
        tell_problems(planned.checked.warnings, planned.checked.source, json=False)
    name, model = clean(bound.experiment.name), clean(bound.experiment.model.name)
    size = f"{count(len(bound.pairs), 'pair')} of up to {bound.pairs.longest:,} tokens"
    show(
        f"{name} on {model}: {size}, {bound.node_count:,} nodes",
        "",
        _table(rows),
        "",
        facts(
            (
                ("compare", f"patching every node exactly: up to {exhaustive:,} forwards"),
                ("next", f"atpdsl run {word(chosen.spec)}"),
            )
        ),
    )
    return DONE


def _total(rows: Sequence[PlanRow]) -> Counts:
    return sum((row.counts for row in rows), Counts())


def _table(rows: Sequence[PlanRow]) -> Table:
    """A forward or backward is one sequence; calls of the model are batches of them."""
    numbers = ("forwards", "backwards", "in calls")
    table = columns("stage", "what", *numbers, right=numbers, fixed=("stage",))
    bounded = _total([row for row in rows if row.at_most])
    for row in rows:
        bound = row.counts if row.at_most else Counts()
        table.add_row(row.stage, row.what, *_numbers(row.counts, bound))
    table.add_row("total", "", *_numbers(_total(rows), bounded), style="bold")
    return table


def _numbers(counts: Counts, bounded: Counts) -> Iterator[str]:
    """Forwards, backwards and calls; `<=` where a part of the number is a bound."""
    values = zip(_sums(counts), _sums(bounded), strict=True)
    for value, bound in values:
        sign = "<= " if bound else ""
        yield f"{sign}{value:,}" if value else ""


def _sums(counts: Counts) -> tuple[int, int, int]:
    calls = counts.forward_calls + counts.backward_calls
    return counts.forward_sequences, counts.backward_sequences, calls
