"""What a run will take before it is run, and whether that is within its budgets; torch-free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.budgets import check_memory, check_time
from atpdsl.checked import Planned, settled
from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.planning.estimate import PlanEstimate, estimate, scaled
from atpdsl.planning.rate_cache import Setup, read_rates, write_rates
from atpdsl.planning.rates import Rates, assumed
from atpdsl.planning.target import target_of
from atpdsl.problems import Label
from atpdsl.runtime.threads import planned_threads
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import MethodCall

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Outcome
    from atpdsl.runtime.load import LoadedModel

MEASURED_FROM = 10.0
"""Seconds of a run, as assumed, from which it is worth measuring the machine first."""
TOO_SHORT = 0.05
"""Seconds below which a stage says nothing about the machine's speed."""
NOTHING_RUN = "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What a point will take, and what patching all of its nodes would."""

    run: PlanEstimate
    exhaustive: PlanEstimate


def estimates(planned: Planned, executor: str | None = None) -> Estimates:
    """What a run will take on this machine, from what is known of it."""
    rates = rates_of(setup_of(planned, executor))
    return Estimates(
        run=estimate(planned.plan, rates), exhaustive=exhaustive(planned, rates, executor)
    )


def setup_of(planned: Planned, executor: str | None = None) -> Setup:
    """What the speed of a run depends on."""
    experiment, files = settled(planned.checked)
    return Setup(
        shape=planned.plan.bound.shape,
        dtype=experiment.model.dtype,
        executor=target_of(planned.plan.bound, executor).name,
        device=experiment.run.device,
        threads=planned_threads(files.n_parameters(), requested=experiment.run.threads),
    )


def rates_of(setup: Setup) -> Rates:
    """What is known of a machine's speed, or assumed."""
    return read_rates(setup) or assumed(setup.executor, setup.device, setup.threads)


def exhaustive(planned: Planned, rates: Rates, executor: str | None = None) -> PlanEstimate:
    """What exact patching of every node would take, by the same executor."""
    bound = planned.plan.bound
    plan = lower(_patching_everything(bound))
    return estimate(optimize(plan, target_of(plan.bound, executor)), rates)


def _patching_everything(bound: Bound) -> Bound:
    experiment = bound.experiment
    first = experiment.methods[0]
    everything = MethodCall(label="ap", method="ap", direction=first.direction, span=first.span)
    asked = replace(
        experiment,
        methods=(everything,),
        verify=None,
        diagnosis=Diagnosis(),
        run=replace(experiment.run, memory=None),
    )
    return replace(bound, experiment=asked)


def measure(planned: Planned, executor: str | None = None) -> Rates:
    """Load the model, measure how fast this machine runs it, and remember it.

    Raises:
        RunError: when the model cannot be loaded.
    """
    from atpdsl.runtime.calibrate import calibrate
    from atpdsl.runtime.threads import choose_threads, prepare_environment, using_threads

    prepare_environment()
    from atpdsl.runtime.load import load_model

    experiment, files = settled(planned.checked)
    setup = setup_of(planned, executor)
    model = load_model(
        files,
        setup.shape,
        dtype=setup.dtype,
        device=setup.device,
        at=Label(experiment.model.span),
    )
    choice = choose_threads(files.n_parameters(), requested=experiment.run.threads)
    with using_threads(choice):
        rates = calibrate(model, setup)
    write_rates(setup, rates)
    return rates


class Forecast:
    """A run's estimate: made before it, compared with its budgets, and taught by what it took.

    Args:
        planned: what is run.
        executor: by its name.
        measure: the machine is measured first, if it has not been yet.
    """

    def __init__(self, planned: Planned, executor: str, *, measure: bool = False) -> None:
        self._planned = planned
        self._runs = executor != NOTHING_RUN
        self._setup = setup_of(planned, executor)
        self._rates = rates_of(self._setup)
        self.estimate = estimate(planned.plan, self._rates)
        budget = planned.plan.bound.experiment.run.budget
        self._measure = (
            self._runs
            and not self._rates.calibrated
            and (measure or budget is not None or self.estimate.seconds > MEASURED_FROM)
        )

    def check(self) -> None:
        """Whether memory and time are within the budgets, as far as that is known yet.

        Raises:
            RunError: ATP430 or ATP431 when they are not.
        """
        if not self._runs:
            return
        check_memory(self._planned.plan, self.estimate)
        if not self._measure:
            check_time(self._planned.plan, self.estimate)

    def measured(self, model: LoadedModel) -> None:
        """Measure the machine, where that is wanted, and look at the time again.

        Raises:
            RunError: ATP431 when the run would take longer than it may.
        """
        if not self._measure:
            return
        from atpdsl.runtime.calibrate import calibrate

        self._rates = calibrate(model, self._setup)
        write_rates(self._setup, self._rates)
        self.estimate = estimate(self._planned.plan, self._rates)
        check_time(self._planned.plan, self.estimate)

    def learn(self, outcome: Outcome) -> None:
        """Correct what is known of the machine by what the run took.

        A run that went through another executor than was planned says nothing of this one.
        """
        if not self._runs or outcome.executor not in {"", self._setup.executor}:
            return
        said = scaled(self.estimate, {stage.name: stage.counts for stage in outcome.stages})
        took = {s.name: s.seconds for s in outcome.stages if s.seconds >= TOO_SHORT}
        if took:
            write_rates(self._setup, self._rates.corrected(said, took))
