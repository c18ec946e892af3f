"""`atpdsl show`."""

from __future__ import annotations

import argparse

from atpdsl.cli import terminal
from atpdsl.cli.failures import DONE
from atpdsl.cli.report import closing, report
from atpdsl.cli.summary import ROWS, say_summary
from atpdsl.cli.sweep import say_sweep, sweep_report
from atpdsl.results.result import Result
from atpdsl.results.sweep import Sweep, is_sweep


def show(chosen: argparse.Namespace) -> int:
    """Show a result as `run` did, with as many nodes as wanted."""
    if is_sweep(chosen.result):
        return _show_sweep(Sweep.load(chosen.result), json=chosen.json)
    result = Result.load(chosen.result)
    if chosen.json:
        say_summary(result, rows=chosen.top or ROWS, method=chosen.method)
        return DONE
    terminal.tell_warnings(result.record.warnings)
    parts = report(result, rows=chosen.top, method=chosen.method)
    terminal.show(*parts, closing(result))
    return DONE


def _show_sweep(sweep: Sweep, *, json: bool) -> int:
    if json:
        say_sweep(sweep)
    else:
        terminal.show(*sweep_report(sweep))
    return DONE
