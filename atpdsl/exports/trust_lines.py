"""How far a result is to be trusted, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl.results.trust import VERIFY

if TYPE_CHECKING:
    from atpdsl.results.record import Record
    from atpdsl.results.trust import BoundRecord, Recall, Verification


def trust_lines(record: Record) -> Iterator[str]:
    """Verification, bounds, flags and expectations, each in one sentence."""
    for one in record.verification:
        yield verified_line(one)
        if one.unknown:
            yield f"{one.label}: {one.unknown}"
    for bound in record.bounds:
        yield bound_line(bound)
    for flag in record.flags:
        for label, nodes in flag.nodes.items():
            yield f"{label}: {nodes:,} nodes flagged {flag.name} ({flag.text})"
    for expectation in record.expectations:
        verdict = "holds" if expectation.holds else "does not hold"
        found = f": {'; '.join(expectation.found)}" if expectation.found else ""
        yield f"expected {expectation.text} {verdict}{found}"


def verified_line(one: Verification) -> str:
    """What was measured, and how well the estimate did."""
    how = "patching" if one.truth == VERIFY else one.truth
    parts = [f"{one.label}: {one.measured:,} of {one.nodes:,} nodes measured by {how}"]
    if one.random:
        parts.append(f"{one.random:,} of them drawn at random")
    if one.recall_mean_abs is not None:
        parts.append(_recall(one.recall_mean_abs, one.top))
    if one.spearman_mean_abs is not None:
        parts.append(f"rank correlation {one.spearman_mean_abs:.2f}")
    if one.largest:
        miss = one.largest[0]
        parts.append(
            f"largest miss {miss.node}, estimated {miss.estimate:.3g}, measured "
            f"{miss.effect_abs:.3g}"
        )
    return "; ".join(parts)


def _recall(recall: Recall, top: int) -> str:
    return (
        f"of the {recall.of:,} largest effects found, {recall.hits:,} in the top {top:,} of "
        "the estimate"
    )


def bound_line(bound: BoundRecord) -> str:
    """How large what was not measured can be."""
    asked = bound.asked
    if asked.upper is None:
        return f"no bound on the {bound.nodes:,} unmeasured nodes: too few samples"
    return (
        f"with {100 * asked.confidence:.4g}% confidence no unmeasured node has a |mean effect| "
        f"above {asked.upper:.3g} ({bound.scheme}, {bound.samples:,} sets; {bound.assumes})"
    )
