"""What operations read of the unpatched runs that they use."""

from __future__ import annotations

from typing import TypeAlias

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import (
    Contract,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
    PatchSweep,
    Place,
    Side,
    places_of,
)
from atpdsl.planning.plan import Plan
from atpdsl.planning.positions import first_looked_at, reach_of
from atpdsl.planning.rows import pairs_of

Patching: TypeAlias = PatchSweep | PatchChosen | PatchSets | PatchOn


def bases_of(op: Patching) -> tuple[Measure, ...]:
    """What is patched, one per batch."""
    return (op.base,) if isinstance(op, PatchSweep | PatchChosen) else op.bases


def donors_of(op: Patching) -> tuple[Forward, ...]:
    """Where values come from, one per batch."""
    return (op.donor,) if isinstance(op, PatchSweep | PatchChosen) else op.donors


def sets_of(op: Patching) -> tuple[NodeSet, ...]:
    """The nodes that may be patched."""
    match op:
        case PatchSweep(nodes=nodes):
            return (nodes,)
        case PatchSets(sets=sets):
            return sets
        case PatchChosen(chosen=chosen) | PatchOn(chosen=chosen):
            return chosen.sets


def patched_places(op: Patching) -> tuple[Place, ...]:
    """The places whose values are taken from the donor."""
    return tuple(place for nodes in sets_of(op) for place in places_of(nodes))


def held_places(op: Patching, n_layers: int) -> tuple[Place, ...]:
    """The places that are held at the base run's values, for direct effects."""
    layers = range(n_layers) if isinstance(op, PatchChosen) and op.frozen else ()
    return tuple(Place(kind, layer) for kind in ("attn", "mlp") for layer in layers)


def attended_layers(op: Contract) -> tuple[int, ...]:
    """The layers whose attention is read in both runs."""
    attends = op.nodes.kind in ATTENDING and (op.qk_fix or op.saturation)
    return op.nodes.layers if attends else ()


def skips_equal_prefix(op: Contract | Patching) -> bool:
    """Whether nothing is read at nodes before the first difference."""
    return isinstance(op, PatchSets | PatchOn) or op.skip_equal_prefix


def skips_unreachable(op: Patching) -> bool:
    """Whether no node is patched that the metric cannot see."""
    return isinstance(op, PatchSets | PatchOn) or op.skip_unreachable


def latest_start(op: Op, run: Forward, plan: Plan) -> int | None:
    """The last position at which `run` may begin for the sake of `op`, None for any.

    Only where the prompts agree up to there; that is not looked at here.
    """
    match op:
        case Forward(past=past):
            return 0 if past == run else None
        case Measure(forward=forward, reference=reference):
            return first_read(run, plan) if run in (forward, reference) else None
        case Contract(base=base, donor=donor, nodes=nodes):
            if run not in (base, donor):
                return None
            # What a node has to do with the attention of the base run is said of all nodes.
            whole = not op.skip_equal_prefix or (op.saturation and run == base)
            return 0 if whole else _first_of((nodes,), base.side, run, plan)
        case PatchSweep() | PatchChosen() | PatchSets() | PatchOn():
            return _latest_for_patches(op, run, plan)
        case _:
            return None


def _latest_for_patches(op: Patching, run: Forward, plan: Plan) -> int | None:
    bases = [base.forward for base in bases_of(op)]
    is_base, is_donor = run in bases, run in donors_of(op)
    frozen = isinstance(op, PatchChosen) and op.frozen
    if is_base and frozen and not op.incremental:
        return 0
    # Of a base that patched runs do not resume, only the metric is used.
    if not (is_donor or (is_base and op.incremental)):
        return None
    if not skips_equal_prefix(op):
        return 0
    return _first_of(sets_of(op), bases[0].side, run, plan)


def _first_of(sets: tuple[NodeSet, ...], base: Side, run: Forward, plan: Plan) -> int | None:
    pairs = pairs_of(plan, run.batch)
    found = [first_looked_at(pairs, nodes, base, run.side) for nodes in sets]
    return min((at for at in found if at is not None), default=None)


def first_read(run: Forward, plan: Plan) -> int:
    """The first position where the metric reads in a run, over the pairs of its batch."""
    reach = reach_of(plan.bound)
    return min(reach.read(pair, run.side) for pair in pairs_of(plan, run.batch))


def latest_backward(op: Contract, plan: Plan) -> int | None:
    """The last position at which the gradients that an estimate reads may begin."""
    if not op.skip_equal_prefix:
        return 0
    return _first_of((op.nodes,), op.base.side, op.base, plan)
