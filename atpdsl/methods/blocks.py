"""Blocks: random blocks of nodes patched together, the best blocks first."""

from __future__ import annotations

from atpdsl.methods.method import Method, Request
from atpdsl.methods.patched_sets import estimates, whole
from atpdsl.planning.ops import Estimate
from atpdsl.planning.schemes import Blocks
from atpdsl.semantics.signature import Param, Signature

SIZE = 20
"""Nodes in a block where the spec says nothing."""


def lower(request: Request) -> tuple[Estimate, ...]:
    """Fixed blocks, each patched in every pair."""
    size = whole(request.call, "size")
    return estimates(request, Blocks(size=size, seed=request.seed))


BLOCKS = Method(
    signature=Signature(
        name="blocks",
        summary="baseline: fixed random blocks of nodes patched together",
        params=(
            Param(name="size", type="int", default=SIZE, minimum=1, doc="nodes in each block"),
        ),
        estimates=True,
    ),
    exact=False,
    baseline=True,
    paper="Kramar et al. 2024 (AtP*), the baseline Blocks",
    formula="(metric(base run with the node's block set to the donor's values) - metric(base"
    " run)) / nodes in the block",
    lower=lower,
)
