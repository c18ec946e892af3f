"""From a plan to a result: load the model, execute, assemble."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from atpdsl.checked import Planned, settled
from atpdsl.estimating import Forecast
from atpdsl.problems import Label, Problem, Severity, SpecError
from atpdsl.runtime.executor import EXECUTORS, Progress
from atpdsl.semantics.experiment import Experiment

if TYPE_CHECKING:
    from atpdsl.planning.estimate import PlanEstimate
    from atpdsl.planning.outcome import Outcome
    from atpdsl.results.record import ModelRecord
    from atpdsl.results.result import Result
    from atpdsl.runtime.load import LoadedModel

# A difference between two metrics below this is rounding.
NO_GAP = 1e-6


class Shelf:
    """The model that was loaded last, for the next point of a sweep that wants the same.

    Args:
        measure: how fast models are on this machine is measured, where it is not known yet.
    """

    def __init__(self, *, measure: bool = False) -> None:
        self.measure = measure
        self._key: tuple[object, ...] = ()
        self._model: LoadedModel | None = None

    def model(self, planned: Planned, progress: Progress) -> LoadedModel:
        """The model of a plan, loaded if it is another than the last.

        Raises:
            RunError: when it cannot be loaded.
        """
        from atpdsl.runtime.load import load_model

        experiment, files = settled(planned.checked)
        key = (files.directory, experiment.model.dtype, experiment.run.device)
        if self._model is None or key != self._key:
            # The last one's memory is given back before the next is loaded.
            self._model = None
            with progress.stage("loading the model", None, "models") as step:
                self._model = load_model(
                    files,
                    planned.plan.bound.shape,
                    dtype=experiment.model.dtype,
                    device=experiment.run.device,
                    at=Label(experiment.model.span),
                )
                step.advance(1)
            self._key = key
        return self._model


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What a plan gave, and under which circumstances.

    Attributes:
        device, threads: as used, not as asked for.
        estimate: what was said of it beforehand.
        started: UTC.
        seconds: wall time, with loading the model.
    """

    outcome: Outcome
    estimate: PlanEstimate
    executor: str
    device: str
    threads: int
    started: datetime
    seconds: float


def execute(planned: Planned, name: str, progress: Progress, shelf: Shelf) -> Result:
    """Load the model, run the plan, assemble the result.

    Raises:
        RunError: when the model cannot be loaded or cannot do what the plan asks.
    """
    return result_of(planned, compute(planned, name, progress, shelf))


def compute(planned: Planned, name: str, progress: Progress, shelf: Shelf) -> Computed:
    """Load the model and run the plan.

    Raises:
        RunError: when the model cannot be loaded or cannot do what the plan asks.
    """
    experiment, files = settled(planned.checked)
    entry = EXECUTORS[name]
    began, started = time.perf_counter(), datetime.now(UTC)
    device, threads = "none", 0
    forecast = Forecast(planned, name, measure=shelf.measure)
    if not entry.needs_model:
        outcome = entry.make().execute(planned.plan, None, progress)
    else:
        from atpdsl.runtime.threads import choose_threads, prepare_environment, using_threads

        prepare_environment()
        from atpdsl.runtime.determinism import reproducible
        from atpdsl.runtime.memory import check_activations

        forecast.check()
        check_activations(planned.plan)
        model = shelf.model(planned, progress)
        choice = choose_threads(files.n_parameters(), requested=experiment.run.threads)
        with using_threads(choice):
            forecast.measured(model)
            with reproducible(experiment.run.deterministic, Label(experiment.model.span)):
                outcome = entry.make().execute(planned.plan, model, progress)
        forecast.learn(outcome)
        device, threads = model.devices, choice.count
    return Computed(
        outcome=outcome,
        estimate=forecast.estimate,
        executor=outcome.executor or name,
        device=device,
        threads=threads,
        started=started,
        seconds=time.perf_counter() - began,
    )


def result_of(planned: Planned, computed: Computed) -> Result:
    """The result made of what a plan gave."""
    from atpdsl.results.assemble import Finished, assemble

    checked = planned.checked
    experiment, _ = settled(checked)
    if checked.tokenizer is None:
        raise SpecError(checked.problems, checked.source)
    return assemble(
        Finished(
            experiment=experiment,
            pairs=planned.plan.bound.pairs,
            outcome=computed.outcome,
            estimate=computed.estimate,
            model=_model_record(planned),
            spell=checked.tokenizer.decode_token,
            device=computed.device,
            threads=computed.threads,
            started=computed.started.isoformat(timespec="seconds"),
            seconds=computed.seconds,
            executor=computed.executor,
            warnings=(
                *checked.warnings,
                *_gapless(computed.outcome, experiment),
                *_through_the_bridge(computed.outcome, experiment),
                *_in_smaller_pieces(computed.outcome, experiment),
            ),
        )
    )


def _model_record(planned: Planned) -> ModelRecord:
    from atpdsl.results.record import ModelRecord

    experiment, files = settled(planned.checked)
    return ModelRecord(
        name=files.name,
        kind=files.kind.value,
        revision=files.revision,
        dtype=experiment.model.dtype,
        weights_sha256=files.weights_digest(),
        tokenizer_sha256=files.tokenizer_digest(),
        shape=planned.plan.bound.shape,
        remote_code=files.remote_code,
    )


def _through_the_bridge(outcome: Outcome, experiment: Experiment) -> tuple[Problem, ...]:
    """A warning where the faster executor would have been taken, and was not."""
    if not outcome.executor_note:
        return ()
    return (
        Problem(
            code="ATP433",
            message=f"run through the bridge, which is slower: {outcome.executor_note}",
            at=Label(experiment.model.span),
            help="write `executor = bridge` in `run { ... }` to choose it",
            severity=Severity.WARNING,
        ),
    )


def _in_smaller_pieces(outcome: Outcome, experiment: Experiment) -> tuple[Problem, ...]:
    """A warning where memory ran out and the run went on with less at once."""
    if not outcome.memory_note:
        return ()
    return (
        Problem(
            code="ATP434",
            message=f"memory ran out: {outcome.memory_note}",
            at=Label(experiment.model.span),
            help="nothing is lost; `memory` or a smaller `batch` in `run { ... }` lets the "
            "next run begin with what fits",
            severity=Severity.WARNING,
        ),
    )


def _gapless(outcome: Outcome, experiment: Experiment) -> tuple[Problem, ...]:
    """A warning for pairs whose two sides have the same metric: nothing can be found there."""
    gaps = abs(outcome.clean_metric - outcome.corrupted_metric)
    flat = [number for number, gap in enumerate(gaps) if gap <= NO_GAP]
    if not flat:
        return ()
    named = ", ".join(str(number) for number in flat[:5]) + (", ..." if len(flat) > 5 else "")
    return (
        Problem(
            code="ATP422",
            message=f"{len(flat)} of {len(gaps)} pairs have no metric gap: the clean and the "
            f"corrupted prompt give the same `{experiment.metric.title}` (pairs {named})",
            at=Label(experiment.prompts.span, "has pairs that show nothing"),
            help="corrupt something that the metric depends on",
            severity=Severity.WARNING,
        ),
    )
