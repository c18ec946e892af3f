"""How far to trust a result, in words: what was verified, flagged, bounded, and chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atpdsl.cli.amounts import rule
from atpdsl.cli.terminal import can_show, count
from atpdsl.problems.clean import clean
from atpdsl.results.record import CircuitRecord, MethodRecord, Record
from atpdsl.results.trust import FlagRecord, Verification
from atpdsl.results.trust_words import bound_words, missed_words, verified_words


def trust(record: Record, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What there is to say of the methods with these labels, each with a word before it."""
    for verification in record.verification:
        if verification.label in labels:
            yield from _compared(verification)
    bounds = [bound for bound in record.bounds if set(bound.labels) & set(labels)]
    for bound in bounds:
        of = clean(f"{', '.join(bound.labels)}: ") if len(bounds) > 1 else ""
        square = "\u00b2" if can_show("\u00b2") else "^2"
        yield "bound", of + clean(bound_words(bound, square))
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
    yield "verified", clean(verified_words(found))
    if found.missed:
        yield "missed", clean(missed_words(found))
    yield "unknown", clean(found.unknown)


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
