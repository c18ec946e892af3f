"""Nodes in random order: what an estimate must beat to be worth anything."""

from __future__ import annotations

from atpdsl.methods.method import Method, Request
from atpdsl.methods.patched_sets import estimates
from atpdsl.planning.ops import Estimate
from atpdsl.planning.schemes import Shuffle
from atpdsl.semantics.signature import Signature


def lower(request: Request) -> tuple[Estimate, ...]:
    """A draw; nothing is patched."""
    return estimates(request, Shuffle(seed=request.seed))


RANDOM = Method(
    signature=Signature(
        name="random",
        summary="baseline: nodes in random order, nothing is run",
        estimates=True,
    ),
    exact=False,
    baseline=True,
    ordinal=True,
    paper="no method of the paper: the order that knows nothing",
    formula="the node's place in a random order, scaled to (0, 1]",
    lower=lower,
)
