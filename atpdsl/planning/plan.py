"""A plan: what to compute, for which batches, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.planning.ops import (
    Estimate,
    Forward,
    Measure,
    Op,
    PatchOn,
    PatchSets,
    Reduce,
    Select,
    Take,
    batch_of,
    operands,
)
from atpdsl.semantics.experiment import Direction, MethodCall

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Pairs that run together, by number in the token pairs."""

    number: int
    pairs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOutput:
    """A method's results, one reduction per node set.

    Attributes:
        call: with settings that depend on the number of pairs settled.
        note: what was settled so, and why; empty where nothing was.
    """

    call: MethodCall
    exact: bool
    reductions: tuple[Reduce | Estimate, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutput:
    """Exact effects of chosen nodes, for the estimates named by `labels`.

    Attributes:
        direct: exact direct effects of the same nodes, if asked for.
        bound: what bounds the effects of the others, if asked for.
        more: the verification that goes on from the bound, if asked for.
    """

    labels: tuple[str, ...]
    direction: Direction
    chosen: Select
    effects: Reduce | Take
    direct: Reduce | None = None
    bound: PatchSets | None = None
    more: PatchOn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Outputs as operations, with what they run on.

    Attributes:
        rows_per_call: the most sequences in one patched forward.
        streams_per_call: how many numbers GradDrop's gradients may have that go through a
            block in one batched backward; None leaves it to the executor.
        clean, corrupted: the metric of both sides, one operation per batch.
        passes: the names of those that it has gone through.
    """

    bound: Bound
    batches: tuple[Batch, ...]
    rows_per_call: int
    clean: tuple[Measure, ...]
    corrupted: tuple[Measure, ...]
    methods: tuple[MethodOutput, ...]
    verifications: tuple[VerifyOutput, ...]
    streams_per_call: int | None = None
    passes: tuple[str, ...] = field(default=(), compare=False)

    def outputs(self) -> tuple[Op, ...]:
        """Everything that was asked for."""
        found: list[Op] = [*self.clean, *self.corrupted]
        for method in self.methods:
            found.extend(method.reductions)
            # Beside the estimates it holds the order in which a search found the nodes.
            found.extend(r.source for r in method.reductions if isinstance(r, Estimate))
        for verification in self.verifications:
            found.extend((verification.chosen, verification.effects))
            others = (verification.direct, verification.bound, verification.more)
            found.extend(op for op in others if op is not None)
        return tuple(found)

    def to_networkx(self) -> networkx.DiGraph:
        """The operations as a graph: nodes are numbered in the order in which they run.

        Node attributes: `op` (the kind of operation), `batch` (-1 for all). An edge goes
        from an operation to one that uses it.
        """
        import networkx

        order = schedule(self)
        number = {op: i for i, op in enumerate(order)}
        graph = networkx.DiGraph()
        for op, i in number.items():
            batch = batch_of(op)
            graph.add_node(i, op=type(op).__name__, batch=-1 if batch is None else batch)
            graph.add_edges_from((number[operand], i) for operand in operands(op))
        return graph


def walk(plan: Plan) -> Iterator[Op]:
    """Every operation once, operands before their users."""
    done: set[Op] = set()
    for output in plan.outputs():
        yield from _walk(output, done)


def _walk(op: Op, done: set[Op]) -> Iterator[Op]:
    if op in done:
        return
    for operand in operands(op):
        yield from _walk(operand, done)
    done.add(op)
    yield op


def schedule(plan: Plan) -> tuple[Op, ...]:
    """The order of execution: batch after batch, so that a batch's tensors can be freed.

    What depends on a choice of nodes runs after all batches of what it is chosen from. Runs
    that are repeated for it come with it, batch by batch.
    """
    order = tuple(walk(plan))
    phase: dict[Op, int] = {}
    for op in order:
        before = [phase[operand] for operand in operands(op)]
        phase[op] = max(before, default=0) + isinstance(op, Select | PatchSets | PatchOn)
    _delay(order, phase)
    last = len(plan.batches)
    position = {
        op: (phase[op], last if (batch := batch_of(op)) is None else batch, count)
        for count, op in enumerate(order)
    }
    return tuple(sorted(position, key=lambda op: _after_its_phase(op, position[op])))


def _delay(order: tuple[Op, ...], phase: dict[Op, int]) -> None:
    """Put repeated runs, and what is measured of them, into the phase of their first user."""
    first_use: dict[Op, int] = {}
    for op in reversed(order):
        run = op.forward if isinstance(op, Measure) else op
        if isinstance(run, Forward) and run.again:
            phase[op] = first_use.get(op, phase[op])
        for operand in operands(op):
            first_use[operand] = min(phase[op], first_use.get(operand, phase[op]))


def _after_its_phase(op: Op, key: tuple[int, int, int]) -> tuple[int, int, int, int]:
    phase, batch, count = key
    # A choice opens its phase: everything in the phase may depend on it.
    return (phase, 0 if isinstance(op, Select | PatchSets | PatchOn) else 1, batch, count)
