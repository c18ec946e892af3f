"""`verify { stop_when = misses(top = 50) < 5% }`: when a sequential verification may stop."""

from __future__ import annotations

from atpdsl.problems import Label, Problem, Span
from atpdsl.semantics.diagnosis import StopWhen
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.numbers import hundredths, percentage, whole_number
from atpdsl.syntax import tree as t
from atpdsl.syntax.written import as_text

LARGEST_ALPHA = 0.5
EXAMPLE = "`stop_when = misses(top = 10) < 5%`"


def read_stop(value: t.Expression, findings: Findings) -> StopWhen | None:
    """The condition behind `stop_when =`; None (and a problem) where it cannot be read."""
    if not isinstance(value, t.Binary) or value.operator not in ("<", "<="):
        _refuse("this does not say when to stop", value.span, findings)
        return None
    top = _top(value.left, findings)
    limit = _limit(value.right, top, findings)
    if top is None or limit is None:
        return None
    return StopWhen(top=top, alpha=limit, text=as_text(value), span=value.span)


def _refuse(message: str, at: Span, findings: Findings) -> None:
    findings.error("ATP183", message, at, advice=f"write {EXAMPLE}")


def _top(value: t.Expression, findings: Findings) -> int | None:
    """The number of nodes in `misses(top = 50)`."""
    name = value.function if isinstance(value, t.Call) else value
    if not isinstance(name, t.Name) or name.text != "misses":
        _refuse("only `misses(top = ...)` says when to stop", value.span, findings)
        return None
    arguments = value.arguments if isinstance(value, t.Call) else ()
    first = arguments[0] if len(arguments) == 1 else None
    given = first.name.text if first is not None and first.name is not None else ""
    if first is None or given != "top" or first.position is not None:
        _refuse("`misses` is about the so many best nodes", value.span, findings)
        return None
    top = whole_number(first.value)
    if not top:
        _refuse("`top` is a number of nodes, at least 1", first.value.span, findings)
        return None
    return top


def _limit(value: t.Expression, top: int | None, findings: Findings) -> float | None:
    """The expected share of the best nodes that may be missed, also where it is a count."""
    if not isinstance(value, t.Number) or value.unit not in ("", "%"):
        _refuse("a percentage is wanted here, or a number of nodes", value.span, findings)
        return None
    if value.unit:
        share = hundredths(value)
    elif top is None:
        return None
    else:
        share = float(value.value) / top
    if 0 < share <= LARGEST_ALPHA:
        return share
    message = "that none is missed can never be known for sure"
    if share:
        shown = "" if value.unit else f" of {top} nodes"
        message = f"so many{shown} are more than half: that would say nothing"
    advice = f"write a percentage above 0, at most {percentage(LARGEST_ALPHA)}"
    findings.error("ATP183", message, value.span, advice=advice)
    return None


def too_few_first(stop: StopWhen, top: int) -> Problem | None:
    """A problem if fewer nodes are verified first than the condition is about."""
    if stop.top <= top:
        return None
    return Problem(
        code="ATP184",
        message=f"the condition is about the {stop.top:,} best nodes, and `top` verifies"
        f" {top:,} before it is asked",
        at=Label(stop.span),
        help=f"write `top = {stop.top}` or more in `verify`, or a smaller `misses(top = ...)`",
    )
