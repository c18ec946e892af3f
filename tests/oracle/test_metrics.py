"""The two writings of each metric agree, with one and with several answers."""

from __future__ import annotations

import pytest
import torch

from atpdsl.metrics import METRICS, Targets
from tests.oracle import metrics

ONE = ([[3], [7], [1]], [[4], [0], [9]])
SEVERAL = ([[3, 5], [7], [1, 2, 8]], [[4], [0, 6], [9, 10, 11]])
LOGITS = 3 * torch.randn(
    3, 5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
)
OTHER = 3 * torch.randn(
    3, 5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
)


def targets(answers: list[list[int]], foils: list[list[int]]) -> Targets:
    return Targets(
        answers=filled(answers),
        foils=filled(foils),
        answer_mask=mask(answers),
        foil_mask=mask(foils),
        reference=OTHER[:, -1],
    )


def filled(rows: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


def mask(rows: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor(
        [[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows]
    ).double()


def by_hand(name: str, answers: list[list[int]], foils: list[list[int]]) -> metrics.Metric:
    return {
        "logit_diff": lambda: metrics.logit_diff(answers, foils),
        "prob_diff": lambda: metrics.prob_diff(answers, foils),
        "logprob": lambda: metrics.logprob(answers),
        "nll": lambda: metrics.nll(answers),
        "kl": lambda: metrics.kl(OTHER),
        "entropy": metrics.entropy,
    }[name]()


@pytest.mark.parametrize("name", METRICS.names)
@pytest.mark.parametrize("tokens", [ONE, SEVERAL], ids=["one answer", "several answers"])
def test_a_metric_is_the_textbook_formula(name, tokens):
    expected = by_hand(name, *tokens)(LOGITS)
    found = METRICS[name].compute(LOGITS[:, -1], targets(*tokens))

    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_logit_difference_is_a_difference_of_means_when_counts_differ():
    """Two answers against one foil: (5 + 1) / 2 - 2, not the mean of pairwise differences of
    some pairing, nor a difference of sums."""
    logits = torch.zeros(1, 1, 12, dtype=torch.float64)
    logits[0, 0, 3], logits[0, 0, 5], logits[0, 0, 4] = 5.0, 1.0, 2.0

    assert metrics.logit_diff([[3, 5]], [[4]])(logits).item() == 1.0
    assert METRICS["logit_diff"].compute(logits[:, -1], targets([[3, 5]], [[4]])).item() == 1.0


def test_the_divergence_is_of_the_run_from_the_clean_one():
    """KL(clean || run) of (1/2, 1/2) and (1/4, 3/4) is ln 2 - ln 3 / 2."""
    clean = torch.log(torch.tensor([[[0.5, 0.5]]], dtype=torch.float64))
    patched = torch.log(torch.tensor([[[0.25, 0.75]]], dtype=torch.float64))

    expected = (
        torch.log(torch.tensor(2.0, dtype=torch.float64))
        - torch.log(torch.tensor(3.0, dtype=torch.float64)) / 2
    )
    torch.testing.assert_close(metrics.kl(clean)(patched)[0], expected, rtol=0, atol=1e-15)
    assert metrics.kl(clean)(clean).item() == 0.0
