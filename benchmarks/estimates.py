"""What `atpdsl plan` says beforehand against what the run takes.

Passes must be equal (never more, where the nodes to verify are not known beforehand). Times are
wall seconds of the executor's stages, medians over rounds, after one calibration; memory is the
peak of a fresh process (see `benchmarks.memory`).

    python -m benchmarks.estimates [--sizes gpt2s] [--rounds 5] [--short]
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import median

from atpdsl.planning.estimate import PlanEstimate, estimate, scaled
from atpdsl.planning.outcome import Counts, Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.rate_cache import Setup
from atpdsl.runtime.calibrate import calibrate
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.load import LoadedModel
from benchmarks.experiments import ATP, ATP_STAR, EXACT, QUESTIONS, make_plan, present
from benchmarks.measuring import Ratio, Record
from benchmarks.memory import MIB, Job, peak
from benchmarks.models import loaded
from benchmarks.options import Options, read
from benchmarks.prompts import random_pairs
from benchmarks.tables import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A spec whose cost is estimated."""

    name: str
    pairs: int
    tokens: int
    layers: int | None = None


CASES = (
    Case(name=ATP, pairs=8, tokens=16),
    Case(name=ATP, pairs=40, tokens=48),
    Case(name=ATP_STAR, pairs=4, tokens=16),
    Case(name="AtP, AtP*, diagnostics and neurons in one spec", pairs=8, tokens=16),
    Case(name="AtP, 64 nodes verified", pairs=8, tokens=16),
    Case(name=EXACT, pairs=4, tokens=12, layers=4),
)


def main() -> None:
    """Measure and print."""
    options = read(__doc__, rounds=5, short=1)
    report = Report("estimates", "Actual over estimate", options, str(options.sizes))
    for case in CASES[:1] + CASES[2:4] if options.short else CASES:
        for executor in present(options.executors):
            compare(report, options, case, executor)
    report.note("1 is exact; below 1 it took less than was said")
    report.finish()


def compare(report: Report, options: Options, case: Case, executor: str) -> None:
    """Lines for the passes, time and memory of one spec."""
    sizes = replace(options.sizes, layers=case.layers or options.sizes.layers)
    model = loaded(sizes)
    pairs = random_pairs(case.pairs, case.tokens, sizes.vocabulary)
    plan = make_plan(QUESTIONS[case.name], pairs, model.shape, executor)
    setup = Setup(
        shape=model.shape, dtype=model.dtype, executor=executor, device="cpu", threads=1
    )
    said = estimate(plan, calibrate(model, setup))
    outcomes = [run(plan, model, executor) for _ in range(options.rounds + 1)][1:]
    title = f"{case.name}, {pairs}" + (f", {case.layers} layers" if case.layers else "")

    def line(what: str, took: list[float], expected: float, unit: str) -> None:
        report.add(
            Record(
                claim=report.claim,
                work=title,
                who=executor,
                setting=report.setting,
                seconds=median(took),
                reference=f"estimated {what}",
                ratio=Ratio.of([one / expected for one in took]),
                unit=unit,
            )
        )

    report.note(f"{title}, {executor}: passes {passes(said, outcomes[0])}")
    seconds = [sum(stage.seconds for stage in one.stages) for one in outcomes]
    line("time", seconds, expected_seconds(said, outcomes[0]), "s")
    job = Job(name=case.name, executor=executor, pairs=case.pairs, tokens=case.tokens)
    highest = peak(job, replace(options, sizes=sizes, rounds=1)).median
    line("memory", [highest], said.activations / MIB, "MiB")


def run(plan: Plan, model: LoadedModel, executor: str) -> Outcome:
    """One run."""
    return EXECUTORS[executor].make().execute(plan, model, Silent())


def expected_seconds(said: PlanEstimate, outcome: Outcome) -> float:
    """The estimated time, of the nodes that were patched where these were not known before."""
    return sum(scaled(said, {stage.name: stage.counts for stage in outcome.stages}).values())


def passes(said: PlanEstimate, outcome: Outcome) -> str:
    """Whether every kind of pass was counted right, stage by stage.

    Raises:
        ValueError: when a stage made passes that were not in the estimate.
    """
    expected = {stage.stage: stage for stage in said.stages}
    bounded = 0
    for stage in outcome.stages:
        one = expected.get(stage.name)
        planned = asdict(Counts() if one is None else one.counts)
        made = asdict(stage.counts)
        if planned == made:
            continue
        at_most = one is not None and one.at_most
        if not at_most or any(made[name] > planned[name] for name in made):
            raise ValueError(f"{stage.name}: made {made}, estimated {planned}")
        bounded += 1
    return "exact" if not bounded else f"exact but in {bounded} stages, at most there"


if __name__ == "__main__":
    main()
