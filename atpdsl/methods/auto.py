"""Auto: exact patching where it is the cheaper one, and AtP* where it is not.

It is settled before anything is planned: what is lowered, run and reported is `ap` or `atp*`,
under the label that the spec has for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from atpdsl.binding.bind import Bound
from atpdsl.methods.activation_patching import ACTIVATION_PATCHING
from atpdsl.methods.atp import ATP_STAR
from atpdsl.methods.method import Method, Request
from atpdsl.metrics import metric_of
from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import Drop, Estimate, Reduce, Side
from atpdsl.planning.positions import Skips, reach_of
from atpdsl.planning.rows import row_runs
from atpdsl.planning.target import target_of
from atpdsl.semantics.experiment import Direction, MethodCall
from atpdsl.semantics.signature import Signature

BACKWARD = 1.0
"""Forward passes that a walk back through all layers counts as.

Without gradients of parameters it has the arithmetic of a forward; measured 0.9 to 1.1.
"""
QK_FIX = 0.5
"""Forward passes that the QK fix counts as; measured 0.2 to 0.5."""


def lower(request: Request) -> tuple[Reduce | Estimate, ...]:
    """Never called: what is lowered is what `settle` gives."""
    raise TypeError(f"`{request.call.label}` is not settled")


def settle(call: MethodCall, bound: Bound) -> tuple[MethodCall, str]:
    """The call as one of `ap` or `atp*`, and why."""
    exact = _as(call, ACTIVATION_PATCHING)
    metric = metric_of(bound.experiment.metric)
    if not metric.differentiable:
        return exact, "ap, because the metric has no gradient to estimate effects from"
    if metric.flat_at_clean and call.direction is Direction.NOISING:
        return exact, "ap, because the metric's gradient at the clean run is zero"
    estimate, why = ATP_STAR.settle(_as(call, ATP_STAR), bound)
    patching, estimating = _patching(call, bound), _estimating(estimate, bound)
    if patching <= estimating:
        note = (
            f"ap, because patching every node takes {patching:,.1f} forward passes per pair,"
            f" and AtP* would take {estimating:,.1f}"
        )
        return exact, note
    note = (
        f"atp*, because it takes {estimating:,.1f} forward passes per pair, and patching every"
        f" node would take {patching:,.1f}"
    )
    return estimate, "; ".join(part for part in (note, why) if part)


def _as(call: MethodCall, method: Method) -> MethodCall:
    defaults = {param.name: param.default for param in method.signature.params}
    return replace(call, method=method.name, settings=MappingProxyType(defaults))


def _patching(call: MethodCall, bound: Bound) -> float:
    """Forward passes per pair that patching every node takes, beside the two plain runs.

    Nodes that are zero by construction are not patched; where runs can be resumed, a patched
    one is as much of a pass as comes after its node.
    """
    base = Side.CLEAN if call.direction is Direction.NOISING else Side.CORRUPTED
    skips, n_layers = Skips(True, reach_of(bound)), bound.shape.n_layers
    resumes = target_of(bound).resumes
    passes = 0.0
    for pair in bound.pairs.pairs:
        length = len(pair.clean if base is Side.CLEAN else pair.corrupted)
        for nodes in bound.nodes:
            for run in row_runs((pair,), nodes, base, skips):
                part = (run.read - run.first + 1) * (n_layers - run.layer)
                passes += run.count * (part / (length * n_layers) if resumes else 1.0)
    return passes / len(bound.pairs)


def _estimating(call: MethodCall, bound: Bound) -> float:
    """Forward passes per pair that AtP* takes, beside the two plain runs."""
    return sum(_costs(call, bound))


def _costs(call: MethodCall, bound: Bound) -> Iterator[float]:
    yield BACKWARD
    if call.settings["grad_drop"] == Drop.EVERY_LAYER.value:
        # The stream that drops a layer goes through the layers below it.
        yield BACKWARD * (bound.shape.n_layers - 1) / 2
    if any(nodes.kind in ATTENDING for nodes in bound.nodes):
        yield QK_FIX


AUTO = Method(
    signature=Signature(
        name="auto",
        summary="`ap` where patching every node is cheaper than `atp*`, else `atp*`",
        estimates=True,
    ),
    exact=False,
    paper="Kramar et al. 2024 (AtP*), sections 2 and 3",
    formula="that of `ap` or of `atp*`, whichever is run",
    lower=lower,
    settle=settle,
)
