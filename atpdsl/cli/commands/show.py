"""`atpdsl show`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl.cli import terminal
from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.report import FEWER_ROWS, closing, heading, report
from atpdsl.cli.sparks import overview, single
from atpdsl.cli.summary import ROWS, say_summary
from atpdsl.cli.sweep import say_sweep, sweep_report
from atpdsl.problems.clean import clean
from atpdsl.registry import closest
from atpdsl.results.heat import Heat, heats
from atpdsl.results.result import Result
from atpdsl.results.sweep import Sweep, is_sweep

if TYPE_CHECKING:
    from rich.console import RenderableType


def show(chosen: argparse.Namespace) -> int:
    """Show a result again: its best nodes, where they are, and how far to trust them."""
    if is_sweep(chosen.result):
        return _show_sweep(Sweep.load(chosen.result), json=chosen.json)
    result = Result.load(chosen.result)
    label = result.label(chosen.method)
    pictures = heats(result.record, result.table, label)
    if chosen.kind is not None:
        return _show_kind(chosen, result, pictures)
    if chosen.json:
        say_summary(result, rows=chosen.top or ROWS, method=chosen.method)
        return DONE
    terminal.tell_warnings(result.record.warnings)
    drawn = () if chosen.top else tuple(_overview(result, label, pictures))
    rows = FEWER_ROWS if drawn else chosen.top
    parts = report(result, rows=rows, method=chosen.method, drawn=drawn)
    terminal.show(*parts, closing(result))
    return DONE


def _overview(
    result: Result, label: str, pictures: tuple[Heat, ...]
) -> Iterator[RenderableType]:
    """Where the strong nodes are; which method says so, if there are several."""
    lines = list(overview(pictures, terminal.stdout().width))
    if lines and len(result.record.methods) > 1:
        yield ""
        yield f"layers and positions by {clean(label)}"
    if lines:
        yield ""
    yield from lines


def _show_kind(chosen: argparse.Namespace, result: Result, pictures: tuple[Heat, ...]) -> int:
    """All layers of one kind of nodes."""
    kinds = {picture.kind: picture for picture in pictures}
    picture = kinds.get(chosen.kind)
    if picture is None:
        meant = closest(chosen.kind, kinds)
        known = f"did you mean `{meant}`?" if meant else f"it has {', '.join(kinds) or 'none'}"
        terminal.tell(
            f"atpdsl show: the result has no nodes of kind `{clean(chosen.kind)}`; {known}"
        )
        return USAGE
    if chosen.json:
        terminal.say_json("atpdsl/layers-by-positions/1", **_document(result, chosen, picture))
        return DONE
    width = terminal.stdout().width
    lines: list[RenderableType] = list(single(picture, result.record.positions, width))
    if not lines:
        lines = [f"every node of kind {clean(picture.kind)} has a score of 0"]
    terminal.show(heading(result.record), "", *lines)
    return DONE


def _document(result: Result, chosen: argparse.Namespace, picture: Heat) -> dict[str, object]:
    """The picture as numbers; null where a layer has no such node at a position."""
    return {
        "directory": str(result.directory),
        "method": result.label(chosen.method),
        "kind": picture.kind,
        "layers": list(picture.layers),
        "positions": list(picture.positions),
        "score": picture.strength.tolist(),
        "sign": picture.sign.tolist(),
    }


def _show_sweep(sweep: Sweep, *, json: bool) -> int:
    if json:
        say_sweep(sweep)
    else:
        terminal.show(*sweep_report(sweep))
    return DONE
