"""What a float64 model of the Hugging Face library needs to compute in float64."""

from __future__ import annotations

import pytest
import torch

from tests.oracle.float64 import in_float64
from tests.oracle.plain import run
from tests.small_models import FAMILIES, small_model

TOKENS = torch.tensor([[0, 11, 23, 7, 42, 5]])


def normal(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def last_norm(model: torch.nn.Module) -> torch.nn.Module:
    return model.model.norm


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gemma3"])
def test_rms_norm_is_exact_inside_and_rounded_to_float32_outside(family):
    model = small_model(family)
    norm = last_norm(model)
    x = normal(3, model.config.hidden_size)
    gain = norm.weight + 1 if family == "gemma3" else norm.weight
    exact = gain * x / (x.pow(2).mean(-1, keepdim=True) + model.config.rms_norm_eps).sqrt()
    outside = norm(x)
    with in_float64(model):
        inside = norm(x)

    torch.testing.assert_close(inside, exact, rtol=0, atol=1e-14)
    assert (outside - exact).abs().max() > 1e-9


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_move_by_float32_rounding_at_most_and_not_at_all_in_gpt2(family):
    model = small_model(family)
    outside = run(model, TOKENS)
    with in_float64(model):
        inside = run(model, TOKENS)

    torch.testing.assert_close(inside, outside, rtol=1e-4, atol=1e-4)
    assert inside.dtype == torch.float64
    assert torch.equal(inside, outside) == (family == "gpt2")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_difference_of_a_logit_is_smooth_inside(family):
    """f(h) - 2 f(0) + f(-h) is of order h squared; float32 rounding would drown it."""
    model = small_model(family)
    embedding = model.get_input_embeddings().weight
    direction = normal(*embedding.shape)
    original = embedding.detach().clone()

    def logits(step: float) -> torch.Tensor:
        with torch.no_grad():
            embedding.copy_(original + step * direction)
        return run(model, TOKENS)[0, -1]

    with in_float64(model):
        second = [(logits(h) - 2 * logits(0) + logits(-h)) / h**2 for h in (1e-5, 2e-5)]

    # Rounding of logits to 1e-14 is 1e-4 here, of 1e-7 would be 1e+3.
    torch.testing.assert_close(second[0], second[1], rtol=1e-4, atol=1e-2)


def test_other_dtypes_are_cast_as_asked():
    with in_float64(small_model("gpt2")):
        half = torch.ones(2, dtype=torch.bfloat16)
        whole = torch.ones(2, dtype=torch.int64)
        double = torch.ones(2, dtype=torch.float64)

        assert half.float().dtype == torch.float32
        assert whole.to(torch.float32).dtype == torch.float32
        assert double.to(torch.bfloat16).dtype == torch.bfloat16
        assert double.softmax(-1, dtype=torch.float32).dtype == torch.float64
    assert double.float().dtype == torch.float32


def test_a_float32_model_is_refused():
    with (
        pytest.raises(ValueError, match="not float64"),
        in_float64(small_model("gpt2", torch.float32)),
    ):
        pass
