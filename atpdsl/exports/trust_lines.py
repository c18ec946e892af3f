"""How far a result is to be trusted, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl.results.trust_words import bound_words, missed_words, verified_words

if TYPE_CHECKING:
    from atpdsl.results.record import Record


def trust_lines(record: Record) -> Iterator[str]:
    """Verification, bounds, flags and expectations, each in one sentence."""
    for one in record.verification:
        yield f"{one.label}: measured {verified_words(one)}"
        if one.missed:
            yield f"{one.label}: missed {missed_words(one)}"
        if one.unknown:
            yield f"{one.label}: {one.unknown}"
    for bound in record.bounds:
        yield bound_words(bound)
        yield f"what this bound rests on: {bound.assumes}"
    for flag in record.flags:
        for label, nodes in flag.nodes.items():
            yield f"{label}: {nodes:,} nodes flagged {flag.name} ({flag.text})"
    for expectation in record.expectations:
        verdict = "holds" if expectation.holds else "does not hold"
        found = f": {'; '.join(expectation.found)}" if expectation.found else ""
        yield f"expected {expectation.text} {verdict}{found}"
