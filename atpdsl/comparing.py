"""Several methods on the same nodes against the exact truth: from a checked spec to a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.checked import Checked, Planned, Study, settled, several
from atpdsl.execution import Shelf, compute, result_of
from atpdsl.methods import METHODS
from atpdsl.methods.compared import compared_methods
from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Contract, Estimate, Op, PatchSets, PatchSweep, Reduce, Side
from atpdsl.planning.outcome import Counts, Outcome
from atpdsl.planning.plan import MethodOutput, Plan, walk
from atpdsl.planning.positions import live_labels, reach_of
from atpdsl.planning.schemes import OnePair, Tree
from atpdsl.problems import Label, Problem, RunError, SpecError
from atpdsl.results.comparison import Comparison, ComparisonRecord, Truth, check_free
from atpdsl.runtime.executor import EXECUTORS, Progress
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import Direction, MethodCall

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from atpdsl.results.compare_methods import Estimation

BACKWARD_WEIGHT = 2.0
"""Forward passes that a backward pass counts as: it has about twice the arithmetic."""
QK_FIX = 2.0
"""Forward passes per pair that the QK fix counts as.

The upper bound of Kramar et al. 2024 for their way to recompute attention. Ours recomputes
softmaxes alone and runs no part of the model.
"""
MOST_FORWARDS = 200_000
"""Patched forwards for the exact truth above which a comparison asks before it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to compare, and how.

    Attributes:
        methods: labels of the spec, labels of `methods.compared.USUAL`, or names of methods;
            if there are none, they are chosen.
        truth: what the size of a true effect is.
        backward_weight: forward passes that a backward pass counts as.
        most_forwards: the most patched forwards that the exact truth may take.
    """

    methods: tuple[str, ...] = ()
    truth: Truth = Truth.ABS_MEAN
    backward_weight: float = BACKWARD_WEIGHT
    most_forwards: int = MOST_FORWARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A comparison that can be run.

    Attributes:
        planned: the spec with the methods that are compared, and nothing else to be done.
        forwards: patched forwards for the exact truth.
        left_out: methods of the usual set that the metric does not allow, and why.
    """

    planned: Planned
    wanted: Wanted
    forwards: int
    left_out: str


def prepare(study: Study, wanted: Wanted) -> Prepared:
    """Plan a comparison.

    Raises:
        SpecError: when the spec has errors or several points, a method is unknown or cannot
            be compared, or the exact truth would take too many forwards (ATP428).
    """
    checked, bound = _only(study)
    calls, left_out = compared_methods(bound, wanted.methods, study.source)
    changed = _with_methods(bound, calls)
    plan = optimize(_with_known(lower(changed)))
    forwards = sum(
        counts(op, plan).forward_sequences for op in walk(plan) if isinstance(op, PatchSweep)
    )
    problem = _impossible(changed, forwards, wanted)
    if problem is not None:
        raise SpecError([problem], study.source)
    planned = Planned(
        checked=replace(checked, experiment=changed.experiment, bound=changed), plan=plan
    )
    return Prepared(planned=planned, wanted=wanted, forwards=forwards, left_out=left_out)


def run_comparison(
    prepared: Prepared, out: Path | None, progress: Progress, *, overwrite: bool = False
) -> Comparison:
    """Run all methods and the exact one, compare them, and save what came out.

    Args:
        prepared: what `prepare` gave.
        out: the folder; `runs/<spec name>-compared` in the current folder if not given.
        progress: where to tell how far it is.
        overwrite: replace what another run left there.

    Raises:
        RunError: when it cannot be run or the result cannot be written.
    """
    from atpdsl.results.assemble import describe_spec
    from atpdsl.results.directory import identity_of

    planned = prepared.planned
    experiment, files = settled(planned.checked)
    folder = out or Path("runs") / f"{experiment.name}-compared"
    identity = identity_of(describe_spec(experiment), files.weights_digest())
    try:
        check_free(folder, identity, overwrite=overwrite)
        computed = compute(planned, experiment.run.executor, progress, Shelf())
        result = result_of(planned, computed)
    except RunError as error:
        raise RunError(error.problems, planned.checked.source) from error
    record = _record(prepared, computed.outcome)
    return Comparison(record, result).save(folder, overwrite=overwrite)


def _only(study: Study) -> tuple[Checked, Bound]:
    if study.errors:
        raise SpecError(study.problems, study.source)
    if len(study.points) != 1:
        name = study.program.variables[0]
        advice = f"compare one point: `-p {name}=VALUE`, with each of these names"
        raise SpecError([replace(several(study), help=advice)], study.source)
    checked = study.points[0]
    if checked.bound is None:
        raise SpecError(study.problems, study.source)
    return checked, checked.bound


def _with_methods(bound: Bound, calls: tuple[MethodCall, ...]) -> Bound:
    """The spec with other methods, and without what is about single ones of its own."""
    experiment = replace(
        bound.experiment,
        methods=calls,
        verify=None,
        diagnosis=Diagnosis(),
        circuit=None,
        expectations=(),
        exports=(),
    )
    return replace(bound, experiment=experiment)


