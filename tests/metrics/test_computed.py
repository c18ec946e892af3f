"""Computed metrics by hand, and what is known of them without numbers."""

from __future__ import annotations

import math

import pytest
import torch

from atpdsl.metrics import METRICS, Targets, TokenRows, metric_of
from tests.metrics.formulas import metric_call, sets_of
from tests.metrics.test_metrics import LOGITS, PARTITION

RIGHT, WRONG = (0, 3), (1,)


def rows(*tokens: int) -> TokenRows:
    ids = torch.tensor([tokens])
    return TokenRows(ids=ids, mask=torch.ones(ids.shape, dtype=torch.float64))


def targets_for(text: str, reference: torch.Tensor | None = None) -> Targets:
    right, wrong = rows(*RIGHT), rows(*WRONG)
    sets = sets_of(metric_call(text), RIGHT, WRONG)
    return Targets(
        answers=right.ids,
        foils=wrong.ids,
        answer_mask=right.mask,
        foil_mask=wrong.mask,
        reference=reference,
        sets=tuple(rows(*one) for one in sets),
    )


def value(text: str, logits: torch.Tensor = LOGITS) -> float:
    given = targets_for(text, torch.zeros_like(logits))
    return metric_of(metric_call(text)).compute(logits, given).item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logit(right)", 1.5),
        ("logit([0, 2, 3])", 2 / 3),
        ("logit(0..3)", 0.5),
        ("logit(right) - logit(wrong)", 1.5),
        ("logit(right) - 0.5 * logit([2, 3])", 1.5),
        ("-logit(right) / 3 + 1", 0.5),
        ("2 * (logit_diff - 1)", 1.0),
        ("prob(0)", math.exp(2) / PARTITION),
        ("prob([0, 3]) / prob(1)", math.exp(2) + math.exp(1)),
        ("logprob(wrong)", -math.log(PARTITION)),
        ("loss(wrong)", math.log(PARTITION)),
        ("logprob(right) - logprob(wrong)", math.log(math.exp(2) + math.exp(1))),
        ("rank(0)", 0),
        ("rank(2)", 3),
        ("rank([1, 2])", 2),
        ("rank(wrong) - rank(right)", 2),
    ],
)
def test_a_computed_metric_is_what_it_says(text, expected):
    assert value(text) == pytest.approx(expected, abs=1e-12)


def test_entropy_is_that_of_the_distribution():
    p = torch.softmax(LOGITS[0], -1)

    assert value("entropy") == pytest.approx(float(-(p * p.log()).sum()))
    assert value("entropy", torch.zeros(1, 4).double()) == pytest.approx(math.log(4))


def test_rank_counts_only_larger_logits_so_that_ties_are_not_held_against_a_token():
    tied = torch.tensor([[1.0, 1.0, 1.0, 0.0]], dtype=torch.float64)

    assert value("rank(1)", tied) == 0
    assert value("rank(3)", tied) == 3


def test_entries_that_the_mask_leaves_out_count_for_nothing():
    half = TokenRows(
        ids=torch.tensor([[1, 0]]), mask=torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    )
    one = rows(1)
    for reading in ("logit", "prob", "logprob", "loss", "rank"):
        text = f"{reading}(1)"
        metric = metric_of(metric_call(text))
        given = targets_for(text)
        found = [
            metric.compute(
                LOGITS,
                Targets(
                    answers=given.answers,
                    foils=given.foils,
                    answer_mask=given.answer_mask,
                    foil_mask=given.foil_mask,
                    sets=(tokens,),
                ),
            ).item()
            for tokens in (half, one)
        ]
        assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("logit(right) - logit(wrong)", "logit_diff"),
        ("prob(right) - prob(wrong)", "prob_diff"),
        ("logprob(right)", "logprob"),
        ("loss(right)", "nll"),
        ("-logprob(right)", "nll"),
        ("gap = logit_diff", "logit_diff"),
        ("distance = kl", "kl"),
    ],
)
def test_a_metric_and_its_definition_have_the_same_bits(text, name):
    logits = torch.randn(1, 4, generator=torch.Generator().manual_seed(2))
    results = []
    for metric in (metric_of(metric_call(text)), METRICS[name]):
        here = logits.clone().requires_grad_(True)
        found = metric.compute(here, targets_for(text, torch.zeros(1, 4)))
        (gradient,) = torch.autograd.grad(found.sum(), here)
        results.append((found.detach(), gradient))

    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize(
    "text",
    [
        "logit(right) - 0.5 * logit([1, 2])",
        "prob([0, 3]) / prob(1)",
        "logprob(right) * entropy",
        "kl - loss(wrong)",
        "1 / (1 + kl)",
    ],
)
def test_gradients_agree_with_finite_differences(text):
    metric = metric_of(metric_call(text))
    reference = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)).double()
    given = targets_for(text, reference)

    assert torch.autograd.gradcheck(
        lambda x: metric.compute(x, given), LOGITS.clone().requires_grad_(True)
    )


def test_probabilities_too_small_for_their_type_have_a_logarithm():
    far = torch.tensor([[0.0, -200.0, 0.0, 0.0]])

    assert value("logprob(1)", far) == pytest.approx(-200 - math.log(3), rel=1e-6)
    assert value("loss([1])", far) == pytest.approx(200 + math.log(3), rel=1e-6)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("logit(right)", "logits"),
        ("-0.5 * prob(right) + 1", "probability"),
        ("1 - prob(right)", "probability"),
        ("loss(right) - entropy", "nats"),
        ("rank(right)", "places"),
        ("logit(right) - prob(wrong)", "mixed units"),
        ("prob(right) / prob(wrong)", "ratio"),
        ("logit_diff / 2", "logits"),
        ("logit(right) * prob(right)", "logits x probability"),
        ("logit(right) / (logit(wrong) * kl)", "logits / (logits x nats)"),
        ("1 / kl", "1 / nats"),
    ],
)
def test_the_unit_follows_from_the_parts(text, unit):
    assert metric_of(metric_call(text)).unit == unit


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("2 * kl", True),
        ("kl + 1", True),
        ("-kl / 3", True),
        ("kl * logit_diff", True),
        ("kl * kl - 2", True),
        ("kl / logit_diff", True),
        ("kl + logit_diff", False),
        ("(kl + 1) * logit_diff", False),
        ("logit_diff / (kl + 1)", False),
        ("entropy", False),
    ],
)
def test_it_is_known_where_the_gradient_at_the_clean_run_is_zero(text, flat):
    metric = metric_of(metric_call(text))
    logits = torch.randn(1, 4, generator=torch.Generator().manual_seed(5)).double()
    here = logits.clone().requires_grad_(True)
    found = metric.compute(here, targets_for(text, logits))
    (gradient,) = torch.autograd.grad(found.sum(), here)

    assert metric.flat_at_clean is flat
    assert (gradient.abs().max().item() < 1e-12) is flat


def test_what_a_metric_needs_is_what_its_parts_need():
    assert metric_of(metric_call("1 - kl")).needs_reference
    assert not metric_of(metric_call("1 - entropy")).needs_reference
    assert metric_of(metric_call("logit(right)")).differentiable
    assert not metric_of(metric_call("logit(right) - rank(right)")).differentiable
