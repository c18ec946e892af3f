"""Attribution patching: a first-order estimate of every node's effect from one backward."""

from __future__ import annotations

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods.method import Method, Request
from atpdsl.planning.ops import Backward, Contract, Forward, Reduce, places_of
from atpdsl.planning.plan import Batch
from atpdsl.semantics.signature import Signature


def lower(request: Request) -> tuple[Reduce, ...]:
    """One contraction per node set and batch; passes merge the runs they ask for."""
    return tuple(
        Reduce(
            parts=tuple(_contract(request, batch, nodes) for batch in request.batches),
            keep_pairs=request.keep_pairs,
        )
        for nodes in request.sets
    )


def _contract(request: Request, batch: Batch, nodes: NodeSet) -> Contract:
    places = places_of(nodes)
    number = batch.number
    base = Forward(batch=number, side=request.base, captures=places, tracked=True)
    donor = Forward(batch=number, side=request.donor, captures=places)
    gradient = Backward(measure=request.measure(base), places=places)
    return Contract(base=base, donor=donor, gradient=gradient, nodes=nodes)


ATP = Method(
    signature=Signature(
        name="atp",
        summary="attribution patching: first-order estimates from two runs and a backward",
        estimates=True,
    ),
    exact=False,
    paper="Nanda 2022; Kramar et al. 2024 (AtP*), eqs. 4 and 5",
    formula="(node's value in the donor run - in the base run) . d metric / d node at the base",
    lower=lower,
)
