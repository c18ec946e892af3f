"""GradDrop's magnitudes from the whole engine against the plain model, for every node."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from atpdsl.passes import optimize
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import execute, experiment, make_plan, shape_of, token_pair
from tests.oracle import dropped as slow
from tests.oracle.cases import SAME_LENGTH, Floats, node_sets
from tests.oracle.float64 import in_float64
from tests.oracle.metrics import logit_diff
from tests.oracle.plain import Activations, capture
from tests.small_models import small_model

PAIRS = SAME_LENGTH
METRIC = logit_diff([[a] for a in PAIRS.answers], [[f] for f in PAIRS.foils])
HELD = {"every_layer": slow.whole_layers(3), "every_sublayer": slow.sublayers(3)}
IN_STREAM = ("resid.pre", "resid.mid", "resid.post", "embed")


def by_engine(model: nn.Module, grad_drop: str) -> dict[tuple[str, int], Floats]:
    """(kind, layer) -> mean over pairs of the magnitude, [index, position]."""
    asked = experiment(
        methods=(("atp*", Direction.NOISING),),
        settings={"qk_fix": False, "grad_drop": grad_drop},
        run=RunSettings(batch=2),
    )
    pairs = [
        token_pair(*row)
        for row in zip(PAIRS.clean, PAIRS.corrupted, PAIRS.answers, PAIRS.foils, strict=True)
    ]
    sets = node_sets(model, PAIRS)
    outcome = execute(model, optimize(make_plan(pairs, sets, asked, shape_of(model.config))))
    return {
        (nodes.kind, layer): table
        for nodes, found in zip(sets, outcome.methods[0].statistics, strict=True)
        for layer, table in zip(nodes.layers, found.mean_abs, strict=True)
    }


def magnitudes(
    change: Activations, key: tuple[str, int], gradients: list[Activations]
) -> Tensor:
    """Eq. 11 as it is written, [pair, index, position]."""
    products = torch.stack([change[key] * gradient[key] for gradient in gradients])
    if key[0] != "neurons":
        products = products.sum(-1)
    if products.dim() == 3:
        products = products[..., None]
    mean = products.abs().mean(0).transpose(1, 2)
    drops = len(gradients)
    return mean if key[0] in IN_STREAM else mean * drops / (drops - 1)


@pytest.mark.parametrize("grad_drop", list(HELD))
@pytest.mark.parametrize("family", ["gpt2", "neox", "qwen3", "gemma3"])
def test_every_node_has_the_mean_over_drops(family, grad_drop):
    with in_float64(small_model(family)) as model:
        found = by_engine(model, grad_drop)
        base, donor = PAIRS.sides(Direction.NOISING)
        start, end = capture(model, base), capture(model, donor)
        gradients = [slow.gradients(model, base, METRIC, held) for held in HELD[grad_drop]]
    change = {key: end[key] - value for key, value in start.items()}

    assert found.keys() == change.keys()
    for key, table in found.items():
        expected = magnitudes(change, key, gradients).mean(0).numpy()
        assert expected.max() > 1e-4
        np.testing.assert_allclose(table, expected, rtol=0, atol=1e-12, err_msg=str(key))
