"""`method` and `verify` statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from atpdsl.problems import Label, Span
from atpdsl.problems.fixes import replaced
from atpdsl.registry import closest
from atpdsl.semantics.diagnosis import StopWhen
from atpdsl.semantics.experiment import Direction, MethodCall, VerifyCall
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.schema import DIRECTION, LATER_METHODS, SHAPE_OF, VERIFY, key_of
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.signature import Signature, Vocabulary
from atpdsl.semantics.stopping import read_stop, too_few_first
from atpdsl.syntax import tree as t


def read_methods(
    statements: Iterable[t.Declaration], vocabulary: Vocabulary, findings: Findings
) -> tuple[MethodCall, ...]:
    """The methods, each under a name of its own."""
    signatures = {signature.name: signature for signature in vocabulary.methods}
    calls: dict[str, MethodCall] = {}
    for statement in statements:
        call = _method(statement, signatures, findings)
        if call is None:
            continue
        if call.label in calls:
            findings.error(
                "ATP113",
                f"there are two methods `{call.label}`",
                call.span,
                advice=f"name one of them: `method {_second(call)} = {call.method}`",
                also=(Label(calls[call.label].span, "the first is here"),),
            )
            continue
        calls[call.label] = call
    return tuple(calls.values())


def _second(call: MethodCall) -> str:
    """A name for a second use of a method."""
    return f"{call.label.replace('*', '_star')}_2"


def _method(
    statement: t.Declaration, signatures: dict[str, Signature], findings: Findings
) -> MethodCall | None:
    value = statement.value
    if not isinstance(value, t.Name):
        advice = f"write one of {listed(tuple(signatures))}"
        if isinstance(value, t.Call):
            advice = "settings stand in braces: `method atp { direction = denoising }`"
        quoted = value.value if isinstance(value, t.String) else ""
        fix = replaced(value.span, quoted) if quoted in signatures else None
        findings.error("ATP108", "a method is wanted here", value.span, advice=advice, fix=fix)
        return None
    name = value.text
    if name not in signatures:
        _unknown_method(value, tuple(signatures), findings)
        return None
    shape = SHAPE_OF["method"]
    own = tuple(key_of(param) for param in signatures[name].params)
    keys = (DIRECTION, *own, *(k for k in shape.keys if k.later))
    settings = read_settings(
        statement.body, replace(shape, keys=keys), findings, owner=f"method `{name}`"
    )
    values = {key.name: settings[key.name] for key in own}
    amounts = (key.name for key in own if key.type == "amount")
    return MethodCall(
        label=statement.label.text if statement.label else name,
        method=name,
        direction=Direction(settings.text("direction")),
        settings=MappingProxyType(values),
        node_shares=tuple(key for key in amounts if isinstance(values[key], float)),
        span=statement.word.span.to(value.span),
    )


def _unknown_method(name: t.Name, known: tuple[str, ...], findings: Findings) -> None:
    if name.text in LATER_METHODS:
        advice = f"there are {listed(known)}"
        findings.not_yet(f"the method `{name.text}`", name.span, advice=advice)
        return
    findings.error(
        "ATP111",
        f"there is no method `{name.text}`",
        name.span,
        advice=did_you_mean(closest(name.text, known), f"there are {listed(known)}"),
    )


def read_verify(
    statement: t.Block,
    calls: tuple[MethodCall, ...],
    vocabulary: Vocabulary,
    findings: Findings,
    *,
    complete: bool,
) -> VerifyCall:
    """What to verify. `complete` is False where some method could not be read."""
    settings = read_settings(statement.body, VERIFY, findings)
    estimates = {signature.name for signature in vocabulary.methods if signature.estimates}
    labels = tuple(call.label for call in calls if call.method in estimates)
    given = settings.given.get("method")
    if given is not None:
        exact = tuple(call.label for call in calls if call.method not in estimates)
        labels = _chosen(given.written.value, labels, exact, findings, complete=complete)
    elif calls and not labels and complete:
        findings.error(
            "ATP114",
            "there is no estimate to verify",
            statement.word.span,
            advice=f"add {_one_of(vocabulary)}, or remove `verify`: other methods are exact",
        )
    top, top_share = settings.amount("top")
    random, random_share = settings.amount("random")
    stop = _stop(settings, findings)
    if stop is not None and top_share is None:
        problem = too_few_first(stop, top)
        findings.problems += () if problem is None else (problem,)
    most = settings["most"]
    return VerifyCall(
        top=top,
        random=random,
        top_share=top_share,
        random_share=random_share,
        methods=labels,
        stop=stop,
        most=most if isinstance(most, int) else None,
        most_share=most if isinstance(most, float) else None,
        span=statement.word.span,
    )


def _stop(settings: Settings, findings: Findings) -> StopWhen | None:
    """`stop_when`, and that `most` is nothing without it."""
    given, most = settings.given.get("stop_when"), settings.given.get("most")
    if given is not None:
        return read_stop(given.written.value, findings)
    if most is not None:
        message = "`most` limits a verification that goes on, and this one does not"
        advice = "add `stop_when = misses(top = 10) < 5%`, or write `top` instead"
        findings.error("ATP184", message, most.written.span, advice=advice)
    return None


def _one_of(vocabulary: Vocabulary) -> str:
    """Estimates to recommend, which the baselines are not."""
    names = (s.name for s in vocabulary.methods if s.estimates and s.needs_gradient)
    return " or ".join(f"`method {name}`" for name in names) or "an estimate"


def _chosen(
    value: t.Expression,
    estimates: tuple[str, ...],
    exact: tuple[str, ...],
    findings: Findings,
    *,
    complete: bool,
) -> tuple[str, ...]:
    """The labels written after `method =`."""
    items = value.items if isinstance(value, t.ListOf) else (value,)
    labels: dict[str, Span] = {}
    for item in items:
        if not isinstance(item, t.Name):
            advice = f"write one of {listed(estimates)}"
            findings.error("ATP108", "a method's name is wanted here", item.span, advice=advice)
        elif item.text in exact:
            message = f"`{item.text}` is exact, so there is nothing to verify"
            findings.error("ATP116", message, item.span, advice="remove it here")
        elif item.text not in estimates:
            if complete:
                meant = closest(item.text, estimates)
                advice = did_you_mean(meant, f"write `method {item.text}` above")
                message = f"there is no method called `{item.text}`"
                findings.error("ATP115", message, item.span, advice=advice)
        else:
            labels.setdefault(item.text, item.span)
    if not items:
        findings.error("ATP204", "this list is empty", value.span, advice="name a method")
    return tuple(labels)
