"""Activation patching: the exact effect of every node, one patched run each."""

from __future__ import annotations

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods.method import Method, Request
from atpdsl.planning.ops import Forward, PatchSweep, Reduce, places_of
from atpdsl.planning.plan import Batch
from atpdsl.semantics.signature import Signature


def lower(request: Request) -> tuple[Reduce, ...]:
    """One sweep per node set and batch."""
    return tuple(
        Reduce(
            parts=tuple(_sweep(request, batch, nodes) for batch in request.batches),
            keep_pairs=request.keep_pairs,
        )
        for nodes in request.sets
    )


def _sweep(request: Request, batch: Batch, nodes: NodeSet) -> PatchSweep:
    donor = Forward(batch=batch.number, side=request.donor, captures=places_of(nodes))
    base = request.measure(Forward(batch=batch.number, side=request.base))
    return PatchSweep(base=base, donor=donor, nodes=nodes)


ACTIVATION_PATCHING = Method(
    signature=Signature(
        name="ap",
        summary="activation patching: the exact effect of every node, one run each",
    ),
    exact=True,
    paper="Kramar et al. 2024 (AtP*), section 2: intervention effect I(n; x_clean, x_noise)",
    formula="metric(base run with the node set to the donor's value) - metric(base run)",
    lower=lower,
)
