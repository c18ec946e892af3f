"""`atpdsl show`."""

from __future__ import annotations

import argparse

from atpdsl.cli import terminal
from atpdsl.cli.failures import DONE
from atpdsl.cli.report import closing, report
from atpdsl.cli.summary import ROWS, say_summary
from atpdsl.results.result import Result


def show(chosen: argparse.Namespace) -> int:
    """Show a result as `run` did, with as many nodes as wanted."""
    result = Result.load(chosen.result)
    if chosen.json:
        say_summary(result, rows=chosen.top or ROWS, method=chosen.method)
        return DONE
    terminal.tell_warnings(result.record.warnings)
    parts = report(result, rows=chosen.top, method=chosen.method)
    terminal.show(*parts, closing(result))
    return DONE
