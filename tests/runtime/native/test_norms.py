"""Norms are the model's, and their gradients autograd's."""

from __future__ import annotations

import pytest
import torch

from atpdsl.runtime.native.norms import normed, pull_norm
from atpdsl.runtime.native.weights import Norm
from tests.runtime.native.twins import model_of, randoms, weights_of
from tests.small_models import no_downcast

X = randoms(torch.zeros(2, 5, 32, dtype=torch.float64), 1)[0]


def norm(*, centred: bool, bias: bool, dtype: torch.dtype = torch.float64) -> Norm:
    gain, offset = randoms(torch.zeros(32, dtype=torch.float64), 2)
    return Norm(
        gain=(1 + gain).to(dtype),
        bias=offset.to(dtype) if bias else None,
        eps=1e-3,
        centred=centred,
    )


def test_norms_are_those_of_the_model(family):
    bridge, model = model_of(family).bridge, weights_of(family)
    parts = [
        (bridge.ln_final, model.final_norm),
        (bridge.blocks[1].ln1, model.blocks[1].attention_norm),
        (bridge.blocks[1].ln2, model.blocks[1].mlp_norm),
    ]
    with no_downcast():
        for part, mine in parts:
            torch.testing.assert_close(normed(mine, X), part.original_component(X))


@pytest.mark.parametrize("streams", [None, 1, 4])
@pytest.mark.parametrize(("centred", "bias"), [(True, True), (True, False), (False, False)])
def test_gradients_are_autograds(centred, bias, streams):
    of = norm(centred=centred, bias=bias)
    leaf = X.clone().requires_grad_(True)
    given = randoms(X, streams or 1)
    found = pull_norm(of, X, given[0] if streams is None else given)

    expected = torch.stack(
        [torch.autograd.grad(normed(of, leaf), leaf, one)[0] for one in given]
    )
    torch.testing.assert_close(found, expected[0] if streams is None else expected)


@pytest.mark.parametrize("centred", [True, False])
def test_half_precision_is_computed_in_single_and_given_back_in_half(centred):
    of, wide = (
        norm(centred=centred, bias=centred, dtype=dtype)
        for dtype in (torch.bfloat16, torch.float64)
    )
    x, given = X.bfloat16(), randoms(X, 3).bfloat16()
    value, pulled = normed(of, x), pull_norm(of, x, given)

    assert value.dtype == pulled.dtype == torch.bfloat16
    expected = normed(wide, x.double()), pull_norm(wide, x.double(), given.double())
    torch.testing.assert_close(value.double(), expected[0], rtol=0.02, atol=0.02)
    torch.testing.assert_close(pulled.double(), expected[1], rtol=0.02, atol=0.05)
