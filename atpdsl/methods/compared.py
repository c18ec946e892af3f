"""Which methods a comparison has: the spec's, those that are named, or the usual ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from atpdsl.binding.bind import Bound
from atpdsl.methods import METHODS
from atpdsl.metrics import metric_of
from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import Drop
from atpdsl.problems import Label, Problem, Source, SpecError
from atpdsl.registry import closest
from atpdsl.semantics.experiment import NO_SETTINGS, Direction, MethodCall, Setting

EXACT = "ap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A method of the usual set, with the settings that differ from its defaults."""

    label: str
    method: str
    settings: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS)


USUAL = (
    Usual(label="atp", method="atp"),
    Usual(label="atp_qk", method="atp", settings={"qk_fix": True}),
    Usual(label="star", method="atp*", settings={"grad_drop": Drop.EVERY_LAYER.value}),
    Usual(label="subsampling", method="subsampling"),
    Usual(label="blocks", method="blocks"),
    Usual(label="hierarchical", method="hierarchical"),
    Usual(label="iterative", method="iterative"),
    Usual(label="random", method="random"),
)
"""What is compared where a spec does not have two estimates of its own."""


def compared_methods(
    bound: Bound, named: Iterable[str], source: Source
) -> tuple[tuple[MethodCall, ...], str]:
    """The estimates to compare, and the exact method of each direction that they have.

    Args:
        bound: the spec.
        named: labels of the spec, labels of `USUAL`, or names of methods; if there are none,
            the spec's estimates where it has two, else the usual set.
        source: of the spec.

    Returns:
        The methods, and what was left out of the usual set and why; "" if nothing was.

    Raises:
        SpecError: ATP111 for an unknown name, ATP116 for an exact method, ATP177 and ATP421
            for one that needs a gradient where there is none.
    """
    own = {call.label: _as_run(call, bound) for call in bound.experiment.methods}
    usual = {one.label: _call(one, bound) for one in USUAL}
    chosen = tuple(dict.fromkeys(named))
    left_out = ""
    if chosen:
        problems: list[Problem] = []
        calls = []
        for name in chosen:
            call = own.get(name) or usual.get(name) or _by_name(name, bound)
            problem = _unknown(name, own, usual) if call is None else _unfit(call, bound)
            if problem is not None:
                problems.append(problem)
            elif call is not None:
                calls.append(call)
        if problems:
            raise SpecError(problems, source)
    else:
        calls, left_out = _chosen_for(bound, own, usual)
    return (*calls, *_truths(bound, calls)), left_out


def _chosen_for(
    bound: Bound, own: Mapping[str, MethodCall], usual: Mapping[str, MethodCall]
) -> tuple[list[MethodCall], str]:
    """The spec's estimates where it has two; else the usual set, with the one it may have."""
    estimates = [call for call in own.values() if not METHODS[call.method].exact]
    if len(estimates) > 1:
        return estimates, ""
    for mine in estimates:
        usual = {name: call for name, call in usual.items() if not _same(mine, call, bound)}
    calls = [*estimates, *usual.values()]
    reasons = {call.label: _why_not(call, bound) for call in calls}
    return [call for call in calls if not reasons[call.label]], _told(reasons)


def _why_not(call: MethodCall, bound: Bound) -> str:
    """Why a method of the usual set says nothing here; "" if it does."""
    if _unfit(call, bound) is not None:
        return "the metric has no gradient to use"
    attending = any(nodes.kind in ATTENDING for nodes in bound.nodes)
    if call.label == "atp_qk" and not attending:
        return "without queries and keys it is `atp`"
    return ""


def _told(reasons: Mapping[str, str]) -> str:
    """`a`, `b`: one reason; `c`: another one."""
    named: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason:
            named.setdefault(reason, []).append(f"`{name}`")
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in named.items())


def _same(one: MethodCall, other: MethodCall, bound: Bound) -> bool:
    """Whether only one of two calls can be in the table, or need be."""
    if one.label == other.label:
        return True
    return _meaning(one, bound) == _meaning(other, bound)


def _meaning(call: MethodCall, bound: Bound) -> tuple[object, ...]:
    settled, _ = METHODS[call.method].settle(call, bound)
    return settled.method, settled.direction, dict(settled.settings)


def _call(one: Usual, bound: Bound) -> MethodCall:
    """A method as the spec would have it, in the direction of its first method."""
    experiment = bound.experiment
    defaults = {param.name: param.default for param in METHODS[one.method].signature.params}
    first = experiment.methods[0]
    return MethodCall(
        label=one.label,
        method=one.method,
        direction=first.direction,
        settings=MappingProxyType({**defaults, **one.settings}),
        span=first.span,
    )


def _by_name(name: str, bound: Bound) -> MethodCall | None:
    if name not in METHODS:
        return None
    return _as_run(_call(Usual(label=name, method=name), bound), bound)


def _as_run(call: MethodCall, bound: Bound) -> MethodCall:
    """The call of the method that is run, where a method stands for others."""
    settled, _ = METHODS[call.method].settle(call, bound)
    return call if settled.method == call.method else settled


def _unknown(
    name: str, own: Mapping[str, MethodCall], usual: Mapping[str, MethodCall]
) -> Problem:
    estimates = (m.name for m in METHODS if not m.exact)
    exact = {label for label, call in own.items() if METHODS[call.method].exact}
    known = tuple(dict.fromkeys((*(n for n in own if n not in exact), *usual, *estimates)))
    meant = closest(name, known)
    listed = ", ".join(f"`{other}`" for other in known)
    return Problem(
        code="ATP111",
        message=f"there is no method `{name}`",
        help=f"did you mean `{meant}`?" if meant else f"there are {listed}",
    )


def _unfit(call: MethodCall, bound: Bound) -> Problem | None:
    """Why a method cannot be compared, None if it can."""
    method, call_metric = METHODS[call.method], bound.experiment.metric
    if method.exact:
        return Problem(
            code="ATP116",
            message=f"`{call.label}` is exact: it is what the others are compared with",
            help="name estimates only",
        )
    if not method.signature.needs_gradient:
        return None
    metric = metric_of(call_metric)
    if not metric.differentiable:
        return Problem(
            code="ATP177",
            message=f"`{call.label}` cannot estimate effects on a metric without a gradient",
            at=Label(call_metric.span, "a rank changes in steps"),
            help="compare methods that patch, such as `subsampling`",
        )
    if metric.flat_at_clean and call.direction is Direction.NOISING:
        return Problem(
            code="ATP421",
            message=f"`{call.label}` cannot estimate effects on `{call_metric.title}`: its"
            " gradient at the clean run is zero, so every estimate would be 0",
            at=Label(call_metric.span, "a distance from the clean run"),
            help="compare methods that patch, such as `subsampling`, or another metric",
        )
    return None


def _truths(bound: Bound, calls: Iterable[MethodCall]) -> tuple[MethodCall, ...]:
    """An exact method for each direction: the spec's, or `ap`."""
    calls = tuple(calls)
    written = (_as_run(call, bound) for call in bound.experiment.methods)
    exact = [call for call in written if METHODS[call.method].exact]
    found: list[MethodCall] = []
    for direction in dict.fromkeys(call.direction for call in calls):
        own = next((call for call in exact if call.direction is direction), None)
        taken = {call.label for call in (*calls, *found)}
        free = next(
            name
            for name in (EXACT, f"{EXACT}_{direction.value}", "exact", "truth")
            if name not in taken
        )
        added = replace(_call(Usual(label=free, method=EXACT), bound), direction=direction)
        found.append(own or added)
    return tuple(found)
