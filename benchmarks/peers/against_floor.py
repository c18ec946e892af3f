"""A peer and the floor in one process, so that their ratio compares across environments.

It only needs torch: every peer brings its own versions of all else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.floor import floor
from benchmarks.measuring import Record, Work, contest, settle
from benchmarks.plain import SIZES, Gpt2, Plain, Sizes, with_sizes
from benchmarks.prompts import Pairs, random_pairs

FLOOR = "floor"
Contestants = Callable[[Sizes, Pairs], Mapping[str, Work]]


def main(peer: str, text: str | None, make: Contestants, *, slow: tuple[str, ...] = ()) -> None:
    """The command line of a peer's script.

    Args:
        peer: what tables call it.
        make: the peer's work, by name, for a shape and prompts.
        slow: work that is only run without `--short`.
    """
    chosen = _arguments(text)
    settle()
    sizes = with_sizes(chosen.sizes, layers=chosen.layers, vocabulary=None)
    pairs = random_pairs(chosen.pairs, chosen.tokens, sizes.vocabulary)
    plain = Gpt2.random(sizes)
    found = {
        name: work
        for name, work in make(sizes, pairs).items()
        if not (chosen.short and name in slow)
    }
    records = measured(peer, plain, pairs, found, chosen.rounds or (2 if chosen.short else 5))
    show(records)
    if chosen.json is not None:
        lines = json.dumps([record.as_json() for record in records], indent=1)
        chosen.json.write_text(lines, encoding="utf-8")


def measured(
    peer: str, plain: Plain, pairs: Pairs, found: Mapping[str, Work], rounds: int
) -> list[Record]:
    """A line for each piece of work, and the floor."""
    times = contest({FLOOR: lambda: floor(plain, pairs), **found}, rounds)
    return [
        Record(
            claim="peers",
            work=name,
            who=peer if name != FLOOR else "plain torch",
            setting=f"{plain.sizes}, {pairs}",
            seconds=one.median,
            reference=FLOOR,
            ratio=one.over(times[FLOOR]),
        )
        for name, one in times.items()
    ]


def show(records: list[Record]) -> None:
    """A plain table: the peer's environment may have no library for a better one."""
    width = max(len(record.work) for record in records)
    sys.stdout.write(f"{records[0].setting}\n{'':{width}}     CPU s  x floor   quartiles\n")
    for one in records:
        sys.stdout.write(
            f"{one.work:{width}}  {one.seconds:8.3f}  {one.ratio!s:>7}  {one.ratio.spread:>10}"
            f"  {one.who}\n"
        )
    sys.stdout.flush()


def _arguments(text: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(text or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", choices=list(SIZES), default="gpt2s")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--short", action="store_true", help="without what takes minutes")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()
