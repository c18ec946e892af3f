"""How far to trust a result, in words: what was verified, flagged, bounded, and chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atpdsl.cli.amounts import rule
from atpdsl.cli.terminal import can_show, count
from atpdsl.problems.clean import clean
from atpdsl.results.record import CircuitRecord, MethodRecord, Record
from atpdsl.results.trust import BoundRecord, FlagRecord, Verification
from atpdsl.semantics.numbers import percentage

SHOWN_MISSED = 3


def trust(record: Record, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What there is to say of the methods with these labels, each with a word before it."""
    for verification in record.verification:
        if verification.label in labels:
            yield from _compared(verification)
    bounds = [bound for bound in record.bounds if set(bound.labels) & set(labels)]
    for bound in bounds:
        of = clean(f"{', '.join(bound.labels)}: ") if len(bounds) > 1 else ""
        yield "bound", of + _bound(bound)
    methods = [method for method in record.methods if method.label in labels]
    words = ("flagged", *("" for _ in record.flags[1:]))
    yield from zip(words, (_flagged(flag, methods) for flag in record.flags), strict=False)
    yield from (("note", clean(f"{m.label}: {m.note}")) for m in methods if m.note)
    if record.circuit is not None:
        yield "circuit", _circuit(record.circuit)
    if not record.verification and not all(m.exact for m in record.methods):
        advice = "add `verify { top = 20; random = 20 }` to the spec"
        yield "verified", f"nothing: these are estimates; {advice}"


def _compared(found: Verification) -> Iterator[tuple[str, str]]:
    yield "verified", _verified(found)
    if found.missed:
        yield "missed", _missed(found)
    yield "unknown", clean(found.unknown)


def _verified(found: Verification) -> str:
    by_lot = f", {found.random:,} of them drawn at random" if found.random else ""
    by_bound = f", {found.by_bound:,} because of their bounds" if found.by_bound else ""
    recall = found.recall_mean_abs
    parts = [f"{found.measured:,} of {found.nodes:,} nodes{by_lot}{by_bound}"]
    if found.stopped is not None:
        parts.append(f"`stop_when` {'holds' if found.stopped else 'does not hold'}")
    if recall is not None and recall.of:
        parts.append(
            f"of the {recall.of} largest effects found,"
            f" {recall.hits} in the top {found.top} of {clean(found.label)}"
        )
    if found.spearman_mean_abs is not None:
        parts.append(f"rank correlation {found.spearman_mean_abs:.2f}")
    if found.largest:
        miss = found.largest[0]
        parts.append(
            f"largest miss {clean(miss.node)}: estimate {miss.estimate:.3g},"
            f" |effect| {miss.effect_abs:.3g}"
        )
    return "; ".join(parts)


def _missed(found: Verification) -> str:
    named = [f"{clean(m.node)} (|effect| {m.effect_abs:.3g})" for m in found.missed]
    more = len(named) - SHOWN_MISSED
    dots = f" and {more} more" if more > 0 else ""
    return f"by chance among the random ones: {', '.join(named[:SHOWN_MISSED])}{dots}"


def _bound(bound: BoundRecord) -> str:
    """What no unmeasured node exceeds, and what that rests on."""
    at = bound.asked
    if not bound.nodes:
        return "no node is left to bound"
    if at.upper is None:
        return f"{clean(at.node or 'a node')} was in too few sets to say anything"
    said = (
        f"with {percentage(at.confidence)} confidence no unmeasured node has a |mean effect|"
        f" above {at.upper:.3g}"
    )
    square = "\u00b2" if can_show("\u00b2") else "^2"
    parts = [f"{clean(bound.scheme)}, {bound.samples:,} sets"]
    if bound.r2 is not None:
        parts.append(f"effects add up with R{square} {bound.r2:.2f}")
    if at.not_excluded is not None:
        few = count(at.not_excluded, "node")
        parts.append(f"{few} may have {bound.min_effect:.3g} or more")
    if at.node is not None:
        parts.append(f"next to verify: {clean(at.node)}")
    return f"{said} ({'; '.join(parts)})"


def _flagged(flag: FlagRecord, methods: Sequence[MethodRecord]) -> str:
    """How many nodes have a flag; of exact methods only where some have."""
    counts = [(m, flag.nodes[m.label]) for m in methods if m.label in flag.nodes]
    told = [(m, number) for m, number in counts if number or not m.exact] or counts
    numbers = ", ".join(
        count(number, "node") if len(told) == 1 else f"{clean(m.label)} {number:,}"
        for m, number in told
    )
    return f"{clean(flag.name)} ({clean(flag.text)}): {numbers or 'not known'}"


def _circuit(circuit: CircuitRecord) -> str:
    kept = f"{rule(circuit.keep, circuit.amount)} by {clean(circuit.method)}"
    told = circuit.keep == "top" and circuit.nodes == circuit.amount
    return kept if told else f"{count(circuit.nodes, 'node')}: {kept}"
