"""Exact direct effects: what is left of a patch when everything after the node stands still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from atpdsl.semantics.diagnosis import Cancellation, Column, Diagnosis, Flag, Number
from atpdsl.semantics.diagnosis import Test as Comparison
from atpdsl.semantics.experiment import Direction, VerifyCall
from tests.engine import (
    NOWHERE,
    execute,
    experiment,
    make_plan,
    optimized,
    shape_of,
    token_pair,
)
from tests.oracle.cases import SAME_LENGTH, node_sets, oracle_metric
from tests.oracle.dropped import holding
from tests.oracle.float64 import in_float64
from tests.oracle.plain import Node, capture, part, patched_logits, run
from tests.small_models import small_model

FLAG = Flag(
    condition=Comparison(operator=">", left=Column(name="index"), right=Number(value=5.0)),
    text="index > 5",
)
# In a block: attention, then the MLP (which in parallel blocks does not read it).
BEFORE_ATTENTION = {"embed", "resid.pre"}
AFTER_MLP = {"mlp", "neurons", "resid.post"}


def after(kind: str, layer: int, n_layers: int) -> list[tuple[str, int]]:
    """The contributions that come after a node."""
    first_attention = layer if kind in BEFORE_ATTENTION else layer + 1
    first_mlp = layer + 1 if kind in AFTER_MLP else layer
    return [
        *(("attn", later) for later in range(first_attention, n_layers)),
        *(("mlp", later) for later in range(first_mlp, n_layers)),
    ]


@pytest.mark.parametrize("executor", ["bridge", "native"])
@pytest.mark.parametrize(
    ("family", "direction"),
    [
        ("gpt2", Direction.NOISING),
        ("gpt2", Direction.DENOISING),
        ("neox", Direction.NOISING),
        ("neox-sequential", Direction.NOISING),
        ("gemma3", Direction.NOISING),
    ],
)
def test_direct_effects_are_those_of_a_model_that_stands_still(family, direction, executor):
    model = small_model(family)
    pairs = [
        token_pair(*row)
        for row in zip(
            SAME_LENGTH.clean,
            SAME_LENGTH.corrupted,
            SAME_LENGTH.answers,
            SAME_LENGTH.foils,
            strict=True,
        )
    ]
    with in_float64(model):
        sets = [
            replace(nodes, indices=(0, 7)) if nodes.kind == "neurons" else nodes
            for nodes in node_sets(model, SAME_LENGTH)
        ]
        asked = experiment(
            methods=[("atp", direction)],
            verify=VerifyCall(top=2, random=200, methods=("atp",), span=NOWHERE),
            diagnosis=Diagnosis(cancellation=Cancellation(flag=FLAG, direct_effect=True)),
        )
        plan = optimized(make_plan(pairs, sets, asked, shape_of(model.config)), executor)
        (verified,) = execute(model, plan, executor).verified

        base, donor = SAME_LENGTH.sides(direction)
        values, donated = capture(model, base), capture(model, donor)
        metric = oracle_metric(model, SAME_LENGTH, "logit_diff")
        unpatched = metric(run(model, base))
        n_layers = model.config.num_hidden_layers
        expected = []
        for number, flat in verified.nodes:
            nodes = sets[number]
            layer, index, position = np.unravel_index(flat, nodes.shape)
            node = Node(
                kind=nodes.kind,
                layer=nodes.layers[layer],
                index=nodes.indices[index],
                position=int(nodes.positions[position]),
            )
            value = part(donated[node.kind, node.layer], node)
            with holding(model, values, after(node.kind, node.layer, n_layers)):
                logits = patched_logits(model, base, node, value)
            expected.append(metric(logits) - unpatched)

    table = torch.stack(expected, dim=1).numpy()
    assert verified.direct is not None
    assert {sets[number].kind for number, _ in verified.nodes} >= {"heads.q", "mlp", "embed"}
    assert np.abs(table).max() > 0.1
    np.testing.assert_allclose(verified.direct.mean, table.mean(0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(verified.direct.mean_abs, np.abs(table).mean(0), atol=1e-9)
