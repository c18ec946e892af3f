"""`atpdsl compare`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.cli.access import access
from atpdsl.cli.failures import DONE
from atpdsl.cli.points import spell
from atpdsl.cli.terminal import (
    choose_progress,
    columns,
    count,
    facts,
    say_json,
    show,
    tell,
    tell_problems,
    tell_warnings,
    word,
)
from atpdsl.problems.clean import clean
from atpdsl.results.progress import duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from atpdsl.results.comparison import Compared, Comparison, ComparisonRecord, ExactMethod


def compare(chosen: argparse.Namespace) -> int:
    """Compare methods with the exact truth, keep the result, and show what is in it."""
    from atpdsl.comparing import Wanted
    from atpdsl.results.comparison import Truth

    study = driver.check(chosen.spec, access(chosen))
    wanted = Wanted(
        methods=tuple(chosen.methods),
        truth=Truth(chosen.truth),
        backward_weight=chosen.backward_weight,
        most_forwards=chosen.most_forwards,
    )
    prepared = driver.plan_comparison(study, wanted)
    if not chosen.json:
        if study.warnings:
            tell_problems(study.warnings, study.source, json=False)
        if not chosen.quiet:
            passes = count(prepared.forwards, "forward pass", "forward passes")
            tell(f"the exact truth takes {passes}")
    comparison = driver.compare(
        prepared,
        out=chosen.out,
        progress=choose_progress(quiet=chosen.quiet),
        overwrite=chosen.overwrite,
    )
    if chosen.json:
        say_json(
            "atpdsl/comparison-summary/1",
            directory=str(comparison.directory),
            rows=_rows(comparison),
        )
        return DONE
    tell_warnings(comparison.result.record.warnings[len(study.warnings) :])
    show(*report(comparison), facts(closing(comparison, prepared.left_out)))
    return DONE


def _rows(comparison: Comparison) -> list[dict[str, object]]:
    from atpdsl.results.comparison import method_rows

    return method_rows(comparison.record)


def report(comparison: Comparison) -> Iterator[RenderableType]:
    """The table of methods, best first, and what its columns mean."""
    from rich.text import Text

    record = comparison.record
    yield _heading(record)
    yield ""
    yield _table(record)
    yield ""
    yield Text(_legend(record), style="dim")
    yield ""


def _heading(record: ComparisonRecord) -> str:
    point = f" ({spell(record.point.items())})" if record.point else ""
    pairs = count(record.pairs, "pair")
    return (
        f"{clean(record.spec)}{point} on {clean(record.model)}: {clean(record.metric)}, {pairs}"
    )


def _table(record: ComparisonRecord) -> Table:
    tops = [f"@{r.top}" for r in record.methods[0].recall]
    numbers = ("cost", *tops, "irwrgm", "at 90%", "corr")
    table = columns("method", *numbers, right=numbers, fixed=("method",))
    for one in record.methods:
        table.add_row(clean(one.label), *_numbers(one), style="dim" if one.baseline else "")
    return table


def _numbers(one: Compared) -> Iterator[str]:
    yield f"{one.estimation:.1f}"
    for recall in one.recall:
        yield f"{100 * recall.hits / recall.of:.0f}%" if recall.of else ""
    yield f"{one.irwrgm:.2f}"
    yield f"{one.irwrgm_90:.2f}"
    yield "" if one.spearman is None else f"{one.spearman:.2f}"


def _legend(record: ComparisonRecord) -> str:
    from atpdsl.results.comparison import Truth

    backward = f"{record.backward_weight:g}"
    return (
        "cost: forward passes per pair before the first node is measured (a backward pass"
        f" counts {backward}, the QK fix 2). @K: how many of the K nodes with the largest"
        f" {Truth(record.truth).words} are among the first K measured. irwrgm: passes until the"
        " K largest are measured, divided by K; a mean over K in which small ones count most,"
        " 1 is perfect. at 90%: until nine tenths of them are. corr: rank correlation of the"
        " order with the truth."
    )


def closing(comparison: Comparison, left_out: str) -> Iterator[tuple[str, str]]:
    """What was compared with what, what it cost, where it is, and what to do next."""
    record, result = comparison.record, comparison.result.record
    for exact in record.exact:
        yield "truth", f"{clean(exact.label)} ({exact.direction}), {_nodes(exact, record)}"
    for one in record.methods:
        if one.note:
            yield "note", clean(f"{one.label}: {one.note}")
    if left_out:
        yield "left out", clean(left_out)
    forwards = count(result.passes.forward_sequences, "sequence")
    backwards = result.passes.backward_sequences
    more = f", {backwards:,} backward" if backwards else ""
    yield "cost", f"{forwards} forward{more}, {duration(result.host.seconds)}"
    if comparison.directory is None:
        return
    yield "results", clean(str(comparison.directory))
    yield "curves", clean(str(comparison.directory / "comparison.csv"))
    yield "next", f"atpdsl show {word(comparison.directory)}"


def _nodes(exact: ExactMethod, record: ComparisonRecord) -> str:
    text = count(exact.candidates, "node")
    if exact.without_effect:
        text += f", {exact.without_effect:,} of them without any effect"
    if exact.candidates < record.nodes:
        before = record.nodes - exact.candidates
        text += f"; {before:,} others stand where the two prompts do not differ yet"
    return text
