"""Attribution patching: estimates of every node's effect from one backward, and AtP*.

`atp` is the plain first-order estimate, `atp*` the same with both corrections of the paper on:
the QK fix and GradDrop. They are one method with other defaults.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods.method import Method, Request
from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import Backward, Contract, Drop, Forward, Place, Reduce, places_of
from atpdsl.planning.plan import Batch
from atpdsl.semantics.experiment import MethodCall
from atpdsl.semantics.signature import Param, Signature

AUTO, ON = "auto", "on"
FEW_PAIRS = 8
"""Pairs up to which `grad_drop = auto` drops every layer, in models of more than `SHALLOW`.

Over many pairs a cancellation that is brittle is broken by the mean of absolute values, and
GradDrop's backwards are paid for every pair (Kramar et al. 2024, section 5).
"""
SHALLOW = 3
"""Layers up to which `auto` drops none: the magnitude is a mean over the other layers, and a
node all of whose paths go through each of those is estimated as nothing."""


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
    call, diagnosis, number = request.call, request.diagnosis, batch.number
    attends = nodes.kind in ATTENDING
    fix = attends and bool(call.settings.get("qk_fix", False))
    saturation = attends and diagnosis.saturation is not None
    cancellation = diagnosis.cancellation is not None
    drop = Drop(str(call.settings.get("grad_drop", Drop.OFF.value)))
    drops = {drop} - {Drop.OFF} | ({Drop.FIRST_READER} if cancellation else set())
    places = places_of(nodes)
    # The fix needs the attention of these layers, and the gradient at its output. Saturation
    # compares plain AtP with it, and so wants it in any case.
    kept = nodes.layers if fix or saturation else ()
    outputs = tuple(Place("heads.z", layer) for layer in kept)
    reached = tuple(sorted({*places, *outputs}))
    base = Forward(
        batch=number,
        side=request.base,
        captures=reached,
        tracked=True,
        attention=kept,
        segmented=bool(drops),
    )
    donor = Forward(batch=number, side=request.donor, captures=places, attention=kept)
    gradient = Backward(
        measure=request.measure(base), places=reached, drops=tuple(sorted(drops))
    )
    return Contract(
        base=base,
        donor=donor,
        gradient=gradient,
        nodes=nodes,
        qk_fix=fix,
        drop=drop,
        cancellation=cancellation,
        saturation=saturation,
    )


def settle(call: MethodCall, bound: Bound) -> tuple[MethodCall, str]:
    """`grad_drop = auto` by the number of pairs."""
    asked = call.settings.get("grad_drop", Drop.OFF)
    pairs = len(bound.pairs)
    if asked != AUTO:
        chosen = Drop.EVERY_LAYER.value if asked == ON else asked
        return _with_drop(call, str(chosen)), ""
    count = f"{pairs} pair{'s' if pairs != 1 else ''}"
    layers = bound.shape.n_layers
    if layers <= SHALLOW:
        note = (
            f"grad_drop = off, because the model has only {layers} layer"
            f"{'s' if layers != 1 else ''}: without one of them hardly any path is left"
        )
        return _with_drop(call, Drop.OFF.value), note
    if pairs <= FEW_PAIRS:
        are = "is" if pairs == 1 else "are"
        note = f"grad_drop = every_layer, because there {are} only {count}"
        return _with_drop(call, Drop.EVERY_LAYER.value), note
    note = (
        f"grad_drop = off, because {count} are more than {FEW_PAIRS}: their mean of absolute"
        " values breaks brittle cancellations by itself"
    )
    return _with_drop(call, Drop.OFF.value), note


def _with_drop(call: MethodCall, drop: str) -> MethodCall:
    settings = {**call.settings, "grad_drop": drop}
    return replace(call, settings=MappingProxyType(settings))


_FORMULA = "(node's value in the donor run - in the base run) . d metric / d node at the base"
_FIXED = (
    "; for queries and keys (attention's output with the exact new pattern - in the base run)"
    " . d metric / d output"
)
_DROPPED = {
    Drop.EVERY_LAYER: "the mean over layers, each dropped from the gradient in turn",
    Drop.EVERY_SUBLAYER: "the mean over attentions and MLPs, each dropped from the gradient",
    Drop.FIRST_READER: "the mean over layers, each dropped as the first reader",
}


def formula_of(call: MethodCall) -> str:
    """The formula with the corrections that are on."""
    formula = _FORMULA
    if call.settings.get("qk_fix"):
        formula += _FIXED
    drop = Drop(str(call.settings.get("grad_drop", Drop.OFF.value)))
    if drop is not Drop.OFF:
        formula += f"; the magnitude is {_DROPPED[drop]}"
    return formula


def _params(*, star: bool) -> tuple[Param, ...]:
    return (
        Param(
            name="qk_fix",
            type="bool",
            default=star,
            doc="compute the change of attention exactly for queries and keys, where it may be"
            " saturated",
        ),
        Param(
            name="grad_drop",
            type="word",
            default=AUTO if star else Drop.OFF.value,
            choices=(Drop.OFF.value, ON, *(d.value for d in Drop if d is not Drop.OFF), AUTO),
            doc="drop layers from the gradient one at a time, so that paths cannot cancel:"
            " `every_layer` (the paper's; `on` is the same), `every_sublayer` (attention and"
            " MLP apart), `first_reader` (an approximation without more backward passes);"
            f" `auto` is every layer for up to {FEW_PAIRS} pairs in models of more than"
            f" {SHALLOW} layers, and off otherwise",
        ),
    )


ATP = Method(
    signature=Signature(
        name="atp",
        summary="attribution patching: first-order estimates from two runs and a backward",
        params=_params(star=False),
        estimates=True,
        needs_gradient=True,
    ),
    exact=False,
    paper="Nanda 2022; Kramar et al. 2024 (AtP*), eqs. 4 and 5",
    formula=_FORMULA,
    lower=lower,
    settle=settle,
    formula_of=formula_of,
)
ATP_STAR = Method(
    signature=Signature(
        name="atp*",
        summary="AtP*: attribution patching with the QK fix and GradDrop",
        params=_params(star=True),
        estimates=True,
        needs_gradient=True,
    ),
    exact=False,
    paper="Kramar et al. 2024 (AtP*), section 3: eqs. 6 to 11",
    formula=f"{_FORMULA}{_FIXED}; the magnitude is {_DROPPED[Drop.EVERY_LAYER]}",
    lower=lower,
    settle=settle,
    formula_of=formula_of,
)
