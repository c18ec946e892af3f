"""What goes to the screen: results to stdout, progress and problems to stderr.

Nothing here interprets markup, and every text that comes from a spec, a model or a file goes
through `clean`.
"""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, TextIO

from atpdsl.problems import Problem, Source
from atpdsl.problems.clean import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from atpdsl.results.progress import Progress
    from atpdsl.results.record import WarningRecord

# Where no terminal says how wide it is: a pipe, a file, CI.
WIDTH = 80


def say(text: str = "") -> None:
    """A line of the result, as it is."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """A line beside the result, as it is."""
    sys.stderr.write(text + "\n")


def show(*parts: RenderableType) -> None:
    """Tables and texts of the result, laid out for the width of the terminal."""
    console = stdout()
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as capture:
        console.print(*parts, sep="\n")
    # Tables fill their last column with spaces, which are in the way in files.
    for line in capture.get().splitlines():
        say(line.rstrip())


def stdout() -> Console:
    """The console for results."""
    width = None if sys.stdout.isatty() else WIDTH
    return _console(sys.stdout, width)


def _console(stream: TextIO, width: int | None = None) -> Console:
    """A console that takes no text for markup, and writes no codes where none are wanted."""
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR")) or not stream.isatty()
    return Console(
        file=stream,
        width=width,
        color_system=None if plain else "auto",
        markup=False,
        highlight=False,
        emoji=False,
    )


def say_json(schema: str, **values: object) -> None:
    """A JSON object with its schema, on stdout."""
    from atpdsl.results.document import dumps

    sys.stdout.write(dumps({"schema": schema, **values}))


def say_plain_json(value: object) -> None:
    """A JSON value of a format that is not ours, on stdout."""
    from atpdsl.results.document import dumps

    sys.stdout.write(dumps(value))


def version() -> str:
    """The version of this atpdsl."""
    return metadata.version("atpdsl")


def choose_progress(*, quiet: bool) -> Progress:
    """Bars on a terminal, lines elsewhere, nothing if that is what is wanted."""
    from atpdsl.results.progress import NoProgress, PlainProgress, RichProgress

    if quiet:
        return NoProgress()
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return RichProgress(sys.stderr)
    return PlainProgress(stream=sys.stderr)


def facts(rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Words on the left, what they are about beside them."""
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for word, content in rows:
        table.add_row(word, content)
    return Padding(table, (0, 0, 0, 2))


def columns(*headings: str, right: Sequence[str] = (), fixed: Sequence[str] = ()) -> Table:
    """An empty table without lines.

    Args:
        headings: of the columns.
        right: those that hold numbers, set to the right.
        fixed: those that are never broken into lines or cut.
    """
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in headings:
        number = heading in right
        table.add_column(
            heading,
            justify="right" if number else "left",
            no_wrap=number or heading in fixed,
            overflow="ellipsis" if heading in fixed else "fold",
        )
    return table


def word(text: object) -> str:
    """A path or name as one word of a command to copy."""
    return clean(shlex.quote(str(text)))


def count(number: int, unit: str, units: str = "") -> str:
    """`1 pair`, `2 pairs`; `units` where it is not `unit` with an s."""
    return f"{number:,} {unit if number == 1 else units or f'{unit}s'}"


def can_show(text: str) -> bool:
    """Whether stdout's encoding has all of the characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def tell_warnings(warnings: Iterable[WarningRecord]) -> None:
    """Warnings that are kept with a result, without the text that they point into."""
    for warning in warnings:
        place = "" if warning.file is None else f"{clean(warning.file)}, "
        place += "" if warning.line is None else f"line {warning.line}: "
        _tell_wrapped(f"warning[{clean(warning.code)}]: {place}{clean(warning.message)}")
        if warning.help:
            _tell_wrapped(f"  help: {clean(warning.help)}")


def _tell_wrapped(text: str) -> None:
    tell(textwrap.fill(text, WIDTH, subsequent_indent=" " * 4, break_on_hyphens=False))


def tell_problems(problems: Iterable[Problem], source: Source | None, *, json: bool) -> None:
    """Problems for people on stderr, or for programs on stdout."""
    from atpdsl.problems import render

    if json:
        say_json("atpdsl/problems/1", problems=render.as_json(problems, source))
        return
    console = _console(sys.stderr)
    if console.color_system is None:
        tell(render.plain(problems, source))
        return
    from atpdsl.problems.render_rich import render_rich

    console.print(render_rich(problems, source), end="", soft_wrap=True)
