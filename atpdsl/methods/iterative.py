"""Iterative: single nodes patched in random order, the baseline that assumes nothing."""

from __future__ import annotations

from atpdsl.methods.method import Method, Request
from atpdsl.methods.patched_sets import estimates
from atpdsl.planning.ops import Estimate
from atpdsl.planning.schemes import OnePair
from atpdsl.semantics.signature import Signature


def lower(request: Request) -> tuple[Estimate, ...]:
    """Every node alone, each in one pair."""
    return estimates(request, OnePair(seed=request.seed))


ITERATIVE = Method(
    signature=Signature(
        name="iterative",
        summary="baseline: every node patched alone in one pair, in random order",
        estimates=True,
    ),
    exact=False,
    baseline=True,
    ordinal=True,
    paper="Kramar et al. 2024 (AtP*), the baseline Iterative (brute force)",
    formula="metric(base run with the node set to the donor's value) - metric(base run), in"
    " one pair only",
    lower=lower,
)
