"""What a plan will take, stage by stage: passes, operations, memory and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atpdsl.planning.cost import BOUNDED, STAGES, WHAT, counts, stage_of
from atpdsl.planning.memory import stage_bytes, weight_bytes
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rates import Rates
from atpdsl.planning.work import Works


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEstimate:
    """What one stage will take.

    Attributes:
        flops: floating-point operations.
        memory: the most bytes of activations alive while it works.
        seconds: time; without loading the model.
        at_most: which nodes are patched is not known yet, so these are upper bounds.
    """

    stage: str
    what: str
    counts: Counts
    flops: int
    memory: int
    seconds: float
    at_most: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEstimate:
    """What a plan will take.

    Attributes:
        weights: bytes of the model.
        calibrated: times come from measurements on this machine.
    """

    stages: tuple[StageEstimate, ...]
    weights: int
    calibrated: bool

    @property
    def flops(self) -> int:
        """Floating-point operations of all stages."""
        return sum(stage.flops for stage in self.stages)

    @property
    def seconds(self) -> float:
        """Time of all stages."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def memory(self) -> int:
        """Bytes at most, of weights and activations together."""
        return self.weights + self.activations

    @property
    def activations(self) -> int:
        """Bytes of activations, at most."""
        return max((stage.memory for stage in self.stages), default=0)

    @property
    def at_most(self) -> bool:
        """Whether a part of it is an upper bound."""
        return any(stage.at_most for stage in self.stages)


def estimate(plan: Plan, rates: Rates) -> PlanEstimate:
    """What a plan will take with such rates; torch-free."""
    works = Works(plan)
    passes: dict[str, Counts] = {}
    flops: dict[str, int] = {}
    seconds: dict[str, float] = {}
    bounded: set[str] = set()
    for op in schedule(plan):
        stage, cost = stage_of(op), counts(op, plan)
        if cost != Counts():
            passes[stage] = passes.get(stage, Counts()) + cost
            bounded |= {stage} if isinstance(op, BOUNDED) else set()
        work = works.of(op, cost)
        if work is not None:
            flops[stage] = flops.get(stage, 0) + work.flops
            seconds[stage] = seconds.get(stage, 0.0) + rates.seconds(work, stage)
    memory = stage_bytes(plan)
    return PlanEstimate(
        stages=tuple(
            StageEstimate(
                stage=stage,
                what=WHAT[stage],
                counts=passes[stage],
                flops=flops.get(stage, 0),
                memory=memory.get(stage, 0),
                seconds=seconds.get(stage, 0.0),
                at_most=stage in bounded,
            )
            for stage in STAGES
            if stage in passes
        ),
        weights=weight_bytes(plan),
        calibrated=rates.calibrated,
    )


def scaled(estimated: PlanEstimate, ran: Mapping[str, Counts]) -> dict[str, float]:
    """Seconds that each stage would have been said to take, had its passes been known.

    Args:
        ran: the passes that a run made, by stage. Where fewer nodes were patched than the plan
            had to count on, the time shrinks with them.
    """
    found = {}
    for stage in estimated.stages:
        planned = stage.counts.forward_layers
        made = ran.get(stage.stage, Counts()).forward_layers
        share = made / planned if stage.at_most and planned else 1.0
        found[stage.stage] = stage.seconds * share
    return found
