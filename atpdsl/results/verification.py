"""How good the estimates are, where exact effects say so, and what remains unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atpdsl.planning.outcome import AT_RANDOM, BY_BOUND, MethodOutcome, Outcome, VerifiedOutcome
from atpdsl.results.measured import exhaustive, flat, flat_numbers
from atpdsl.results.names import row_id
from atpdsl.results.rank_statistics import clopper_pearson_upper, spearman
from atpdsl.results.scores import ranks
from atpdsl.results.trust import VERIFY, BoundRecord, Miss, Recall, Unseen, Verification

# Why a node was measured that no estimate has on top.
CONFIDENCE = 0.95
# As many as fit under a table without hiding it.
SHOWN_MISSES = 5

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """An estimate beside the exact effects of some of its nodes.

    Attributes:
        rows: [n] the measured nodes, as rows of the method's table.
        effect, effect_abs, pairs: [n] their exact effects, and how many pairs have them.
        random, by_bound: [n] whether a node was drawn at random, or measured because its
            bound was too large.
        stopped: see `VerifiedOutcome`.
        estimate, rank: [N] of all nodes; nan and -1 where no pair has the node.
        population: nodes whose effect is not zero by construction.
    """

    method: MethodOutcome
    truth: str
    top: int
    rows: Numbers
    effect: Numbers
    effect_abs: Numbers
    pairs: Numbers
    random: Numbers
    by_bound: Numbers
    estimate: Numbers
    rank: Numbers
    population: int
    stopped: bool | None = None


def verify_estimates(
    outcome: Outcome, top: int, bounds: Sequence[BoundRecord] = ()
) -> tuple[Verification, ...]:
    """A summary for each estimate that can be compared with exact effects.

    An exact method that measured the same nodes in the same direction counts for more than
    a verification of some of them.

    Args:
        outcome: what the run computed.
        top: the length of the estimates' top lists.
        bounds: what else is known of the nodes that were not measured.
    """
    found = (_comparison(outcome, m, top) for m in outcome.methods if not m.exact)
    bounded = {label: bound for bound in bounds for label in bound.labels}
    return tuple(
        _summary(one, bounded.get(one.method.call.label))
        for one in found
        if one is not None and len(one.rows)
    )


def _comparison(outcome: Outcome, method: MethodOutcome, top: int) -> _Comparison | None:
    exact = exhaustive(outcome, method)
    if exact is not None:
        return _exact(method, exact, top)
    for verified in outcome.verified:
        if method.call.label in verified.labels:
            return _verified(method, verified, top)
    return None


def _exact(method: MethodOutcome, exact: MethodOutcome, top: int) -> _Comparison:
    """Every node, for there is an exhaustive method."""
    estimate, effect_abs = flat(method, "mean_abs"), flat(exact, "mean_abs")
    rows = np.flatnonzero(~np.isnan(estimate) & ~np.isnan(effect_abs))
    return _Comparison(
        method=method,
        truth=exact.call.label,
        top=top,
        rows=rows,
        effect=flat(exact, "mean")[rows],
        effect_abs=effect_abs[rows],
        pairs=flat(exact, "pairs")[rows],
        random=np.zeros(len(rows), np.bool_),
        by_bound=np.zeros(len(rows), np.bool_),
        estimate=estimate,
        rank=ranks(estimate),
        population=len(rows),
    )


def _verified(method: MethodOutcome, verified: VerifiedOutcome, top: int) -> _Comparison:
    estimate = flat(method, "mean_abs")
    rows = flat_numbers(method.sets, verified.nodes)
    known = ~np.isnan(verified.statistics.mean_abs) & ~np.isnan(estimate[rows])
    chosen_by = np.array(verified.chosen_by, np.str_)
    return _Comparison(
        method=method,
        truth=VERIFY,
        top=top,
        rows=rows[known],
        effect=verified.statistics.mean[known],
        effect_abs=verified.statistics.mean_abs[known],
        pairs=verified.statistics.pairs[known],
        random=(chosen_by == AT_RANDOM)[known],
        by_bound=(chosen_by == BY_BOUND)[known],
        estimate=estimate,
        rank=ranks(estimate),
        population=verified.population,
        stopped=verified.stopped,
    )


def _summary(compared: _Comparison, bound: BoundRecord | None) -> Verification:
    nodes = int(np.count_nonzero(~np.isnan(compared.estimate)))
    estimate, rank = compared.estimate[compared.rows], compared.rank[compared.rows]
    unseen = None if compared.population <= len(compared.rows) else _unseen(compared)
    distance = np.abs(compared.effect_abs - estimate)
    largest = np.argsort(-distance, kind="stable")[:SHOWN_MISSES]
    return Verification(
        label=compared.method.call.label,
        truth=compared.truth,
        nodes=nodes,
        measured=len(compared.rows),
        top=compared.top,
        random=int(compared.random.sum()),
        recall_mean_abs=recall(rank, compared.effect_abs, compared.top),
        recall_abs_mean=recall(rank, np.abs(compared.effect), compared.top),
        spearman_mean_abs=_correlation(estimate, compared.effect_abs),
        spearman_abs_mean=_correlation(estimate, np.abs(compared.effect)),
        largest=_misses(compared, largest[distance[largest] > 0]),
        missed=() if unseen is None else _missed(compared, unseen.threshold),
        unseen=unseen,
        unknown=_unknown(compared, unseen, bound),
        by_bound=int(compared.by_bound.sum()),
        stopped=compared.stopped,
    )


def recall(rank: Numbers, truth: Numbers, top: int) -> Recall | None:
    """How many of the `top` measured nodes with the largest truth are in the estimate's top.

    None where only the estimate's own top was measured: recall would be full by choice.

    Nodes without any effect are not worth finding: fewer than `top` may count.

    Args:
        rank: [n] the estimate's rank of each measured node, among all nodes.
        truth: [n] how large their effects are.
        top: the length of both lists.
    """
    if (rank <= top).all():
        return None
    best = np.argsort(-truth, kind="stable")[:top]
    best = best[truth[best] > 0]
    return Recall(hits=int((rank[best] <= top).sum()), of=len(best))


def _correlation(estimate: Numbers, truth: Numbers) -> float | None:
    """Nodes that are zero on both sides, as before the first differing token, say nothing."""
    alive = (estimate != 0) | (truth != 0)
    return spearman(estimate[alive], truth[alive])


def _unseen(compared: _Comparison) -> Unseen:
    on_top = ~(compared.random | compared.by_bound)
    ranked = np.sort(compared.effect_abs[on_top])[::-1][: compared.top]
    # Fixed before the random nodes are looked at, or the bound on them would not hold.
    threshold = float(ranked[-1]) if len(ranked) else 0.0
    sampled = int(compared.random.sum())
    large = compared.effect_abs > threshold
    above, by_bound = int(large[compared.random].sum()), int(large[compared.by_bound].sum())
    # The random nodes were drawn from all that are not on top: those too that were measured
    # because of their bounds later on, and are not unknown any more.
    pool = compared.population - int(on_top.sum())
    unmeasured = compared.population - len(compared.rows)
    proportion = clopper_pearson_upper(above, sampled, CONFIDENCE)
    expected = max(0.0, pool * above / sampled - above - by_bound) if sampled else None
    return Unseen(
        threshold=threshold,
        nodes=unmeasured,
        sampled=sampled,
        above=above,
        expected=expected,
        at_most=min(unmeasured, max(0, int(proportion * pool) - above - by_bound)),
        confidence=CONFIDENCE,
        bound="one-sided Clopper-Pearson bound on the share among randomly drawn nodes",
    )


def _missed(compared: _Comparison, threshold: float) -> tuple[Miss, ...]:
    chosen = np.flatnonzero(compared.random & (compared.effect_abs > threshold))
    order = np.argsort(-compared.effect_abs[chosen], kind="stable")
    return _misses(compared, chosen[order])


def _misses(compared: _Comparison, chosen: Numbers) -> tuple[Miss, ...]:
    return tuple(
        Miss(
            node=row_id(compared.method.sets, int(compared.rows[i])),
            estimate=float(compared.estimate[compared.rows[i]]),
            effect=float(compared.effect[i]),
            effect_abs=float(compared.effect_abs[i]),
            pairs=int(compared.pairs[i]),
        )
        for i in chosen
    )


def _unknown(compared: _Comparison, unseen: Unseen | None, bound: BoundRecord | None) -> str:
    if compared.truth != VERIFY:
        return f"nothing about these nodes: `{compared.truth}` measured every one of them"
    if unseen is None:
        return "nothing about these nodes: every one of them was measured"
    bounded = "" if bound is None else "; how large they may be is in `bounds`"
    if not unseen.sampled:
        return (
            f"{unseen.nodes:,} nodes that can have an effect were not measured, and none was"
            f" drawn at random to judge them by (`random` in `verify`){bounded}"
        )
    place = min(compared.top, int((~(compared.random | compared.by_bound)).sum()))
    return (
        f"{unseen.nodes:,} nodes that can have an effect were not measured; with"
        f" {unseen.confidence:.0%} confidence at most {unseen.at_most:,} of them have a larger"
        f" one than {unseen.threshold:.3g}, that of place {place} in the verified top"
        f" ({unseen.above} of {unseen.sampled} drawn at random has){bounded}"
    )
