"""The options of the magic."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from atpdsl.checking import Access
from atpdsl.cli.access import access
from atpdsl.cli.parser import add_access
from atpdsl.problems import Problem, RunError

DESCRIPTION = """\
%%atp [NAME] [options], and a spec below it: run the spec, show the result, and call it NAME.
%atp FILE [options]: run a spec file; `found = %atp FILE` gives the result a name.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a magic is asked to do.

    Attributes:
        name: of the result's variable, for a cell; the spec file, for a line; "" for none.
        access: values for the spec, and what may be asked of the outside.
        check: only check the spec.
        out: where the result is kept; None for memory only.
    """

    name: str
    access: Access
    check: bool
    out: Path | None
    overwrite: bool
    quiet: bool


class HelpError(Exception):
    """Help was asked for; the message is it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A problem, where a program would exit."""
        raise _problem(message)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 (the parent's)
        """The help for the caller to show."""
        raise HelpError(self.format_help())


def read(line: str, *, cell: bool) -> Options:
    """The options of a line after `%%atp` or `%atp`.

    Raises:
        RunError: ATP462 when they cannot be understood.
        SpecError: when a value is given twice.
        HelpError: when they ask for help.
    """
    try:
        chosen = _parser(cell=cell).parse_args(shlex.split(line))
    except ValueError as error:
        raise _problem(str(error)) from None
    name = chosen.name or ""
    if cell and name and not name.isidentifier():
        raise _problem(f"`{name}` cannot be the name of a variable")
    return Options(
        name=name,
        access=access(chosen),
        check=chosen.check,
        out=chosen.out,
        overwrite=chosen.overwrite,
        quiet=chosen.quiet,
    )


def _parser(*, cell: bool) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="%%atp" if cell else "%atp",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if cell:
        parser.add_argument("name", metavar="NAME", nargs="?", help="what the result is called")
    else:
        parser.add_argument("name", metavar="FILE", help="the spec file")
    parser.add_argument("--check", action="store_true", help="only check the spec")
    parser.add_argument("--out", metavar="DIR", type=Path, help="keep the result there")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_access(parser)
    return parser


def _problem(message: str) -> RunError:
    advice = "`%atp --help` lists the options"
    return RunError([Problem(code="ATP462", message=message, help=advice)])
