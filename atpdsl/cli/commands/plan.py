"""`atpdsl plan`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.checked import Planned, PlannedStudy
from atpdsl.cli.access import access
from atpdsl.cli.amounts import diagnosis, verification
from atpdsl.cli.estimates import as_json, estimate_notes, estimate_table
from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.terminal import (
    columns,
    count,
    facts,
    say,
    say_json,
    show,
    tell,
    tell_problems,
    word,
)
from atpdsl.estimating import estimates
from atpdsl.passes import named_passes
from atpdsl.planning.cost import PlanRow, plan_rows
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.show import show_plan
from atpdsl.problems.clean import clean

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def plan(chosen: argparse.Namespace) -> int:
    """Say what a run would cost, stage by stage, or point by point."""
    passes = named_passes(chosen.passes)
    if chosen.show is not None:
        return _show(chosen, passes)
    planned = driver.plan(chosen.spec, access(chosen), passes=passes)
    if chosen.calibrate:
        driver.calibrate(planned)
    if chosen.json:
        say_json("atpdsl/plan/2", **_document(planned))
        return DONE
    study = planned.study
    if study.warnings:
        tell_problems(study.warnings, study.source, json=False)
    single = len(planned.points) == 1
    body = _one(planned.points[0]) if single else _several(planned)
    found = [estimates(point) for point in planned.points]
    notes = (
        *(_notes(planned.points[0]) if single else ()),
        *estimate_notes(found),
        ("next", f"atpdsl run {word(chosen.spec)}"),
    )
    show(*body, "", estimate_table(planned, found), "", facts(notes))
    return DONE


def _show(chosen: argparse.Namespace, passes: tuple[str, ...]) -> int:
    """The operations of a plan around one pass; of a sweep, those of its first point."""
    (name, *others) = named_passes(chosen.show) or ("",)
    if others or not name:
        tell("atpdsl plan: `--show` takes the name of one pass")
        return USAGE
    before, after = driver.plan_around(
        driver.check(chosen.spec, access(chosen)), name, passes=(*passes, name)
    )
    if after == before:
        say(f"`{name}` changes nothing here: {_size(after)}")
        say(show_plan(after))
        return DONE
    for when, plan in (("before", before), ("after", after)):
        say(f"{when} `{name}`: {_size(plan)}")
        say(show_plan(plan))
        if when == "before":
            say()
    return DONE


def _size(plan: Plan) -> str:
    total = _total(plan_rows(plan))
    parts = (
        count(sum(1 for _ in walk(plan)), "operation"),
        count(total.forward_sequences, "forward"),
        count(total.backward_sequences, "backward"),
    )
    return ", ".join(parts)


def _notes(point: Planned) -> Iterator[tuple[str, str]]:
    """What the table does not say."""
    plan, experiment = point.plan, point.plan.bound.experiment
    total, layers = _total(point.rows()), plan.bound.shape.n_layers
    if total.layer_backwards > layers * total.backward_sequences:
        passes = count(total.backward_sequences, "backward pass", "backward passes")
        yield "gradients", f"{passes}, {total.layer_backwards:,} layer-backwards"
    for method in plan.methods:
        if method.note:
            yield "note", clean(f"{method.call.label}: {method.note}")
    if experiment.verify is not None:
        yield "verify", verification(experiment.verify)
    diagnosed = diagnosis(experiment.diagnosis)
    if diagnosed:
        yield "diagnose", diagnosed


def _document(planned: PlannedStudy) -> dict[str, object]:
    rows = [point.rows() for point in planned.points]
    return {
        "spec": planned.points[0].plan.bound.experiment.name,
        "points": [
            {
                "values": dict(point.checked.point),
                "pairs": len(point.plan.bound.pairs),
                "nodes": point.plan.bound.node_count,
                "stages": stages,
                "total": _total(stages),
                "estimate": as_json(estimates(point)),
                "exhaustive_sequences": _exhaustive(point),
                "notes": {m.call.label: m.note for m in point.plan.methods if m.note},
            }
            for point, stages in zip(planned.points, rows, strict=True)
        ],
        "total": _total([row for stages in rows for row in stages]),
    }


def _exhaustive(point: Planned) -> int:
    """One patched run for each node of each pair, and the two runs that they start from."""
    bound = point.plan.bound
    return len(bound.pairs) * (bound.node_count + 2)


def _one(point: Planned) -> Iterator[RenderableType]:
    yield _title(point)
    yield ""
    yield _table(point.rows())


def _title(point: Planned) -> str:
    bound = point.plan.bound
    name, model = clean(bound.experiment.name), clean(bound.experiment.model.name)
    size = f"{count(len(bound.pairs), 'pair')} of up to {bound.pairs.longest:,} tokens"
    return f"{name} on {model}: {size}, {bound.node_count:,} nodes"


def _several(planned: PlannedStudy) -> Iterator[RenderableType]:
    """A row for each point."""
    variables = planned.study.program.variables
    name = clean(planned.points[0].plan.bound.experiment.name)
    yield f"{name}: {len(planned.points)} points"
    yield ""
    numbers = ("pairs", "nodes", "forwards", "backwards", "in calls")
    table = columns(*variables, *numbers, right=numbers)
    totals: list[PlanRow] = []
    for point in planned.points:
        rows, bound = point.rows(), point.plan.bound
        totals += rows
        values = dict(point.checked.point)
        table.add_row(
            *(clean(values.get(name, "")) for name in variables),
            f"{len(bound.pairs):,}",
            f"{bound.node_count:,}",
            *_numbers(_total(rows), _bounded(rows)),
        )
    cells = ("total", *("" for _ in variables[1:]), "", "")
    table.add_row(*cells, *_numbers(_total(totals), _bounded(totals)), style="bold")
    yield table


def _total(rows: Sequence[PlanRow]) -> Counts:
    return sum((row.counts for row in rows), Counts())


def _table(rows: Sequence[PlanRow]) -> Table:
    """A forward or backward is one sequence; calls of the model are batches of them."""
    numbers = ("forwards", "backwards", "in calls")
    table = columns("stage", "what", *numbers, right=numbers, fixed=("stage",))
    for row in rows:
        bound = row.counts if row.at_most else Counts()
        table.add_row(row.stage, row.what, *_numbers(row.counts, bound))
    table.add_row("total", "", *_numbers(_total(rows), _bounded(rows)), style="bold")
    return table


def _bounded(rows: Sequence[PlanRow]) -> Counts:
    return _total([row for row in rows if row.at_most])


def _numbers(counts: Counts, bounded: Counts) -> Iterator[str]:
    """Forwards, backwards and calls; `<=` where a part of the number is a bound."""
    values = zip(_sums(counts), _sums(bounded), strict=True)
    for value, bound in values:
        sign = "<= " if bound else ""
        yield f"{sign}{value:,}" if value else ""


def _sums(counts: Counts) -> tuple[int, int, int]:
    calls = counts.forward_calls + counts.backward_calls
    return counts.forward_sequences, counts.backward_sequences, calls
