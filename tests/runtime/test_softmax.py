from __future__ import annotations

import math

import pytest
import torch

from atpdsl.runtime.softmax import sigmoid_change, softmax_change


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


@pytest.mark.parametrize("odds", [-40.0, -3.0, 0.0, 0.5, 20.0])
@pytest.mark.parametrize("delta", [-60.0, -2.0, -1e-6, 0.0, 1e-6, 3.0, 60.0])
def test_the_change_of_a_sigmoid(odds, delta):
    found = sigmoid_change(torch.tensor(odds).double(), torch.tensor(delta).double())
    # The difference, by that of the smaller tails: 1 - logistic(x) is logistic(-x).
    tails = logistic(odds + delta) - logistic(odds)
    if odds > 0 and odds + delta > 0:
        tails = logistic(-odds) - logistic(-odds - delta)

    assert float(found) == pytest.approx(tails, rel=1e-8, abs=1e-22)


@pytest.mark.parametrize("odds", [-20.0, 0.3, 20.0])
@pytest.mark.parametrize("delta", [1e-6, -1e-6])
def test_a_small_change_of_a_saturated_sigmoid_keeps_its_digits_in_float32(odds, delta):
    found = sigmoid_change(torch.tensor(odds), torch.tensor(delta))
    slope = logistic(odds) * logistic(-odds)

    assert float(found) == pytest.approx(slope * delta, rel=2e-6)


@pytest.mark.parametrize("odds", [math.inf, -math.inf])
@pytest.mark.parametrize("delta", [-90.0, 0.0, 90.0])
def test_a_certain_weight_does_not_move(odds, delta):
    assert float(sigmoid_change(torch.tensor(odds), torch.tensor(delta))) == 0.0


@pytest.mark.parametrize("size", [1e-9, 1e-3, 0.9, 1.1, 5.0, 80.0])
def test_the_change_of_a_softmax(size):
    generator = torch.Generator().manual_seed(0)
    scores = 4 * torch.randn(3, 5, 7, generator=generator, dtype=torch.float64)
    delta = size * (2 * torch.rand(3, 5, 7, generator=generator, dtype=torch.float64) - 1)
    scores[:, :, 3] = -torch.inf
    pattern, change, linear = softmax_change(scores, delta)
    jacobian = torch.diag_embed(pattern) - pattern[..., None] * pattern[..., None, :]

    torch.testing.assert_close(pattern, scores.softmax(-1))
    torch.testing.assert_close(
        change, (scores + delta).softmax(-1) - scores.softmax(-1), rtol=1e-6, atol=1e-15
    )
    torch.testing.assert_close(linear, (jacobian @ delta[..., None])[..., 0])


def test_a_small_change_of_a_softmax_keeps_its_digits_in_float32():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(50, 7, generator=generator)
    delta = 1e-6 * torch.randn(50, 7, generator=generator)
    found = softmax_change(scores, delta)[1]
    exact = softmax_change(scores.double(), delta.double())[1]

    torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-12)
