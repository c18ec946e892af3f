"""AtP and AtP* against the floor, by both executors.

Everything runs on random weights, so nothing is downloaded; `--sizes smollm2` takes the real
model where it is installed.

    python -m benchmarks.atp [--sizes gpt2s] [--pairs 8] [--tokens 16] [--rounds 7] [--short]
"""

from __future__ import annotations

from benchmarks.experiments import ATP_STAR, EXACT, QUESTIONS, present, work
from benchmarks.floor import floor
from benchmarks.measuring import Work, contest
from benchmarks.models import hugging_face, loaded
from benchmarks.options import Options, read
from benchmarks.plain import plain_model
from benchmarks.tables import Report

FLOOR = "floor"
DIAGNOSED = "AtP* and diagnostics, heads + MLPs + neurons"
TOGETHER = "AtP, AtP*, diagnostics and neurons in one spec"
ESTIMATES = tuple(name for name, one in QUESTIONS.items() if name != EXACT and not one.verified)


def main() -> None:
    """Measure and print."""
    options = read(__doc__, rounds=7)
    report = Report("atp", "AtP", options)
    against_floor(report, options)
    report.finish()


def against_floor(report: Report, options: Options) -> None:
    """A line for each question and executor, and the floor."""
    pairs = options.random_pairs()
    plain = plain_model(hugging_face(options.sizes, attention="sdpa"), options.sizes)
    model = loaded(options.sizes)
    executors = present(options.executors)
    contestants: dict[str, Work] = {FLOOR: lambda: floor(plain, pairs)}
    for executor in executors:
        for name in ESTIMATES:
            contestants[f"{name}|{executor}"] = work(QUESTIONS[name], pairs, model, executor)
    times = contest(contestants, options.rounds)
    report.line(FLOOR, "plain torch", times[FLOOR], (FLOOR, times[FLOOR]))
    for executor in executors:
        for name in ESTIMATES:
            report.line(name, executor, times[f"{name}|{executor}"], (FLOOR, times[FLOOR]))
        together = times[f"{TOGETHER}|{executor}"]
        for name in (ATP_STAR, DIAGNOSED):
            report.line(TOGETHER, executor, together, (name, times[f"{name}|{executor}"]))


if __name__ == "__main__":
    main()
