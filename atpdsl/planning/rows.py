"""Patched runs, and how they are put into calls of the model.

Which call a row is in changes no number, but it decides what has to be computed beside it: a
call that resumes runs goes over all positions from the first one that any of its rows changes
to the last one that any of its rows reads. So the order of rows is settled here, for the
executors and for what they are said to cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.planning.ops import Forward, PatchChosen, PatchOn, PatchSets, PatchSweep, Side
from atpdsl.planning.plan import Plan
from atpdsl.planning.positions import Skips, patches, reach_of


@dataclass(frozen=True, slots=True, order=True)
class RowRun:
    """Patched runs that are alike: `count` rows with a node in `layer`.

    Attributes:
        first: the first position that they change.
        read: the position that the metric reads.

    Rows that are resumed are run in the order of these values: those that begin at the same
    position together, joining in where their layer comes.
    """

    first: int
    read: int
    layer: int
    count: int


def skips_of(op: PatchSweep | PatchChosen | PatchSets | PatchOn, plan: Plan) -> Skips:
    """Which patches an operation does not run because they are zero."""
    if isinstance(op, PatchSets | PatchOn):
        return Skips(True, reach_of(plan.bound))
    return Skips(op.skip_equal_prefix, reach_of(plan.bound) if op.skip_unreachable else None)


def pairs_of(plan: Plan, batch: int) -> tuple[TokenPair, ...]:
    """The pairs of a batch."""
    return tuple(plan.bound.pairs.pairs[i] for i in plan.batches[batch].pairs)


def width(plan: Plan, batch: int, side: Side) -> int:
    """Tokens of a batch's prompts on one side, padding included."""
    clean = side is Side.CLEAN
    return max(len(pair.clean if clean else pair.corrupted) for pair in pairs_of(plan, batch))


def row_runs(
    pairs: Sequence[TokenPair], nodes: NodeSet, base: Side, skips: Skips
) -> tuple[RowRun, ...]:
    """One row for every node and pair where patching can matter, in order."""
    per_layer: dict[bool, Counter[tuple[int, int]]] = {}
    found = []
    for layer in nodes.layers:
        ends = skips.reach is not None and skips.reach.ends(nodes, layer)
        if ends not in per_layer:
            here = patches(pairs, nodes, layer, base, skips)
            per_layer[ends] = Counter((patch.first, patch.read) for patch in here)
        found += [
            RowRun(first, read, layer, count * len(nodes.indices))
            for (first, read), count in per_layer[ends].items()
        ]
    return tuple(sorted(found))


def token_layers(runs: Sequence[RowRun], tokens_per_call: int, n_layers: int) -> int:
    """(token, layer) pairs that go through a block when the rows are resumed.

    A row goes through the layers from its own on, and through all positions of its call.
    """
    return sum(call.positions * call.layers for call in _calls(runs, tokens_per_call, n_layers))


def calls_of(runs: Sequence[RowRun], tokens_per_call: int) -> Iterator[int]:
    """How many rows each call takes, of rows in the order of `runs`.

    A call takes rows while they and the positions that it goes over are not more than so many
    tokens; one row in any case.
    """
    return (call.rows for call in _calls(runs, tokens_per_call, 0))


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the model: its rows, the positions it goes over, and its rows' layers."""

    rows: int = 0
    first: int = 0
    last: int = -1
    layers: int = 0

    @property
    def positions(self) -> int:
        return self.last - self.first + 1

    def wider(self, run: RowRun) -> _Call:
        """With the positions of `run`, but none of its rows yet."""
        if not self.rows:
            return _Call(0, run.first, run.read, 0)
        first, last = min(self.first, run.first), max(self.last, run.read)
        return _Call(self.rows, first, last, self.layers)

    def with_rows(self, count: int, layers: int) -> _Call:
        return _Call(self.rows + count, self.first, self.last, self.layers + count * layers)


def _calls(runs: Sequence[RowRun], tokens: int, n_layers: int) -> Iterator[_Call]:
    call = _Call()
    for run in runs:
        left = run.count
        while left:
            wider = call.wider(run)
            some = min(left, max(tokens // wider.positions, 1) - call.rows)
            if some <= 0:
                yield call
                call = _Call()
                continue
            call = wider.with_rows(some, n_layers - run.layer)
            left -= some
    if call.rows:
        yield call


def most_token_layers(op: PatchChosen | PatchSets | PatchOn, plan: Plan) -> int:
    """The most (token, layer) pairs that one row of an operation goes through."""
    bases = (op.base,) if isinstance(op, PatchChosen) else op.bases
    n_layers = plan.bound.shape.n_layers
    if not op.incremental:
        return n_layers * max(_width_of(base.forward, plan) for base in bases)
    sets = op.sets if isinstance(op, PatchSets) else op.chosen.sets
    skips = skips_of(op, plan)
    tokens = [0]
    for base in bases:
        pairs, side = pairs_of(plan, base.forward.batch), base.forward.side
        # Nothing can matter in a later layer that cannot in the first one.
        lowest = [replace(nodes, layers=nodes.layers[:1]) for nodes in sets]
        runs = [run for nodes in lowest for run in row_runs(pairs, nodes, side, skips)]
        if runs:
            tokens.append(1 + max(r.read for r in runs) - min(r.first for r in runs))
    return max(tokens) * (n_layers - min(nodes.layers[0] for nodes in sets))


def _width_of(run: Forward, plan: Plan) -> int:
    return width(plan, run.batch, run.side)