def _with_known(plan: Plan) -> Plan:
    """Exact effects in each pair, for the searches that would measure single nodes again."""
    exact = {
        m.call.direction: tuple(
            replace(r, keep_pairs=True) for r in m.reductions if isinstance(r, Reduce)
        )
        for m in plan.methods
        if m.exact
    }

    def change(method: MethodOutput) -> MethodOutput:
        known = exact[method.call.direction]
        if method.exact:
            return replace(method, reductions=known)
        return replace(method, reductions=tuple(_knowing(r, known) for r in method.reductions))

    return replace(plan, methods=tuple(change(method) for method in plan.methods))


def _knowing(op: Reduce | Estimate, known: tuple[Reduce, ...]) -> Reduce | Estimate:
    """A search that measures single nodes on the way, with their effects."""
    if isinstance(op, Estimate) and isinstance(op.source.scheme, OnePair | Tree):
        return replace(op, source=replace(op.source, known=known))
    return op


def _impossible(bound: Bound, forwards: int, wanted: Wanted) -> Problem | None:
    experiment = bound.experiment
    if not EXECUTORS[experiment.run.executor].needs_model:
        return Problem(
            code="ATP428",
            message=f"the executor `{experiment.run.executor}` computes nothing to compare",
            help="remove `executor` from `run { ... }`",
        )
    if not forwards:
        return Problem(
            code="ATP428",
            message="there is nothing to compare: the prompts of every pair agree up to the"
            " last of these nodes, so all effects are 0",
            at=Label(experiment.nodes[0].span),
            help="choose nodes from the first differing token on",
        )
    if forwards <= wanted.most_forwards:
        return None
    return Problem(
        code="ATP428",
        message=f"the exact truth of these nodes takes {forwards:,} forwards, more than"
        f" {wanted.most_forwards:,}",
        at=Label(
            experiment.nodes[0].span,
            f"{bound.node_count:,} nodes in {len(bound.pairs):,} pairs",
        ),
        help="choose fewer nodes, layers or pairs, or allow it with"
        f" `--most-forwards {forwards}`",
    )


def candidates(bound: Bound, base: Side) -> NDArray[np.bool_]:
    """[N] the nodes that some pair has, and that are not zero by construction there."""
    import numpy as np

    pairs, reach = bound.pairs.pairs, reach_of(bound)
    live = [np.array(live_labels(pairs, nodes, base, reach)) for nodes in bound.nodes]
    return np.concatenate(
        [
            np.broadcast_to(table[:, None], nodes.shape).reshape(-1)
            for table, nodes in zip(live, bound.nodes, strict=True)
        ]
    )


def estimation(bound: Bound, call: MethodCall, backward_weight: float) -> Estimation:
    """What the estimates of a method cost when it is run alone.

    The metric of both prompts is not counted, where the method does not need it.
    """
    from atpdsl.results.compare_methods import Estimation

    plan = optimize(lower(_with_methods(bound, (call,))))
    ops = tuple(walk(replace(plan, clean=(), corrupted=())))
    total = sum((counts(op, plan) for op in ops), Counts())
    sets = sum(counts(op, plan).forward_sequences for op in ops if isinstance(op, PatchSets))
    layers, pairs = bound.shape.n_layers, len(bound.pairs)
    backwards = total.layer_backwards * backward_weight / layers
    runs = (total.forward_sequences - sets + backwards) / pairs
    return Estimation(
        runs=runs + (QK_FIX if any(_fixes(op) for op in ops) else 0.0),
        sets=sets / pairs,
        counts=total,
    )


def _fixes(op: Op) -> bool:
    return isinstance(op, Contract) and op.qk_fix


def _record(prepared: Prepared, outcome: Outcome) -> ComparisonRecord:
    from atpdsl.results.compare_methods import compare_methods

    bound, wanted = prepared.planned.plan.bound, prepared.wanted
    experiment = bound.experiment
    exact, compared = compare_methods(
        outcome,
        {
            call.label: estimation(bound, call, wanted.backward_weight)
            for call in experiment.methods
            if not METHODS[call.method].exact
        },
        _candidates(bound),
        wanted.truth,
    )
    return ComparisonRecord(
        spec=experiment.name,
        point=dict(experiment.point),
        model=experiment.model.name,
        metric=experiment.metric.title,
        pairs=len(bound.pairs),
        nodes=bound.node_count,
        truth=wanted.truth.value,
        backward_weight=wanted.backward_weight,
        exact=exact,
        methods=compared,
    )


def _candidates(bound: Bound) -> Mapping[Direction, NDArray[np.bool_]]:
    return {
        Direction.NOISING: candidates(bound, Side.CLEAN),
        Direction.DENOISING: candidates(bound, Side.CORRUPTED),
    }
