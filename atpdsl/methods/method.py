"""What a method is: a signature and a way to say itself in operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import Estimate, Forward, Measure, Reduce, Side
from atpdsl.planning.plan import Batch
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import Direction, MethodCall, MetricCall
from atpdsl.semantics.signature import Signature

Settle: TypeAlias = Callable[[MethodCall, Bound], tuple[MethodCall, str]]
"""What depends on the pairs or nodes settled; and what was settled, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a method is asked for.

    Attributes:
        uses_reference: the metric measures a distance from the clean run's logits.
        keep_pairs: per-pair values are wanted, not only their statistics.
        seed: for what is drawn.
        diagnosis: diagnostics that are computed beside the estimates.
    """

    call: MethodCall
    sets: tuple[NodeSet, ...]
    batches: tuple[Batch, ...]
    metric: MetricCall
    uses_reference: bool
    keep_pairs: bool
    seed: int = 0
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    @property
    def base(self) -> Side:
        """The run that is patched."""
        noising = self.call.direction is Direction.NOISING
        return Side.CLEAN if noising else Side.CORRUPTED

    @property
    def donor(self) -> Side:
        """The run that values are taken from."""
        return Side.CORRUPTED if self.base is Side.CLEAN else Side.CLEAN

    def measure(self, forward: Forward) -> Measure:
        """The metric of a run, with the reference that it needs."""
        reference = Forward(batch=forward.batch, side=Side.CLEAN)
        return Measure(
            forward=forward,
            metric=self.metric,
            reference=reference if self.uses_reference else None,
        )


def as_written(call: MethodCall, bound: Bound) -> tuple[MethodCall, str]:  # noqa: ARG001
    """Nothing to settle."""
    return call, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method.

    Attributes:
        exact: gives effects, not estimates.
        baseline: one of the paper's baselines, to compare with.
        ordinal: its estimates are only an order, not in units of the metric.
        abs_inside: absolute values are taken pair by pair, before the mean.
        paper: where it is defined.
        formula: what it computes per pair, in one line.
        lower: the method as one operation per node set, in the order of `Request.sets`.
        settle: settles what depends on the pairs and nodes, before it is lowered; the call
            that it gives back may be one of another method.
        formula_of: the formula of a call with settings, where they change it.
    """

    signature: Signature
    exact: bool
    paper: str
    formula: str
    lower: Callable[[Request], tuple[Reduce | Estimate, ...]]
    baseline: bool = False
    ordinal: bool = False
    abs_inside: bool = True
    settle: Settle = as_written
    formula_of: Callable[[MethodCall], str] | None = None

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.signature.name

    def formula_for(self, call: MethodCall) -> str:
        """What a call computes per pair, in one line."""
        return self.formula if self.formula_of is None else self.formula_of(call)
