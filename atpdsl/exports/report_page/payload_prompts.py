"""The pairs of prompts as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    from atpdsl.results.record import PairRecord, PromptRecord
    from atpdsl.results.result import Result

# Tukey's rule: beyond the quartiles by so many times their distance.
FENCE = 1.5


def prompts(result: Result) -> dict[str, Any]:
    """`pairs`, and in `about` what the chart shows."""
    pairs = result.record.pairs
    gaps = np.array([np.nan if one.gap is None else one.gap for one in pairs], dtype=np.float64)
    outliers = _outliers(gaps)
    metric = result.record.metric
    return {
        "about": f"{harmless(metric.title)} of the unpatched runs, a mark for each pair. "
        f"Squares are outliers: gaps beyond the quartiles by more than {FENCE} times their "
        f"distance ({int(outliers.sum())} of {len(pairs)}).",
        "pairs": [
            _pair(one, outlier=bool(far)) for one, far in zip(pairs, outliers, strict=True)
        ],
    }


def _outliers(gaps: np.ndarray) -> np.ndarray:
    known = gaps[~np.isnan(gaps)]
    if len(known) < 4:
        return np.zeros(len(gaps), dtype=bool)
    low, high = np.quantile(known, [0.25, 0.75])
    reach = FENCE * (high - low)
    return np.asarray((gaps < low - reach) | (gaps > high + reach))


def _pair(pair: PairRecord, *, outlier: bool) -> dict[str, Any]:
    return {
        "clean": _side(pair.clean),
        "corrupted": _side(pair.corrupted),
        "gap": pair.gap,
        "outlier": outlier,
        "positions": {name: list(at) for name, at in pair.positions.items()},
        "answers": [harmless(text) for _, text in pair.answers],
        "foils": [harmless(text) for _, text in pair.foils],
        "differs": _differences(pair.clean.ids, pair.corrupted.ids),
    }


def _side(prompt: PromptRecord) -> dict[str, Any]:
    return {"tokens": [harmless(token) for token in prompt.tokens], "metric": prompt.metric}


def _differences(clean: tuple[int, ...], corrupted: tuple[int, ...]) -> list[list[int]]:
    """Tokens of each side that the other has not, aligned by their longest common parts."""
    from difflib import SequenceMatcher

    if len(clean) == len(corrupted):
        apart = [
            at
            for at, (one, other) in enumerate(zip(clean, corrupted, strict=True))
            if one != other
        ]
        return [apart, apart]
    blocks = SequenceMatcher(a=clean, b=corrupted, autojunk=False).get_matching_blocks()
    same = [{at for a, _, size in blocks for at in range(a, a + size)}]
    same.append({at for _, b, size in blocks for at in range(b, b + size)})
    return [
        [at for at in range(len(side)) if at not in known]
        for side, known in zip((clean, corrupted), same, strict=True)
    ]
