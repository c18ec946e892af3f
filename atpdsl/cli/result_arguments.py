"""The arguments of the commands that are about results."""

from __future__ import annotations

import argparse
from pathlib import Path

from atpdsl.cli.parser import (
    Commands,
    Parser,
    add_access,
    add_command,
    add_json,
    count,
    share,
    weight,
)


def add_show(commands: Commands[Parser]) -> None:
    """`atpdsl show`."""
    parser = add_command(commands, "show", "show:show", "show a result again")
    parser.add_argument("result", metavar="RESULT", type=Path, help="the result folder")
    parser.add_argument(
        "--top", metavar="N", type=count, help="a longer list of nodes, and no picture (10)"
    )
    parser.add_argument("--method", metavar="LABEL", help="only this method")
    parser.add_argument(
        "--kind", metavar="KIND", help="a picture of one kind, such as `heads.z`, by layers"
    )
    add_json(parser)


def add_view(commands: Commands[Parser]) -> None:
    """`atpdsl view`."""
    parser = add_command(
        commands, "view", "view:view", "open a result as a page in the browser"
    )
    parser.add_argument("result", metavar="RESULT", type=Path, help="the result folder")
    parser.add_argument(
        "--no-open", action="store_true", help="only write the page and say where it is"
    )
    parser.add_argument(
        "--serve",
        metavar="PORT",
        type=_port,
        nargs="?",
        const=0,
        help="serve the page to this machine only, until Ctrl-C (any free port)",
    )


def add_diff(commands: Commands[Parser]) -> None:
    """`atpdsl diff`."""
    parser = add_command(commands, "diff", "diff:diff", "compare two results")
    parser.add_argument("first", metavar="A", type=Path, help="a result folder")
    parser.add_argument("second", metavar="B", type=Path, help="another one")
    parser.add_argument(
        "--method",
        dest="methods",
        metavar="LABEL",
        type=_labels,
        action="append",
        default=[],
        help="only this method; `LABEL=LABEL` for one of A and another one of B",
    )
    parser.add_argument(
        "--top", metavar="K", type=count, default=20, help="compare the K best nodes (20)"
    )
    parser.add_argument(
        "--tolerance",
        metavar="X",
        type=weight,
        help="largest relative change of a score (1e-6, without the next two)",
    )
    parser.add_argument(
        "--min-overlap",
        metavar="X",
        type=share,
        help="least share of the K best nodes that both have, 0 to 1 (Jaccard)",
    )
    parser.add_argument(
        "--min-correlation", metavar="X", type=share, help="least rank correlation, 0 to 1"
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page as well")
    parser.add_argument("--overwrite", action="store_true", help="replace that file")
    add_json(parser)


def add_test(commands: Commands[Parser]) -> None:
    """`atpdsl test`."""
    summary = "run specs and judge what they `expect`"
    parser = add_command(commands, "test", "test:test", summary)
    parser.add_argument(
        "subjects",
        metavar="SPEC_OR_RESULT",
        type=Path,
        nargs="+",
        help="spec files, folders of specs; or result folders, where nothing is run",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="keep each result in DIR/NAME")
    parser.add_argument("--overwrite", action="store_true", help="replace another run's result")
    parser.add_argument("--executor", metavar="NAME", help="instead of the specs' executor")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML as well")
    add_access(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress, only what fails")
    add_json(parser)


def add_export(commands: Commands[Parser]) -> None:
    """`atpdsl export`."""
    parser = add_command(commands, "export", "export:export", "write a result in other formats")
    parser.add_argument("result", metavar="RESULT", type=Path, help="the result folder")
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help="the suffix says the format"
    )
    parser.add_argument(
        "--to", metavar="FORMAT", help="the format, whatever the suffix (`atpdsl list exports`)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _labels(word: str) -> tuple[str, str]:
    first, sign, second = word.partition("=")
    if not first or (sign and not second):
        raise argparse.ArgumentTypeError(f"`{word}` is not LABEL or LABEL=LABEL")
    return first, second if sign else first


def _port(word: str) -> int:
    if not word.isdecimal() or not 0 <= int(word) < 65536:
        raise argparse.ArgumentTypeError(f"`{word}` is no port: choose 1 to 65535")
    return int(word)
