"""Metrics by hand, on logits small enough to work out."""

from __future__ import annotations

import math

import pytest
import torch

from atpdsl.metrics import METRICS, Targets

LOGITS = torch.tensor([[2.0, 0.0, -1.0, 1.0]], dtype=torch.float64)
PARTITION = math.exp(2) + math.exp(0) + math.exp(-1) + math.exp(1)


def targets(answers=(0,), foils=(1,), reference=None) -> Targets:
    return Targets(
        answers=torch.tensor([answers]),
        foils=torch.tensor([foils]),
        answer_mask=torch.ones((1, len(answers)), dtype=torch.float64),
        foil_mask=torch.ones((1, len(foils)), dtype=torch.float64),
        reference=reference,
    )


def value(name: str, given: Targets, logits: torch.Tensor = LOGITS) -> float:
    return METRICS[name].compute(logits, given).item()


def test_logit_difference_is_right_minus_wrong():
    assert value("logit_diff", targets()) == 2.0


def test_logit_difference_averages_over_several_answers():
    assert value("logit_diff", targets(answers=(0, 3), foils=(1, 2))) == 1.5 - (-0.5)


def test_probability_difference_adds_up_the_probabilities_of_each_side():
    expected = (math.exp(2) + math.exp(1) - math.exp(-1)) / PARTITION
    assert value("prob_diff", targets(answers=(0, 3), foils=(2,))) == pytest.approx(expected)


def test_log_probability_of_several_answers_is_that_of_their_union():
    expected = math.log((math.exp(2) + math.exp(1)) / PARTITION)
    assert value("logprob", targets(answers=(0, 3))) == pytest.approx(expected)


def test_negative_log_likelihood_is_the_log_probability_with_the_other_sign():
    assert value("nll", targets()) == -value("logprob", targets())


def test_kl_is_zero_at_its_reference_and_positive_elsewhere():
    given = targets(reference=LOGITS)

    assert value("kl", given) == 0.0
    assert value("kl", given, LOGITS + torch.tensor([[1.0, 0, 0, 0]])) > 0.01


def test_kl_is_measured_from_the_clean_run():
    other = torch.zeros_like(LOGITS)
    p = torch.softmax(LOGITS, -1)
    expected = float((p * (p.log() + math.log(4))).sum())

    assert value("kl", targets(reference=LOGITS), other) == pytest.approx(expected)


def test_kl_without_a_reference_is_an_error():
    with pytest.raises(ValueError, match="clean run"):
        METRICS["kl"].compute(LOGITS, targets())


def test_entries_that_the_mask_leaves_out_count_for_nothing():
    masked = Targets(
        answers=torch.tensor([[0, 2]]),
        foils=torch.tensor([[1, 3]]),
        answer_mask=torch.tensor([[1.0, 0.0]], dtype=torch.float64),
        foil_mask=torch.tensor([[1.0, 0.0]], dtype=torch.float64),
    )

    for name in ("logit_diff", "prob_diff", "logprob", "nll"):
        assert value(name, masked) == pytest.approx(value(name, targets()))


@pytest.mark.parametrize("name", METRICS.names)
def test_gradients_agree_with_finite_differences(name):
    reference = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)).double()
    given = targets(answers=(0, 3), reference=reference)
    logits = LOGITS.clone().requires_grad_(True)

    assert torch.autograd.gradcheck(lambda x: METRICS[name].compute(x, given), logits)


@pytest.mark.parametrize("name", METRICS.names)
def test_each_pair_has_a_value_of_its_own(name):
    logits = torch.cat([LOGITS, LOGITS.flip(-1)])
    one = targets(reference=torch.zeros_like(LOGITS))
    two = Targets(
        answers=one.answers.repeat(2, 1),
        foils=one.foils.repeat(2, 1),
        answer_mask=one.answer_mask.repeat(2, 1),
        foil_mask=one.foil_mask.repeat(2, 1),
        reference=torch.zeros_like(logits),
    )

    both = METRICS[name].compute(logits, two)
    alone = METRICS[name].compute(LOGITS, one)
    assert both.shape == (2,)
    assert both[0] == alone[0]
