"""`atpdsl export`."""

from __future__ import annotations

import argparse

from atpdsl import exports
from atpdsl.cli.failures import DONE
from atpdsl.cli.terminal import say
from atpdsl.problems.clean import clean
from atpdsl.results.result import Result


def export(chosen: argparse.Namespace) -> int:
    """Write a result to files; their suffixes say the formats, unless `--to` does."""
    named = [
        (path, exports.exporter_called(chosen.to) if chosen.to else exports.exporter_for(path))
        for path in chosen.files
    ]
    result = Result.load(chosen.result)
    for path, exporter in named:
        exports.export(result, path, form=exporter.name, overwrite=chosen.overwrite)
        say(f"{clean(str(path))}: {clean(exporter.summary)}")
    return DONE
