"""The plain model, and the floor that is measured with it."""

from __future__ import annotations

import pytest
import torch

from benchmarks.exact import plain_loop
from benchmarks.floor import floor, forward, hugging_face_floor
from benchmarks.models import hugging_face
from benchmarks.plain import LLAMA_TINY, TINY, Gpt2, Patch, plain_model
from benchmarks.prompts import ANSWER, FOIL, random_pairs


@pytest.fixture(params=[TINY, LLAMA_TINY], ids=lambda one: one.family)
def sizes(request):
    return request.param


@pytest.fixture
def both(sizes):
    model = hugging_face(sizes, attention="eager", dtype=torch.float64)
    return model, plain_model(model, sizes)


@pytest.fixture
def pairs(sizes):
    return random_pairs(3, 9, sizes.vocabulary)


def test_its_logits_are_those_of_the_hugging_face_model(both, pairs):
    model, plain = both
    with torch.no_grad():
        expected = model(pairs.clean).logits[:, -1]

    # Hugging Face casts the inputs of RMS norms and rotary angles to float32.
    assert torch.allclose(forward(plain, pairs.clean), expected, atol=1e-6)


def test_the_floor_has_the_gradient_of_every_site(both, pairs, sizes):
    model, plain = both
    hugging_face_floor(model, pairs)
    gradients = floor(plain, pairs)

    names = {f"{kind}.{n}" for kind in ("qkv", "z", "post", "mlp") for n in range(sizes.layers)}
    assert set(gradients) == names
    # The last MLP's output reaches the metric through the last norm alone.
    stream = torch.zeros_like(gradients["mlp.2"])
    assert not torch.equal(gradients["mlp.2"][:, -1], stream[:, -1])
    assert torch.equal(gradients["mlp.2"][:, :-1], stream[:, :-1])


def test_a_gradient_is_a_difference_quotient(both, pairs):
    _, plain = both
    gradient = floor(plain, pairs)["z.1"][:, 4]
    width = plain.sizes.head
    with torch.no_grad():
        kept = {}
        stream = plain.embed(pairs.clean)
        plain.logits(stream, sites=kept)
        value = kept["z.1"][:, 4, width : 2 * width]
        step = 1e-5 * torch.randn_like(value)
        there, back = (
            plain.logits(stream, patch=Patch("z", 1, 1, 4, value + sign * step))
            for sign in (1, -1)
        )
    slope = ((there - back)[:, ANSWER] - (there - back)[:, FOIL]) / 2
    expected = (gradient[:, width : 2 * width] * step).sum(-1)
    assert torch.allclose(slope, expected, rtol=1e-4, atol=1e-12)


def test_random_weights_need_no_other_library(pairs):
    plain = Gpt2.random(TINY)

    assert forward(plain, pairs.clean).isfinite().all()


def test_nodes_that_are_equal_have_no_effect_in_the_plain_loop(both, sizes):
    _, plain = both
    pairs = random_pairs(2, 6, sizes.vocabulary, shared=0.5)

    effects = plain_loop(plain, pairs)

    assert abs(effects["z"][:, :, :3]).max() < 1e-12
    assert abs(effects["z"][:, :, 3:]).max() > 1e-6
