"""How far a result is to be trusted, in words that a terminal, a report and a page share.

The words have names of nodes and methods as they are: who shows them makes them harmless.
"""

from __future__ import annotations

from atpdsl.results.trust import BoundRecord, Verification
from atpdsl.semantics.numbers import percentage

SHOWN_MISSED = 3


def verified_words(found: Verification) -> str:
    """What was measured, and how well the estimate did."""
    by_lot = f", {found.random:,} of them drawn at random" if found.random else ""
    by_bound = f", {found.by_bound:,} because of their bounds" if found.by_bound else ""
    recall = found.recall_mean_abs
    parts = [f"{found.measured:,} of {found.nodes:,} nodes{by_lot}{by_bound}"]
    if found.stopped is not None:
        parts.append(f"`stop_when` {'holds' if found.stopped else 'does not hold'}")
    if recall is not None and recall.of:
        parts.append(
            f"of the {recall.of} largest effects found,"
            f" {recall.hits} in the top {found.top} of {found.label}"
        )
    if found.spearman_mean_abs is not None:
        parts.append(f"rank correlation {found.spearman_mean_abs:.2f}")
    if found.largest:
        miss = found.largest[0]
        parts.append(
            f"largest miss {miss.node}: estimate {miss.estimate:.3g},"
            f" |effect| {miss.effect_abs:.3g}"
        )
    return "; ".join(parts)


def missed_words(found: Verification) -> str:
    """Which nodes an estimate had missed, as far as chance has shown."""
    named = [f"{m.node} (|effect| {m.effect_abs:.3g})" for m in found.missed]
    more = len(named) - SHOWN_MISSED
    dots = f" and {more} more" if more > 0 else ""
    return f"by chance among the random ones: {', '.join(named[:SHOWN_MISSED])}{dots}"


def bound_words(bound: BoundRecord, square: str = "\u00b2") -> str:
    """What no unmeasured node exceeds, and what that rests on.

    Args:
        square: how a square is written where it is shown.
    """
    at = bound.asked
    if not bound.nodes:
        return "no node is left to bound"
    if at.upper is None:
        return f"{at.node or 'a node'} was in too few sets to say anything"
    said = (
        f"with {percentage(at.confidence)} confidence no unmeasured node has a |mean effect|"
        f" above {at.upper:.3g}"
    )
    parts = [f"{bound.scheme}, {bound.samples:,} sets"]
    if bound.r2 is not None:
        parts.append(f"effects add up with R{square} {bound.r2:.2f}")
    if at.not_excluded is not None:
        nodes = "node" if at.not_excluded == 1 else "nodes"
        parts.append(f"{at.not_excluded:,} {nodes} may have {bound.min_effect:.3g} or more")
    if at.node is not None:
        parts.append(f"next to verify: {at.node}")
    return f"{said} ({'; '.join(parts)})"
