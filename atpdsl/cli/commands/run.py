"""`atpdsl run`."""

from __future__ import annotations

import argparse

from atpdsl import driver
from atpdsl.checked import PlannedStudy
from atpdsl.cli.access import access
from atpdsl.cli.estimates import analysis
from atpdsl.cli.failures import DONE, FAILED, INTERRUPTED, SPEC, USAGE
from atpdsl.cli.points import spell
from atpdsl.cli.report import closing, report
from atpdsl.cli.summary import say_summary
from atpdsl.cli.sweep import say_sweep, sweep_report
from atpdsl.cli.terminal import choose_progress, show, tell, tell_problems, tell_warnings
from atpdsl.execution import Shelf
from atpdsl.passes import named_passes
from atpdsl.problems import RunError
from atpdsl.results.sweep import SweepPoint
from atpdsl.runtime.executor import EXECUTORS


def run(chosen: argparse.Namespace) -> int:
    """Run a spec, keep the result, and show what is in it."""
    if chosen.executor is not None and chosen.executor not in EXECUTORS:
        meant = EXECUTORS.closest(chosen.executor)
        known = ", ".join(EXECUTORS.names)
        tell(
            f"atpdsl run: no executor is called `{chosen.executor}`; "
            + (f"did you mean `{meant}`?" if meant else f"there are {known}")
        )
        return USAGE
    planned = driver.plan(
        chosen.spec,
        access(chosen),
        executor=chosen.executor,
        passes=named_passes(chosen.passes),
    )
    study = planned.study
    if study.warnings and not chosen.json:
        tell_problems(study.warnings, study.source, json=False)
    if len(planned.points) > 1:
        return _sweep(chosen, planned)
    result = driver.run_planned(
        planned.only(),
        out=chosen.out,
        progress=choose_progress(quiet=chosen.quiet),
        executor=chosen.executor,
        overwrite=chosen.overwrite,
        shelf=Shelf(measure=chosen.analyze),
    )
    code = SPEC if result.record.unmet else DONE
    if chosen.json:
        say_summary(result)
        return code
    tell_warnings(result.record.warnings[len(planned.only().checked.warnings) :])
    analyzed = analysis(result.record) if chosen.analyze else ()
    show(*report(result), *analyzed, closing(result))
    return code


def _sweep(chosen: argparse.Namespace, planned: PlannedStudy) -> int:
    """Every point, then the table over them."""
    of = len(planned.points)
    names = planned.study.program.variables
    over: set[int] = set()

    def told(number: int, point: SweepPoint, error: RunError | None, kept: bool) -> None:
        over.add(number)
        if error is not None:
            tell_problems(error.problems, planned.study.source, json=False)
        if error is not None or not chosen.quiet:
            state = "failed" if error is not None else "kept from before" if kept else "done"
            values = spell((name, point.values[name]) for name in names)
            tell(f"point {number} of {of}, {values}: {state}")

    try:
        found = driver.sweep(
            planned,
            out=chosen.out,
            progress=choose_progress(quiet=chosen.quiet),
            executor=chosen.executor,
            overwrite=chosen.overwrite,
            told=told,
        )
    except KeyboardInterrupt:
        tell(f"interrupted: {len(over)} of {of} points are over, and their results are kept;")
        tell("the same command goes on with the next (without `--overwrite`)")
        return INTERRUPTED
    if chosen.json:
        say_sweep(found)
    else:
        show(*sweep_report(found))
    if found.failed:
        return FAILED
    rows = (row for point in found.record.points for row in point.rows)
    return SPEC if any(row.held < row.expected for row in rows) else DONE
