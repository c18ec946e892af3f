"""From a bound experiment to a plan: every method says itself in operations."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.binding.bind import Bound
from atpdsl.methods import METHODS
from atpdsl.methods.method import Request
from atpdsl.methods.verifying import verifications
from atpdsl.metrics import metric_of
from atpdsl.planning.ops import Forward, Measure, Side
from atpdsl.planning.plan import Batch, MethodOutput, Plan
from atpdsl.planning.positions import equal_prefix
from atpdsl.semantics.experiment import MethodCall

# Rows of a matrix product below this are slow on CPUs, above it they cost only memory.
TOKENS_PER_CALL = 2048
TOKENS_PER_BATCH = 1024


def lower(bound: Bound) -> Plan:
    """The plan for an experiment, before any pass; torch-free."""
    batches = make_batches(bound)
    settled = [METHODS[m.method].settle(m, bound) for m in bound.experiment.methods]
    requests = [_request(bound, batches, call) for call, _ in settled]
    methods = tuple(
        replace(_lower_method(request), note=note)
        for request, (_, note) in zip(requests, settled, strict=True)
    )
    return Plan(
        bound=bound,
        batches=batches,
        rows_per_call=max(1, TOKENS_PER_CALL // bound.pairs.longest),
        clean=_measures(requests[0], Side.CLEAN),
        corrupted=_measures(requests[0], Side.CORRUPTED),
        methods=methods,
        verifications=verifications(bound, requests, methods),
    )


def make_batches(bound: Bound) -> tuple[Batch, ...]:
    """Pairs of like length together, each batch within the token budget.

    Among those of one length pairs that agree up to like positions: what is before the first
    difference in all pairs of a batch need not be run.
    """
    pairs = bound.pairs.pairs
    order = sorted(
        range(len(pairs)), key=lambda i: (len(pairs[i].clean), equal_prefix(pairs[i]))
    )
    size = bound.experiment.run.batch or max(1, TOKENS_PER_BATCH // bound.pairs.longest)
    starts = range(0, len(order), size)
    return tuple(
        Batch(number=number, pairs=tuple(order[start : start + size]))
        for number, start in enumerate(starts)
    )


def _request(bound: Bound, batches: tuple[Batch, ...], call: MethodCall) -> Request:
    experiment = bound.experiment
    return Request(
        call=call,
        sets=bound.nodes,
        batches=batches,
        metric=experiment.metric,
        uses_reference=metric_of(experiment.metric).needs_reference,
        keep_pairs=_keeps_pairs(bound),
        seed=experiment.run.seed,
        diagnosis=experiment.diagnosis,
    )


def _keeps_pairs(bound: Bound) -> bool:
    """Whether something needs the values in each pair: the result, an interval, a bound."""
    experiment = bound.experiment
    uncertainty = experiment.diagnosis.uncertainty
    resampled = uncertainty is not None and uncertainty.bootstrap > 0
    bounds = experiment.diagnosis.subset_sampling is not None
    sequential = experiment.verify is not None and experiment.verify.stop is not None
    return experiment.run.per_pair or resampled or bounds or sequential


def _lower_method(request: Request) -> MethodOutput:
    method = METHODS[request.call.method]
    return MethodOutput(call=request.call, exact=method.exact, reductions=method.lower(request))


def _measures(request: Request, side: Side) -> tuple[Measure, ...]:
    return tuple(
        request.measure(Forward(batch=batch.number, side=side)) for batch in request.batches
    )
