"""Activation functions and their slopes."""

from __future__ import annotations

import pytest
import torch
from transformers.activations import ACT2FN

from atpdsl.runtime.native.activations import KNOWN, activation

X = torch.linspace(-4, 4, 41, dtype=torch.float64)
G = torch.linspace(1, 2, 41, dtype=torch.float64)


def refuse(x: torch.Tensor) -> torch.Tensor:
    raise AssertionError(f"the model's own function is not needed: {x}")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_names_are_transformers_functions_with_autograds_slopes(name):
    of = activation(name, refuse)
    leaf = X.clone().requires_grad_(True)
    expected = ACT2FN[name](leaf)
    (pulled,) = torch.autograd.grad(expected, leaf, G, retain_graph=True)
    (slope,) = torch.autograd.grad(expected.sum(), leaf)

    torch.testing.assert_close(of.value(X), expected.detach())
    torch.testing.assert_close(of.pull(G, X), pulled)
    torch.testing.assert_close(of.slope(X), slope)


@pytest.mark.parametrize("name", ["quick_gelu", "mish", "relu2", "tanh"])
def test_other_names_go_through_autograd_with_the_models_own_function(name):
    assert name not in KNOWN
    own = ACT2FN[name]
    of = activation(name, own)
    leaf = X.clone().requires_grad_(True)
    (pulled,) = torch.autograd.grad(own(leaf), leaf, G)

    with torch.no_grad():
        torch.testing.assert_close(of.value(X), own(X))
        torch.testing.assert_close(of.pull(G, X), pulled)
