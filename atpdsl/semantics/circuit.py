"""`circuit { from = star; keep = top(40) }`: which nodes the circuit has."""

from __future__ import annotations

from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import CircuitCall, Keep
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.numbers import number_of, share_of, whole_number
from atpdsl.semantics.schema import CIRCUIT
from atpdsl.semantics.settings import Given, read_settings
from atpdsl.syntax import tree as t

DEFAULT_NODES = 50
# The edges between nodes grow with the square of their number.
MOST_NODES = 1000
LATER_KEEPS = ("greedy",)
ADVICE = "write `top(40)`, `5%` or `threshold(0.05)`"


def read_circuit(block: t.Block, measured: Measured, findings: Findings) -> CircuitCall | None:
    """The rule of a circuit; None where it cannot be read."""
    settings = read_settings(block.body, CIRCUIT, findings)
    method, keep = settings.given.get("from"), settings.given.get("keep")
    label = None if method is None else _method(method, measured, findings)
    rule: tuple[Keep, float] | None = (Keep.TOP, DEFAULT_NODES)
    if keep is not None:
        rule = _rule(keep.written.value, findings)
    if rule is None:
        return None
    return CircuitCall(method=label, keep=rule[0], amount=rule[1], span=block.word.span)


def _method(given: Given, measured: Measured, findings: Findings) -> str | None:
    if not isinstance(given.value, str):
        return None
    if given.value in measured.labels:
        return given.value
    if measured.complete:
        at = given.written.value.span
        unknown_method(t.Name(given.value, at), measured.labels, findings)
    return None


def unknown_method(name: t.Name, labels: tuple[str, ...], findings: Findings) -> None:
    """A name that is no method of the spec."""
    advice = did_you_mean(closest(name.text, labels), f"there are {listed(labels)}")
    message = f"there is no method called `{name.text}`"
    findings.error("ATP115", message, name.span, advice=advice)


def _rule(value: t.Expression, findings: Findings) -> tuple[Keep, float] | None:
    if isinstance(value, t.Number) and value.unit == "%":
        return _share(value, findings)
    if isinstance(value, t.Call) and isinstance(value.function, t.Name):
        return _called(value.function, value, findings)
    advice = ADVICE
    if whole_number(value) is not None:
        advice = f"write `top({whole_number(value)})` for so many nodes"
    findings.error("ATP108", "this does not say which nodes to keep", value.span, advice=advice)
    return None


def _called(name: t.Name, call: t.Call, findings: Findings) -> tuple[Keep, float] | None:
    if name.text in LATER_KEEPS:
        findings.not_yet(f"`{name.text}(...)`", call.span, advice=ADVICE)
        return None
    rules = {"top": _top, "threshold": _threshold}
    if name.text not in rules:
        advice = did_you_mean(closest(name.text, rules), ADVICE)
        message = f"nodes cannot be kept by `{name.text}`"
        findings.error("ATP109", message, name.span, advice=advice)
        return None
    first = call.arguments[0] if len(call.arguments) == 1 else None
    if first is None or first.name is not None or first.position is not None:
        message = f"`{name.text}` wants one number"
        findings.error("ATP108", message, call.span, advice=ADVICE)
        return None
    return rules[name.text](first.value, findings)


def _top(value: t.Expression, findings: Findings) -> tuple[Keep, float] | None:
    if isinstance(value, t.Number) and value.unit == "%":
        return _share(value, findings)
    count = whole_number(value)
    if count is None:
        message = "`top` wants a number of nodes"
        findings.error("ATP108", message, value.span, advice="write `top(40)`")
        return None
    if count < 1:
        _too_few(value.span, findings)
        return None
    if count > MOST_NODES:
        findings.error(
            "ATP166",
            f"a circuit has at most {MOST_NODES:,} nodes",
            value.span,
            advice="the scores of all nodes are in the result anyway",
        )
        return None
    return Keep.TOP, count


def _share(value: t.Number, findings: Findings) -> tuple[Keep, float] | None:
    share = share_of(value)
    if share is None:
        message = "no more than 100% of the nodes can be kept"
        findings.error("ATP109", message, value.span, advice="write `keep = 5%`")
        return None
    if share == 0:
        _too_few(value.span, findings)
        return None
    return Keep.SHARE, share


def _too_few(at: Span, findings: Findings) -> None:
    message = "a circuit has at least one node"
    findings.error("ATP109", message, at, advice="leave `circuit` out, or keep some")


def _threshold(value: t.Expression, findings: Findings) -> tuple[Keep, float] | None:
    number = number_of(value)
    if number is None:
        message = "`threshold` wants the least score that is kept"
        advice = "write `threshold(0.05)`, in the units of the metric"
        findings.error("ATP108", message, value.span, advice=advice)
        return None
    if number <= 0:
        message = "every score is 0 or above, so this keeps every node"
        findings.error("ATP109", message, value.span, advice="write a number above 0")
        return None
    return Keep.THRESHOLD, float(number)
