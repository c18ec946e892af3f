"""`atpdsl model add`, `remove` and `list`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from atpdsl.cli.failures import DONE, FAILED
from atpdsl.cli.terminal import columns, facts, say, tell, tell_problems
from atpdsl.cli.terminal import show as show_parts
from atpdsl.models.add import add_model, remove_model
from atpdsl.models.catalogue import list_models
from atpdsl.problems import Problem
from atpdsl.problems.clean import clean

if TYPE_CHECKING:
    from rich.table import Table


def add(chosen: argparse.Namespace) -> int:
    """Fetch and convert a model, once."""
    added = add_model(
        chosen.name,
        accept_terms=chosen.accept_terms,
        wheels=chosen.wheels,
        progress=lambda step: tell(clean(step)),
    )
    if isinstance(added, Problem):
        tell_problems((added,), None, json=False)
        return FAILED
    say(f"{added.name} is ready: {clean(str(added.directory))}")
    show_parts(facts((("next", f'write `model "{added.name}"` in a spec'),)))
    return DONE


def remove(chosen: argparse.Namespace) -> int:
    """Delete the files of a model that was added."""
    if remove_model(chosen.name):
        say(f"{clean(chosen.name)} is removed")
        return DONE
    tell(f"no added model is called `{clean(chosen.name)}`; see `atpdsl model list`")
    return FAILED


def show_list(chosen: argparse.Namespace) -> int:  # noqa: ARG001 (as every command)
    """List the models that have a name of their own."""
    show_parts(
        models_table(),
        "",
        "A spec can also name a folder (`./folder`) or a hub id (`organisation/name`).",
    )
    return DONE


def models_table() -> Table:
    """The embedded models and those that can be added."""
    table = columns("name", "size", "ready", "what it is", right=("size",), fixed=("name",))
    for row in list_models():
        ready = "yes" if row.ready else row.where
        table.add_row(row.name, _size(row.parameters), ready, f"{row.summary} ({row.licence})")
    return table


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    return f"{parameters / 1e6:.1f}M" if parameters < 1e8 else f"{parameters / 1e6:.0f}M"
