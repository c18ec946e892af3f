"""Subsampling: random sets of nodes patched together, single nodes told apart by statistics."""

from __future__ import annotations

from atpdsl.methods.method import Method, Request
from atpdsl.methods.patched_sets import estimates, whole
from atpdsl.methods.verifying import scheme_of
from atpdsl.planning.ops import Estimate
from atpdsl.semantics.diagnosis import Partition, SubsetSampling
from atpdsl.semantics.signature import Param, Signature

SAMPLES, INCLUSION = 1000, 0.03
# Sets with less than this share of the nodes would nearly all be empty.
LEAST_INCLUSION, MOST_INCLUSION = 0.0001, 0.5


def lower(request: Request) -> tuple[Estimate, ...]:
    """Random sets, each patched in one pair; the pairs take turns."""
    settings = request.call.settings
    sampling = SubsetSampling(
        samples=whole(request.call, "samples"),
        inclusion=float(settings["inclusion"] or 0.0),
        partition=Partition(str(settings["partition"])),
        span=request.call.span,
    )
    return estimates(request, scheme_of(sampling, request.seed))


SUBSAMPLING = Method(
    signature=Signature(
        name="subsampling",
        summary="baseline: random sets of nodes patched together, told apart by statistics",
        params=(
            Param(
                name="samples",
                type="int",
                default=SAMPLES,
                minimum=2,
                doc="sets that are patched, all pairs together",
            ),
            Param(
                name="inclusion",
                type="share",
                default=INCLUSION,
                minimum=LEAST_INCLUSION,
                maximum=MOST_INCLUSION,
                doc="share of the nodes in each set",
            ),
            Param(
                name="partition",
                type="word",
                default=Partition.INDEPENDENT.value,
                choices=tuple(partition.value for partition in Partition),
                doc="`independent`: each node is in each set with the same probability (the"
                " paper's Algorithm 1); `balanced`: all nodes are dealt into sets, again and"
                " again",
            ),
        ),
        estimates=True,
    ),
    exact=False,
    baseline=True,
    paper="Kramar et al. 2024 (AtP*), the baseline Subsampling (Algorithm 1)",
    formula="mean effect of the random sets that have the node - of those that have not; an"
    " effect is metric(base run with the set at the donor's values) - metric(base run)",
    lower=lower,
    abs_inside=False,
)
