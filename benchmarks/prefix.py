"""What it is worth to know that the two prompts of a pair begin alike.

The same pairs, whose first half is the same on both sides, by a plan with all passes and by one
without the two that know of it.

    python -m benchmarks.prefix [--pairs 8] [--tokens 32] [--rounds 7] [--short]
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.experiments import ATP, EXACT, QUESTIONS, present, work
from benchmarks.measuring import Work, contest
from benchmarks.models import loaded
from benchmarks.options import Defaults, Options, read
from benchmarks.tables import Report

PASSES = ("resume_at_prefix", "skip_equal_prefixes")
SHARED = 0.5


def main() -> None:
    """Measure and print."""
    options = read(__doc__, rounds=7, defaults=Defaults(sizes="gpt2s", pairs=8, tokens=32))
    report = Report("prefix", "Pairs that share half of their prompt", options)
    measure(report, options, ATP)
    # Patching every node of twelve layers would take minutes a round.
    layers = 3 if options.short else 6
    tokens = 12 if options.short else 16
    sizes = replace(options.sizes, layers=min(layers, options.sizes.layers))
    rounds = min(options.rounds, 3)
    smaller = replace(options, sizes=sizes, pairs=4, tokens=tokens, rounds=rounds)
    measure(report, smaller, EXACT)
    report.finish()


def measure(report: Report, options: Options, name: str) -> None:
    """With and without, by every executor."""
    model, pairs = loaded(options.sizes), options.random_pairs(shared=SHARED)
    asked = QUESTIONS[name]
    contestants: dict[str, Work] = {}
    for executor in present(options.executors):
        contestants[f"{executor} with"] = work(asked, pairs, model, executor)
        unaware = replace(asked, without=PASSES)
        contestants[f"{executor} without"] = work(unaware, pairs, model, executor)
    times = contest(contestants, options.rounds)
    for executor in present(options.executors):
        known, unknown = times[f"{executor} with"], times[f"{executor} without"]
        title = f"{name} ({options.sizes.layers} layers, {pairs})"
        report.faster(title, executor, known, ("not knowing it", unknown))


if __name__ == "__main__":
    main()
