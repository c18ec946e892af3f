"""Peak memory of AtP against a plain forward and backward, and under a budget.

Every measurement has a process of its own: the model is loaded, everything runs once on a small
prompt, freed memory goes back to the system, the kernel's high-water mark is set to what is
used now, and then the work runs. What is told is the high-water mark above that. Linux only.

    python -m benchmarks.memory [--sizes gpt2s] [--pairs 8] [--tokens 64] [--rounds 3] [--short]
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from atpdsl.planning.outcome import Outcome
from benchmarks.experiments import ATP, ATP_STAR, QUESTIONS, present, work
from benchmarks.floor import floor, forward_and_backward
from benchmarks.measuring import Measured, Work
from benchmarks.models import hugging_face, loaded
from benchmarks.options import Defaults, Options, read
from benchmarks.plain import Plain, plain_model
from benchmarks.prompts import Pairs, random_pairs
from benchmarks.tables import Report

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
MIB = 2**20
CHILD = "--child"
PLAIN, FLOOR = "plain forward + backward", "floor, all gradients kept"
BUDGET = 512 * MIB
"""For activations, beside the weights: about half of what 16 pairs would take."""
MANY = (8, 32, 128, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process measures.

    Attributes:
        executor: empty for plain torch.
        budget: bytes for activations, 0 for no limit.
    """

    name: str
    executor: str
    pairs: int
    tokens: int
    budget: int = 0


def main() -> None:
    """Measure and print."""
    if CHILD in sys.argv:
        where = sys.argv.index(CHILD)
        job = Job(**json.loads(sys.argv.pop(where + 1)))
        sys.argv.pop(where)
        sys.stdout.write(json.dumps(measured(job, read(__doc__, rounds=1, timed=False))))
        return
    usual = Defaults(pairs=8, tokens=64)
    options = read(__doc__, rounds=3, short=1, defaults=usual, timed=False)
    if not FORGET.exists():
        sys.exit("the kernel's high-water mark is needed: Linux only")
    report = Report("memory", "Peak memory above the loaded model", options)
    against_plain(report, options)
    under_budget(report, options)
    report.finish()


def against_plain(report: Report, options: Options) -> None:
    """AtP and AtP* against one plain forward and backward on the same pairs."""
    size = {"pairs": options.pairs, "tokens": options.tokens}
    jobs = [Job(name=name, executor="", **size) for name in (PLAIN, FLOOR)]
    for executor in present(options.executors):
        jobs += [Job(name=name, executor=executor, **size) for name in (ATP, ATP_STAR)]
    peaks = {(job.name, job.executor): peak(job, options) for job in jobs}
    for (name, executor), found in peaks.items():
        who = executor or "plain torch"
        report.line(name, who, found, (PLAIN, peaks[PLAIN, ""]), unit="MiB")


def under_budget(report: Report, options: Options) -> None:
    """More and more pairs within the same memory."""
    numbers = MANY[:2] if options.short else MANY
    for executor in present(options.executors):
        first: Measured | None = None
        for pairs in numbers:
            job = Job(
                name=ATP,
                executor=executor,
                pairs=pairs,
                tokens=options.tokens,
                budget=BUDGET,
            )
            found = peak(job, replace(options, rounds=1))
            first = first or found
            work = f"AtP within {BUDGET // MIB} MiB, {pairs} pairs"
            report.line(work, executor, found, (f"{numbers[0]} pairs", first), unit="MiB")


def peak(job: Job, options: Options) -> Measured:
    """MiB, in so many fresh processes."""
    chosen = ["--sizes", options.sizes.name]
    if options.sizes.name != "smollm2":
        chosen += ["--layers", str(options.sizes.layers)]
        chosen += ["--vocabulary", str(options.sizes.vocabulary)]
    asked = json.dumps({field: getattr(job, field) for field in Job.__slots__})
    command = [sys.executable, "-m", "benchmarks.memory", *chosen, CHILD, asked]
    found = []
    for _ in range(options.rounds):
        done = subprocess.run(  # noqa: S603 (this very module)
            command, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{job}: {done.stderr[-2000:]}")
        found.append(float(json.loads(done.stdout)))
    # Processes are not rounds that belong together: their median stands for all of them.
    return Measured(name=job.name, seconds=(median(found),))


def measured(job: Job, options: Options) -> float:
    """The peak above idle of one piece of work in this process, in MiB."""
    vocabulary = options.sizes.vocabulary
    pairs = random_pairs(job.pairs, job.tokens, vocabulary)
    few = random_pairs(2, 4, vocabulary)
    if job.executor:
        model = loaded(options.sizes)
        asked = QUESTIONS[job.name]
        if job.budget:
            weights = sum(p.numel() * p.itemsize for p in model.bridge.parameters())
            run = replace(asked.run, memory=weights + job.budget)
            asked = replace(asked, run=run)
        warm: Work = work(asked, few, model, job.executor)
        whole: Work = work(asked, pairs, model, job.executor)
    else:
        plain = plain_model(hugging_face(options.sizes, attention="sdpa"), options.sizes)
        warm, whole = of_plain(job.name, plain, few), of_plain(job.name, plain, pairs)
    warm()
    gc.collect()
    give_back()
    FORGET.write_text("5", encoding="ascii")  # the high-water mark is what is used now
    idle = kibibytes("VmRSS")
    outcome = whole()
    highest = (kibibytes("VmHWM") - idle) / 1024
    # An executor that measures its own stages sets the mark back at each of them.
    stages = outcome.stages if isinstance(outcome, Outcome) else ()
    return max(highest, *(stage.memory / MIB for stage in stages), 0.0)


def of_plain(name: str, plain: Plain, pairs: Pairs) -> Work:
    """The plain work of that name."""
    if name == FLOOR:
        return lambda: floor(plain, pairs)
    return lambda: forward_and_backward(plain, pairs.clean, keep_sites=False)


def kibibytes(field: str) -> int:
    """A line of the process's status."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def give_back() -> None:
    """Freed memory goes back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    main()
