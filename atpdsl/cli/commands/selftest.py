"""`atpdsl selftest`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.cli.access import access
from atpdsl.cli.failures import DONE, SPEC
from atpdsl.cli.terminal import (
    choose_progress,
    columns,
    count,
    facts,
    say_json,
    show,
    tell_problems,
)
from atpdsl.problems.clean import clean
from atpdsl.results.progress import duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from atpdsl.selftesting.checks import Check, Part, SelfTest


def selftest(chosen: argparse.Namespace) -> int:
    """Compare the engine with slow twins, and show the largest errors."""
    from atpdsl.selftesting.selftest import Amount

    planned = None
    if chosen.spec is not None:
        study = driver.plan(chosen.spec, access(chosen))
        if study.study.warnings and not chosen.json:
            tell_problems(study.study.warnings, study.study.source, json=False)
        planned = study.only()
    amount = Amount(
        nodes=chosen.nodes, pairs=chosen.pairs, seed=chosen.seed, device=chosen.device
    )
    found = driver.selftest(planned, amount, choose_progress(quiet=chosen.quiet))
    if chosen.json:
        say_json("atpdsl/selftest/1", **_document(found))
    else:
        show(*_report(found))
    return DONE if found.ok else SPEC


def _document(found: SelfTest) -> dict[str, object]:
    return {
        "ok": found.ok,
        "seed": found.seed,
        "seconds": found.seconds,
        "parts": [
            {
                "title": part.title,
                "dtype": part.dtype,
                "device": part.device,
                "executor": part.executor or None,
                "skipped": part.skipped,
                "checks": [
                    {
                        "name": check.name,
                        "kind": check.kind or None,
                        "numbers": check.numbers,
                        "unclear": check.unclear,
                        "error": check.error,
                        "allowed": check.allowed,
                        "worst": check.worst or None,
                        "verdict": check.verdict,
                    }
                    for check in part.checks
                ],
            }
            for part in found.parts
        ],
    }


def _report(found: SelfTest) -> Iterator[RenderableType]:
    for part in found.parts:
        by = f", {part.executor} executor" if part.executor else ""
        yield f"{clean(part.title)}, {part.dtype} on {part.device}{by}"
        yield ""
        yield _table(part)
        yield ""
        for reason in part.skipped:
            yield clean(reason)
            yield ""
    yield facts(_closing(found))


def _table(part: Part) -> Table:
    numbers = ("compared", "largest error", "allowed")
    table = columns("check", "kind", *numbers, "", right=numbers, fixed=("check", "kind"))
    for check in part.checks:
        table.add_row(
            check.name,
            check.kind,
            f"{check.numbers:,}",
            _error(check.error),
            _error(check.allowed),
            check.verdict.value,
            style="bold" if check.verdict.value == "FAIL" else "",
        )
    return table


def _error(number: float) -> str:
    if number == 0:
        return "0"
    return f"{number:.1e}" if math.isfinite(number) else "not finite"


def _closing(found: SelfTest) -> Iterator[tuple[str, str]]:
    checks = found.checks
    if found.ok:
        yield "passed", f"{count(len(checks), 'check')} in {duration(found.seconds)}"
    else:
        yield "failed", f"{len(found.failed):,} of {count(len(checks), 'check')}"
    for check in found.failed:
        yield "", clean(f"{check.name}{_of(check)}: worst at {check.worst or 'all'}")
    unclear = sum(check.unclear for check in checks)
    if unclear:
        yield (
            "unclear",
            f"{count(unclear, 'number')} left out: in this precision a slow twin is no better"
            " than they are",
        )
    yield "seed", f"{found.seed} (`--seed` draws other nodes)"


def _of(check: Check) -> str:
    return f" of {check.kind}" if check.kind else ""
