"""From a bound experiment to a plan: every method says itself in operations."""

from __future__ import annotations

from atpdsl.binding.bind import Bound
from atpdsl.methods import METHODS, Request
from atpdsl.metrics import metric_of
from atpdsl.planning.ops import (
    Forward,
    Measure,
    PatchChosen,
    Ranking,
    Reduce,
    Select,
    Side,
    Take,
    places_of,
)
from atpdsl.planning.plan import Batch, MethodOutput, Plan, VerifyOutput
from atpdsl.semantics.experiment import Direction, MethodCall, VerifyCall

# Rows of a matrix product below this are slow on CPUs, above it they cost only memory.
TOKENS_PER_CALL = 2048
TOKENS_PER_BATCH = 1024


def lower(bound: Bound) -> Plan:
    """The plan for an experiment, before any pass; torch-free."""
    batches = make_batches(bound)
    request = _request(bound, batches, bound.experiment.methods[0])
    methods = tuple(
        _lower_method(_request(bound, batches, call)) for call in bound.experiment.methods
    )
    verify = bound.experiment.verify
    return Plan(
        bound=bound,
        batches=batches,
        rows_per_call=max(1, TOKENS_PER_CALL // bound.pairs.longest),
        clean=_measures(request, Side.CLEAN),
        corrupted=_measures(request, Side.CORRUPTED),
        methods=methods,
        verifications=() if verify is None else _verify(bound, batches, methods, verify),
    )


def make_batches(bound: Bound) -> tuple[Batch, ...]:
    """Pairs of like length together, each batch within the token budget."""
    pairs = bound.pairs.pairs
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].clean))
    size = bound.experiment.run.batch or max(1, TOKENS_PER_BATCH // bound.pairs.longest)
    starts = range(0, len(order), size)
    return tuple(
        Batch(number=number, pairs=tuple(order[start : start + size]))
        for number, start in enumerate(starts)
    )


def _request(bound: Bound, batches: tuple[Batch, ...], call: MethodCall) -> Request:
    return Request(
        call=call,
        sets=bound.nodes,
        batches=batches,
        metric=bound.experiment.metric,
        uses_reference=metric_of(bound.experiment.metric).needs_reference,
        keep_pairs=bound.experiment.run.per_pair,
    )


def _lower_method(request: Request) -> MethodOutput:
    method = METHODS[request.call.method]
    return MethodOutput(call=request.call, exact=method.exact, reductions=method.lower(request))


def _measures(request: Request, side: Side) -> tuple[Measure, ...]:
    return tuple(
        request.measure(Forward(batch=batch.number, side=side)) for batch in request.batches
    )


def _verify(
    bound: Bound,
    batches: tuple[Batch, ...],
    methods: tuple[MethodOutput, ...],
    verify: VerifyCall,
) -> tuple[VerifyOutput, ...]:
    """One choice of nodes per direction, so that no node is patched twice."""
    outputs = []
    for direction in Direction:
        wanted = tuple(
            m
            for m in methods
            if m.call.label in verify.methods and m.call.direction is direction
        )
        if wanted:
            exact = next(
                (m for m in methods if m.exact and m.call.direction is direction), None
            )
            request = _request(bound, batches, wanted[0].call)
            chosen = _select(bound, wanted, verify)
            outputs.append(_verify_one(request, chosen, exact))
    return tuple(outputs)


def _select(bound: Bound, methods: tuple[MethodOutput, ...], verify: VerifyCall) -> Select:
    return Select(
        rankings=tuple(Ranking(label=m.call.label, estimates=m.reductions) for m in methods),
        sets=bound.nodes,
        top=verify.top,
        random=verify.random,
        seed=bound.experiment.run.seed,
    )


def _verify_one(request: Request, chosen: Select, exact: MethodOutput | None) -> VerifyOutput:
    labels = tuple(ranking.label for ranking in chosen.rankings)
    if exact is not None:
        return VerifyOutput(
            labels=labels,
            chosen=chosen,
            effects=Take(chosen=chosen, source=exact.reductions),
        )
    places = tuple(sorted({p for nodes in chosen.sets for p in places_of(nodes)}))
    parts = tuple(
        PatchChosen(
            base=request.measure(Forward(batch=batch.number, side=request.base)),
            donor=Forward(batch=batch.number, side=request.donor, captures=places),
            chosen=chosen,
        )
        for batch in request.batches
    )
    effects = Reduce(parts=parts, keep_pairs=request.keep_pairs)
    return VerifyOutput(labels=labels, chosen=chosen, effects=effects)
