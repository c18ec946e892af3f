"""The command line that all benchmarks share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measuring import settle
from benchmarks.plain import SIZES, Sizes, with_sizes
from benchmarks.prompts import Pairs, random_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was chosen.

    Attributes:
        short: fewer rounds, a smaller question: seconds to a minute instead of minutes.
        json: where the lines of the table are written for the summary.
        executors: those to measure, of those that there are.
        apart: every contestant in a process of its own, where a benchmark can.
    """

    sizes: Sizes
    pairs: int
    tokens: int
    rounds: int
    short: bool
    json: Path | None
    executors: tuple[str, ...]
    apart: bool = False

    def random_pairs(self, *, shared: float = 0.0) -> Pairs:
        """The prompts."""
        return random_pairs(self.pairs, self.tokens, self.sizes.vocabulary, shared=shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a benchmark measures where nothing is chosen."""

    sizes: str = "gpt2s"
    pairs: int = 8
    tokens: int = 16


def read(
    text: str | None,
    *,
    rounds: int,
    short: int = 3,
    defaults: Defaults | None = None,
    timed: bool = True,
) -> Options:
    """Reads the command line, and settles the process.

    Args:
        text: the module's docstring.
        rounds, short: how many rounds there are, and with `--short`.
        timed: whether times are taken in this process; memory is best left as it is if not.
    """
    usual = defaults or Defaults()
    first = (text or "").split("\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(description=first)
    parser.add_argument("--sizes", choices=[*SIZES, "smollm2"], default=usual.sizes)
    parser.add_argument("--layers", type=int, help="instead of the shape's own")
    parser.add_argument("--vocabulary", type=int, help="instead of 8,192 (GPT-2 has 50,257)")
    parser.add_argument("--pairs", type=int, default=usual.pairs)
    parser.add_argument("--tokens", type=int, default=usual.tokens)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--short", action="store_true", help="a minute instead of minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines there too")
    parser.add_argument("--executors", nargs="+", default=["bridge", "native"])
    parser.add_argument("--apart", action="store_true", help="a process per contestant")
    chosen = parser.parse_args()
    settle(memory=timed)
    return Options(
        sizes=_sizes(parser, chosen),
        pairs=chosen.pairs,
        tokens=chosen.tokens,
        rounds=chosen.rounds or (short if chosen.short else rounds),
        short=chosen.short,
        json=chosen.json,
        executors=tuple(chosen.executors),
        apart=chosen.apart,
    )


def _sizes(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> Sizes:
    if chosen.sizes in SIZES:
        return with_sizes(chosen.sizes, layers=chosen.layers, vocabulary=chosen.vocabulary)
    from benchmarks.models import installed_smollm2

    found = installed_smollm2()
    if found is None:
        parser.error("SmolLM2 is not installed: atpdsl model add smollm2")
    return replace(found)
