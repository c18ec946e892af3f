"""`atpdsl list`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from atpdsl.cli.commands.model import models_table
from atpdsl.cli.failures import DONE
from atpdsl.cli.terminal import columns, show, tell_problems
from atpdsl.exports import every_exporter
from atpdsl.exports.plugins import plugins
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS, READINGS
from atpdsl.nodes import NODE_KINDS
from atpdsl.problems.clean import clean
from atpdsl.reference.task_files import tasks
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.semantics.signature import Param, Signature

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def show_names(chosen: argparse.Namespace) -> int:
    """List what a spec can name: one table, or all of them."""
    for number, name in enumerate((chosen.what,) if chosen.what else TABLES):
        show(*([""] if number else []), *_titled(name))
    if chosen.what in (None, "exports") and plugins().problems:
        tell_problems(plugins().problems, None, json=False)
    return DONE


def _titled(name: str) -> Iterator[RenderableType]:
    yield f"{name}:"
    yield TABLES[name]()


def _methods() -> Table:
    return _signatures(tuple(method.signature for method in METHODS))


def _metrics() -> Table:
    """The metrics with a name, and what others are computed from."""
    table = _signatures(tuple(metric.signature for metric in METRICS))
    for reading in READINGS:
        table.add_row(f"{reading.name}(...)", reading.signature.summary)
    return table


def _signatures(signatures: Sequence[Signature]) -> Table:
    table = columns("name", "what it is, and its settings", fixed=("name",))
    for signature in signatures:
        settings = ", ".join(map(_setting, signature.params))
        summary = f"{signature.summary} ({settings})" if settings else signature.summary
        table.add_row(signature.name, summary)
    return table


def _setting(param: Param) -> str:
    """A setting with its default as a spec writes it; what is chosen elsewhere has none."""
    if param.default is None:
        return param.name
    words = {True: "on", False: "off"}
    is_switch = isinstance(param.default, bool)
    return f"{param.name} = {words[bool(param.default)] if is_switch else param.default}"


def _nodes() -> Table:
    table = columns("name", "index", "what it is", fixed=("name", "index"))
    for kind in NODE_KINDS:
        table.add_row(kind.name, kind.unit.value.replace("_", "-"), kind.summary)
    return table


def _exports() -> Table:
    table = columns("name", "suffix", "what it is", fixed=("name", "suffix"))
    for exporter in every_exporter():
        origin = f" (from `{exporter.package}`)" if exporter.package else ""
        suffixes = ", ".join(exporter.suffixes)
        table.add_row(exporter.name, suffixes, clean(exporter.summary + origin))
    return table


def _tasks() -> Table:
    table = columns("name", "sets of prompts", "what it is", fixed=("name",))
    for task in tasks():
        table.add_row(f"lib:{task.name}", ", ".join(task.sets), task.title)
    return table


def _functions() -> Table:
    """The functions of formulas, and what `expect` can ask of a result."""
    table = columns("name", "what it is", fixed=("name",))
    for function in FUNCTIONS.values():
        table.add_row(function.signature, function.doc)
    for asked in RESULT_FUNCTIONS:
        if not asked.later:
            table.add_row(f"expect: {asked.name}", asked.doc)
    return table


TABLES: Mapping[str, Callable[[], RenderableType]] = {
    "methods": _methods,
    "nodes": _nodes,
    "metrics": _metrics,
    "models": models_table,
    "exports": _exports,
    "tasks": _tasks,
    "functions": _functions,
}
