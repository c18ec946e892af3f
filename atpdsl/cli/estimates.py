"""What a run will take, and what it took, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl.checked import PlannedStudy
from atpdsl.cli.terminal import columns, count
from atpdsl.estimating import Estimates
from atpdsl.planning.estimate import StageEstimate
from atpdsl.planning.outcome import Counts
from atpdsl.problems.clean import clean
from atpdsl.results.progress import duration
from atpdsl.runtime.memory import readable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from atpdsl.results.record import EstimateRecord, Record

NOT_MEASURED = "guessed, not measured here; `--calibrate` measures, in a few seconds"


def estimate_table(planned: PlannedStudy, found: Sequence[Estimates]) -> Table:
    """Operations, memory and time of each stage, or point; `<=` for upper bounds."""
    numbers = ("operations", "memory", "time")
    if len(found) == 1:
        table = columns("stage", *numbers, right=numbers, fixed=("stage",))
        for stage in found[0].run.stages:
            table.add_row(stage.stage, *_cells(stage))
        table.add_row("total", *_totals(found), style="bold")
        return table
    variables = planned.study.program.variables
    table = columns(*variables, *numbers, right=numbers)
    for point, one in zip(planned.points, found, strict=True):
        values = dict(point.checked.point)
        table.add_row(*(clean(values.get(name, "")) for name in variables), *_totals([one]))
    table.add_row("total", *("" for _ in variables[1:]), *_totals(found), style="bold")
    return table


def estimate_notes(found: Sequence[Estimates]) -> Iterator[tuple[str, str]]:
    """What the table does not say: the weights, where times come from, and the alternative."""
    largest = max((one.run for one in found), key=lambda run: run.memory)
    weights = readable(largest.weights)
    yield "memory", f"{readable(largest.memory)} at most, {weights} of it weights"
    if not all(one.run.calibrated for one in found):
        yield "times", NOT_MEASURED
    yield "compare", exhaustive_note(found)


def exhaustive_note(found: Sequence[Estimates]) -> str:
    """What patching every node exactly would take."""
    sequences = sum(
        stage.counts.forward_sequences for one in found for stage in one.exhaustive.stages
    )
    seconds = sum(one.exhaustive.seconds for one in found)
    return f"patching every node exactly: {count(sequences, 'forward')}, {short(seconds)}"


def as_json(found: Estimates) -> dict[str, object]:
    """All numbers of a point's estimates."""
    run, exhaustive = found.run, found.exhaustive
    return {
        "stages": run.stages,
        "flops": run.flops,
        "seconds": run.seconds,
        "memory": run.memory,
        "weights": run.weights,
        "at_most": run.at_most,
        "calibrated": run.calibrated,
        "exhaustive": {
            "forward_sequences": sum(s.counts.forward_sequences for s in exhaustive.stages),
            "flops": exhaustive.flops,
            "seconds": exhaustive.seconds,
            "memory": exhaustive.memory,
        },
    }


def analysis(record: Record) -> Iterator[RenderableType]:
    """What each stage of a run was estimated to take, and what it took."""
    numbers = ("estimated", "actual", "ratio")
    table = columns("stage", "what", *numbers, right=numbers, fixed=("stage",))
    host, ran = record.host, {stage.name: stage.counts for stage in record.stages}
    for name, said in host.estimated.items():
        if name not in ran:
            continue
        actual = (host.stages.get(name, 0.0), host.memory.get(name, 0))
        rows = list(_compared(said, ran[name], *actual))
        for number, row in enumerate(rows):
            table.add_row("" if number else name, *row)
    yield ""
    yield table
    if not all(said.calibrated for said in host.estimated.values()):
        yield ""
        yield "the times were guessed: nothing had been measured on this machine"


def _compared(
    said: EstimateRecord, made: Counts, seconds: float, memory: int
) -> Iterator[tuple[str, str, str, str]]:
    """What, estimated, actual, ratio; nothing of what a stage has none of."""
    bound = "<= " if said.at_most else ""
    passes = (
        ("forwards", said.counts.forward_sequences, made.forward_sequences),
        ("backwards", said.counts.backward_sequences, made.backward_sequences),
    )
    for what, expected, actual in passes:
        if expected or actual:
            yield what, f"{bound}{expected:,}", f"{actual:,}", _ratio(actual, expected)
    yield (
        "time",
        bound + short(said.seconds),
        short(seconds),
        _ratio(seconds, said.seconds),
    )
    if memory:
        expected = said.memory
        yield "memory", readable(expected), readable(memory), _ratio(memory, expected)


def _ratio(actual: float, expected: float) -> str:
    return f"{actual / expected:.2f}" if expected else ""


def short(seconds: float) -> str:
    """A time for people, also one of a few milliseconds."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else duration(seconds)


def _cells(stage: StageEstimate) -> tuple[str, str, str]:
    bound = "<= " if stage.at_most else ""
    return bound + operations(stage.flops), readable(stage.memory), bound + short(stage.seconds)


def _totals(found: Sequence[Estimates]) -> tuple[str, str, str]:
    runs = [one.run for one in found]
    bound = "<= " if any(run.at_most for run in runs) else ""
    return (
        bound + operations(sum(run.flops for run in runs)),
        readable(max(run.activations for run in runs)),
        bound + short(sum(run.seconds for run in runs)),
    )


def operations(number: float) -> str:
    """A number of floating-point operations: `1.9 G`."""
    for unit in ("", "k", "M", "G", "T", "P"):
        if number < 999.5:
            return f"{number:.3g} {unit}".rstrip()
        number /= 1000
    return f"{number:.3g} E"
