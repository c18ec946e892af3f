"""The parser of the command line, and what several commands take."""

from __future__ import annotations

import argparse
import math
import re
from typing import NoReturn

from atpdsl.registry import closest


class Parser(argparse.ArgumentParser):
    """A parser that says what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        wrong = re.search(r"invalid choice: '?([^\s']+)'? \(choose from (.*)\)", message)
        if wrong is not None:
            meant = closest(wrong[1], re.findall(r"[\w.-]+", wrong[2]))
            message = f"`{wrong[1]}` is not known"
            message += f"; did you mean `{meant}`?" if meant else f"; choose from {wrong[2]}"
        self.exit(2, f"{self.prog}: {message}\ntry `{self.prog} --help`\n")


# argparse has no public name for what holds the commands.
Commands = argparse._SubParsersAction


def add_command(commands: Commands[Parser], name: str, location: str, summary: str) -> Parser:
    """A command; `location` is the module and function that it calls."""
    parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(location=location)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_given(parser: argparse.ArgumentParser) -> None:
    """`-p NAME=VALUE`."""
    parser.add_argument(
        "-p",
        dest="given",
        metavar="NAME=VALUE",
        type=_assignment,
        action="append",
        default=[],
        help="set a `param` or `sweep` of the spec; again for more, commas for several values",
    )


def _assignment(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"`{word}` is not NAME=VALUE")
    return name.strip(), value.strip()


def add_access(parser: argparse.ArgumentParser) -> None:
    """What a spec may be given, and may ask of the outside."""
    add_given(parser)
    parser.add_argument("--offline", action="store_true", help="never ask a model hub")
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="let a model run Python code that it brings",
    )


def count(word: str) -> int:
    """A whole number from 1 on."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def weight(word: str) -> float:
    """A number from 0 on."""
    try:
        number = float(word)
    except ValueError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError("it must be a number from 0 on")
    return number


def share(word: str) -> float:
    """A number from 0 to 1."""
    number = weight(word)
    if number > 1:
        raise argparse.ArgumentTypeError("it must be a number from 0 to 1")
    return number
