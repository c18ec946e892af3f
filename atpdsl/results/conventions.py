"""The conventions of a method in words: what its numbers are, their sign and their means."""

from __future__ import annotations

from atpdsl.methods import METHODS, Method
from atpdsl.planning.ops import Drop
from atpdsl.planning.outcome import MethodOutcome
from atpdsl.results.record import MethodRecord
from atpdsl.semantics.experiment import Direction, MethodCall, MetricCall

_SIGN = (
    "metric of the patched run minus metric of the unpatched run; below zero: the patch lowers"
    " the metric"
)
_SIGN_IN_GAPS = (
    "metric of the patched run minus metric of the unpatched run, divided by the gap: the mean"
    " clean minus the mean corrupted metric over all pairs; below zero: the patch moves the"
    " metric from its clean towards its corrupted value, and 1 is the whole way"
)


def describe_method(outcome: MethodOutcome, metric: MetricCall) -> MethodRecord:
    """What a result says of a method, with its settings as run."""
    call = outcome.call
    method = METHODS[call.method]
    noising = call.direction is Direction.NOISING
    base, donor = ("clean", "corrupted") if noising else ("corrupted", "clean")
    divided = metric.normalize and not method.ordinal
    formula = method.formula_for(call)
    return MethodRecord(
        label=call.label,
        method=call.method,
        exact=method.exact,
        direction=call.direction.value,
        settings=dict(call.settings),
        base=base,
        donor=donor,
        formula=f"({formula}) / gap" if divided else formula,
        sign=_SIGN_IN_GAPS if divided else _SIGN,
        absolute=_absolute(method, call)
        + (", divided by the size of the gap" if divided else ""),
        paper=method.paper,
        note=outcome.note,
    )


def _absolute(method: Method, call: MethodCall) -> str:
    """Where the absolute value is taken."""
    signed, size = ("effect", "effect_abs") if method.exact else ("signed", "estimate")
    if method.ordinal:
        return f"`{size}` is an order of nodes, not a size in units of the metric"
    if not method.abs_inside:
        return f"`{size}` is the absolute value of `{signed}`, taken after all means"
    if Drop(str(call.settings.get("grad_drop", Drop.OFF.value))) is not Drop.OFF:
        return (
            f"`{signed}` is the mean over pairs of the signed values before anything is"
            f" dropped, `{size}` the mean over pairs of their magnitudes: means over drops of"
            " absolute values, taken pair by pair and drop by drop"
        )
    return (
        f"`{signed}` is the mean over pairs of the signed values, `{size}` the mean over"
        " pairs of their absolute values, taken pair by pair"
    )
