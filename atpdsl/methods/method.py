"""What a method is: a signature and a way to say itself in operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import Forward, Measure, Reduce, Side
from atpdsl.planning.plan import Batch
from atpdsl.semantics.experiment import Direction, MethodCall, MetricCall
from atpdsl.semantics.signature import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a method is asked for.

    Attributes:
        uses_reference: the metric measures a distance from the clean run's logits.
        keep_pairs: per-pair values are wanted, not only their statistics.
    """

    call: MethodCall
    sets: tuple[NodeSet, ...]
    batches: tuple[Batch, ...]
    metric: MetricCall
    uses_reference: bool
    keep_pairs: bool

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method.

    Attributes:
        exact: gives effects, not estimates.
        paper: where it is defined.
        formula: what it computes per pair, in one line.
        lower: the method as one reduction per node set, in the order of `Request.sets`.
    """

    signature: Signature
    exact: bool
    paper: str
    formula: str
    lower: Callable[[Request], tuple[Reduce, ...]]

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.signature.name
