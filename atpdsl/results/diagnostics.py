"""Columns that say how far the numbers of single nodes are to be trusted.

Everything here is a vector over the nodes of one method, nan where there is nothing to say.
What each column means, with its formula, stands in docs/results.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atpdsl.methods import METHODS
from atpdsl.nodes import ATTENDING
from atpdsl.planning.outcome import MethodOutcome
from atpdsl.results.measured import Column, Measured, extra, flat, has_extra

# A correction that changes an estimate by less than this share of it is not worth a word.
MOVES = 0.1
# What a row of `moved_by` can say, by number.
MOVED_BY = (None, "qk_fix", "grad_drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A method's nodes with what is known of them; vectors over the nodes.

    Attributes:
        estimate, signed: nan for an exact method.
        score: the measured |effect|, else the estimate.
    """

    method: MethodOutcome
    truth: Measured
    estimate: Column
    signed: Column
    score: Column
    pairs: Column


def scored(method: MethodOutcome, truth: Measured) -> Scored:
    """The nodes of a method, each with its best known number as the score."""
    absolute, signed = flat(method, "mean_abs"), flat(method, "mean")
    unknown = np.full(absolute.shape, np.nan)
    return Scored(
        method=method,
        truth=truth,
        estimate=unknown if method.exact else absolute,
        signed=unknown if method.exact else signed,
        score=np.where(truth.known, truth.mean_abs, absolute),
        pairs=flat(method, "pairs"),
    )


# ---- how far the pairs agree ----


def agreement(nodes: Scored) -> dict[str, Column]:
    """Standard errors over pairs, and the share of pairs with the rarer sign."""
    method, truth = nodes.method, nodes.truth
    own = [extra(method, name) for name in ("positive", "negative")]
    signs = [
        np.where(truth.known, of_effect, of_estimate)
        for of_effect, of_estimate in zip((truth.positive, truth.negative), own, strict=True)
    ]
    return {
        "estimate_se": estimate_error(nodes),
        "effect_se": standard_error(truth.mean, truth.mean_square, nodes.pairs),
        "sign_flips": np.minimum(*signs),
    }


def estimate_error(nodes: Scored) -> Column:
    """The standard error over pairs of the mean of magnitudes."""
    return standard_error(nodes.estimate, extra(nodes.method, "abs_square"), nodes.pairs)


def score_error(nodes: Scored) -> Column:
    """The standard error over pairs of the score."""
    truth = nodes.truth
    of_effect = standard_error(truth.mean_abs, truth.mean_square, nodes.pairs)
    return np.where(truth.known, of_effect, estimate_error(nodes))


def standard_error(mean: Column, mean_square: Column, pairs: Column) -> Column:
    """sqrt(s^2 / n) with the unbiased variance over n pairs; nan for fewer than two."""
    # Rounding may leave a variance of 0 a little below it.
    spread = np.maximum(mean_square - np.square(mean), 0.0)
    freedom = np.where(pairs > 1, pairs - 1.0, np.nan)
    return np.asarray(np.sqrt(spread / freedom))


def disagreement(nodes: Scored) -> Column:
    """How far the signed estimate is from the measured effect: 0 is equal, 2 the opposite."""
    if nodes.method.exact or METHODS[nodes.method.call.method].ordinal:
        return np.full(nodes.score.shape, np.nan)
    return _apart(nodes.signed, nodes.truth.mean)


# ---- what the corrections of AtP* change ----


def corrections(nodes: Scored) -> dict[str, Column]:
    """The estimate as plain AtP plus what each correction adds; none without corrections."""
    method = nodes.method
    if not has_extra(method, "atp"):
        return {}
    plain, fixed = _plain(nodes), _before_drop(nodes)
    by_fix, by_drop = fixed - plain, nodes.estimate - fixed
    change = np.maximum(np.abs(by_fix), np.abs(by_drop))
    moved = change > MOVES * np.maximum(nodes.estimate, plain)
    first = np.abs(by_fix) >= np.abs(by_drop)
    return {
        "atp": plain,
        "by_qk_fix": by_fix,
        "by_grad_drop": by_drop,
        "moved_by": np.where(moved, np.where(first, 1, 2), 0),
    }


def _plain(nodes: Scored) -> Column:
    """The magnitude of plain AtP: the estimate itself where nothing corrects it."""
    plain = extra(nodes.method, "atp")
    return np.where(np.isnan(plain), nodes.estimate, plain)


def _before_drop(nodes: Scored) -> Column:
    """The magnitude that GradDrop starts from: with the QK fix, where the method has it."""
    plain, fixed = _plain(nodes), extra(nodes.method, "qk_fix")
    fixes = nodes.method.call.settings.get("qk_fix") is not False
    return np.where(np.isnan(fixed), plain, fixed) if fixes else plain


# ---- cancellation ----


def cancellation(nodes: Scored) -> dict[str, Column]:
    """How much the parts of an estimate cancel, and the part that is direct."""
    method, truth = nodes.method, nodes.truth
    if not has_extra(method, "terms"):
        return {}
    direct = extra(method, "direct")
    size = np.abs(np.where(np.isnan(truth.direct), direct, truth.direct))
    whole = np.where(truth.known, np.abs(truth.mean), nodes.estimate)
    return {
        "cancellation": _ratio(extra(method, "terms"), _before_drop(nodes)),
        "direct": direct,
        "direct_ratio": _ratio(size, whole),
    }


# ---- saturation ----


def saturation(nodes: Scored) -> dict[str, Column]:
    """How far the attention of queries and keys moves, and how much that bends the estimate."""
    method = nodes.method
    if not has_extra(method, "attention"):
        return {}
    attends = np.concatenate([np.full(len(s), s.kind in ATTENDING) for s in method.sets])
    found = {
        "attention": extra(method, "attention"),
        "attention_change": extra(method, "change"),
        "saturation_ratio": _ratio(extra(method, "exact"), extra(method, "linear")),
        "correction": _ratio(
            extra(method, "fix_change"),
            np.maximum(extra(method, "qk_fix"), extra(method, "atp")),
        ),
    }
    return {name: np.where(attends, values, np.nan) for name, values in found.items()}


def _apart(one: Column, other: Column) -> Column:
    """|one - other| by the larger of both sizes; nan where both are 0."""
    return _ratio(np.abs(one - other), np.maximum(np.abs(one), np.abs(other)))


def _ratio(above: Column, below: Column) -> Column:
    """The quotient: nan for 0 / 0, infinite for anything else by 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / below)
