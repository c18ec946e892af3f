"""`atpdsl diff`."""

from __future__ import annotations

import argparse

from atpdsl.cli.difference import document, report
from atpdsl.cli.failures import DONE, SPEC
from atpdsl.cli.terminal import facts, say_json, show
from atpdsl.problems.clean import clean
from atpdsl.results.difference import TOLERANCE, Difference, Tolerance
from atpdsl.results.difference import diff as compare
from atpdsl.results.result import Result


def diff(chosen: argparse.Namespace) -> int:
    """Say how two results differ; ends with 1 where that is more than is tolerated."""
    found = compare(
        Result.load(chosen.first),
        Result.load(chosen.second),
        top=chosen.top,
        tolerance=_tolerance(chosen),
        methods=chosen.methods,
    )
    if chosen.html is not None:
        _write_page(found, chosen)
    if chosen.json:
        say_json("atpdsl/diff/1", **document(found))
    else:
        show(*report(found))
        if chosen.html is not None:
            show(facts([("page", clean(str(chosen.html)))]))
    return DONE if found.within else SPEC


def _tolerance(chosen: argparse.Namespace) -> Tolerance:
    """What is given; relative changes are only looked at by themselves or where asked for."""
    others = chosen.min_overlap is not None or chosen.min_correlation is not None
    change = chosen.tolerance
    if change is None and not others:
        change = TOLERANCE
    return Tolerance(
        change=change, overlap=chosen.min_overlap, correlation=chosen.min_correlation
    )


def _write_page(found: Difference, chosen: argparse.Namespace) -> None:
    from atpdsl.exports.report_page.diff_page import write_diff_page

    write_diff_page(found, chosen.html, overwrite=chosen.overwrite)
