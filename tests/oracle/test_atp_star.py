"""AtP* as the engine runs it, against brute force: L frozen models and softmaxes row by row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import MethodOutcome
from atpdsl.semantics.diagnosis import Cancellation, Column, Diagnosis, Flag, Number, Saturation
from atpdsl.semantics.diagnosis import Test as Comparison
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import (
    execute,
    experiment,
    make_plan,
    optimized,
    shape_of,
    token_pair,
)
from tests.oracle import dropped as slow
from tests.oracle.attention import Fix
from tests.oracle.cases import SAME_LENGTH, Floats, node_set, oracle_metric
from tests.oracle.families import VECTOR_KINDS
from tests.oracle.float64 import in_float64
from tests.oracle.plain import Activations, capture
from tests.small_models import FAMILIES, N_LAYERS, small_model

STREAM = ("embed", "resid.pre", "resid.mid", "resid.post")
KINDS = ("heads.q", "heads.k", "heads.v", "heads.z", "attn", "mlp", "neurons")
EXACT = {"rtol": 0, "atol": 1e-9}
FLAG = Flag(
    condition=Comparison(operator=">", left=Column(name="index"), right=Number(value=5.0)),
    text="index > 5",
)
EVERYTHING = Diagnosis(cancellation=Cancellation(flag=FLAG), saturation=Saturation(flag=FLAG))
DROPS = {
    "every_layer": slow.whole_layers(N_LAYERS),
    "every_sublayer": slow.sublayers(N_LAYERS),
}


@cache
def the_model(family: str) -> nn.Module:
    return small_model(family)


def node_sets(model: nn.Module, kinds: Sequence[str]) -> list[NodeSet]:
    positions = [str(position) for position in range(SAME_LENGTH.longest)]
    return [node_set(model, kind, positions) for kind in kinds]


def star(
    model: nn.Module,
    sets: Sequence[NodeSet],
    direction: Direction = Direction.NOISING,
    *,
    drop: str = "every_layer",
    qk_fix: bool = True,
    batch: int | None = None,
    passes: bool = True,
    diagnosis: Diagnosis = EVERYTHING,
    executor: str = "bridge",
) -> MethodOutcome:
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
    asked = experiment(
        methods=[("atp*", direction)],
        settings={"qk_fix": qk_fix, "grad_drop": drop},
        diagnosis=diagnosis,
        run=RunSettings(per_pair=True, batch=batch),
    )
    plan = make_plan(pairs, sets, asked, shape_of(model.config))
    plan = optimized(plan, executor) if passes else plan
    (found,) = execute(model, plan, executor).methods
    return found


@cache
def estimates(family: str, kind: str, direction: Direction, held: slow.Held) -> Tensor:
    """By brute force, [pair, layer, index, position], with contributions held."""
    model = the_model(family)
    base, donor = SAME_LENGTH.sides(direction)
    metric = oracle_metric(model, SAME_LENGTH, "logit_diff")
    gradients = slow.gradients(model, base, metric, held)
    clean, other = capture(model, base), capture(model, donor)
    layers = [layer for name, layer in sorted(clean) if name == kind]
    if kind in ("heads.q", "heads.k"):
        found = [fixed(model, kind, layer, clean, other, gradients) for layer in layers]
    else:
        products = [
            (other[kind, layer] - clean[kind, layer]) * gradients[kind, layer]
            for layer in layers
        ]
        found = [_own_dimensions(product, kind) for product in products]
    return torch.stack(found, dim=1)


def _own_dimensions(product: Tensor, kind: str) -> Tensor:
    """[pair, pos, ...] -> [pair, index, pos]."""
    if kind in VECTOR_KINDS:
        return product.sum(-1)[:, None]
    return (product if kind == "neurons" else product.sum(-1)).transpose(1, 2)


def fixed(
    model: nn.Module,
    kind: str,
    layer: int,
    clean: Activations,
    other: Activations,
    gradients: Activations,
) -> Tensor:
    """The QK fix of every query or key of a layer, [pair, index, pos]."""
    fix = Fix(model, layer, clean, gradients["heads.z", layer])
    mine, theirs = clean[kind, layer], other[kind, layer]
    found = torch.zeros(len(mine), mine.shape[2], mine.shape[1], dtype=mine.dtype)
    for index in range(mine.shape[2]):
        for position in range(mine.shape[1]):
            new = mine.clone()
            new[:, position, index] = theirs[:, position, index]
            found[:, index, position] = fix.estimate(kind, new)
    return found


def magnitude(family: str, kind: str, direction: Direction, drop: str) -> Floats:
    """Kramar et al. 2024, eq. 11; a node in a layer is zero when it is dropped itself."""
    held = [tuple(one) for one in DROPS[drop]]
    total = sum(estimates(family, kind, direction, one).abs() for one in held)
    own = 0 if kind in STREAM else 1
    return (total / (len(held) - own)).mean(0).numpy()


@pytest.mark.parametrize("executor", ["bridge", "native"])
@pytest.mark.parametrize(
    ("family", "direction", "drop"),
    [
        *((family, Direction.NOISING, "every_layer") for family in FAMILIES),
        ("gpt2", Direction.DENOISING, "every_layer"),
        ("qwen3", Direction.DENOISING, "every_sublayer"),
        ("neox", Direction.NOISING, "every_sublayer"),
    ],
)
def test_atp_star_is_what_its_definition_says(family, direction, drop, executor):
    model = the_model(family)
    with in_float64(model):
        kinds = (*KINDS, "resid.pre", "resid.post", "embed")
        sets = node_sets(model, kinds)
        found = star(model, sets, direction, drop=drop, batch=2, executor=executor)
        for kind, statistics in zip(kinds, found.statistics, strict=True):
            plain = estimates(family, kind, direction, ())
            expected = magnitude(family, kind, direction, drop)
            assert expected.max() > 1e-2
            np.testing.assert_allclose(statistics.mean_abs, expected, **EXACT, err_msg=kind)
            np.testing.assert_allclose(statistics.mean, plain.mean(0), **EXACT)
            fix_only = statistics.extra["qk_fix"]
            np.testing.assert_allclose(fix_only, plain.abs().mean(0), **EXACT)


def test_saturation_compares_plain_estimates_with_the_fix_though_they_are_not_fixed():
    model = the_model("qwen3")
    direction = Direction.NOISING
    with in_float64(model):
        sets = node_sets(model, ("heads.q", "heads.k"))
        fixed = star(model, sets, drop="off")
        plain = star(model, sets, drop="off", qk_fix=False)
        signed = [estimates("qwen3", nodes.kind, direction, ()).numpy() for nodes in sets]

    assert plain.per_pair is not None
    for one, other, first, exact in zip(
        plain.statistics, fixed.statistics, plain.per_pair, signed, strict=True
    ):
        assert np.abs(one.mean_abs - other.mean_abs).max() > 1e-2
        np.testing.assert_allclose(one.mean_abs, other.extra["atp"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(one.extra["qk_fix"], other.mean_abs, rtol=0, atol=1e-12)
        change = np.abs(exact - first).mean(0)
        np.testing.assert_allclose(one.extra["fix_change"], change, rtol=0, atol=1e-8)
        np.testing.assert_allclose(other.extra["fix_change"], change, rtol=0, atol=1e-8)


def test_the_plain_estimate_is_kept_beside_the_corrected_one():
    model = the_model("llama")
    with in_float64(model):
        sets = node_sets(model, KINDS)
        found = star(model, sets)
        asked = experiment(methods=[("atp", Direction.NOISING)])
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
        plan = optimized(make_plan(pairs, sets, asked, shape_of(model.config)))
        (plain,) = execute(model, plan).methods

    for corrected, first_order in zip(found.statistics, plain.statistics, strict=True):
        np.testing.assert_allclose(
            corrected.extra["atp"], first_order.mean_abs, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("executor", ["bridge", "native"])
@pytest.mark.parametrize("drop", ["every_layer", "every_sublayer", "first_reader"])
def test_batches_and_passes_change_nothing(drop, executor):
    model = the_model("neox-sequential")
    with in_float64(model):
        sets = node_sets(model, ("heads.k", "heads.z", "neurons", "resid.mid"))
        runs = [
            star(model, sets, drop=drop, batch=batch, passes=passes, executor=executor)
            for batch, passes in ((None, True), (1, True), (2, False))
        ]
    for other in runs[1:]:
        for one, two in zip(runs[0].statistics, other.statistics, strict=True):
            np.testing.assert_allclose(two.mean_abs, one.mean_abs, rtol=0, atol=1e-12)
            assert one.extra.keys() == two.extra.keys()
            # A node that the metric cannot see has the sign of its rounding where it is run.
            for name in one.extra.keys() - {"positive", "negative"}:
                np.testing.assert_allclose(
                    two.extra[name], one.extra[name], rtol=0, atol=1e-12, err_msg=name
                )


def test_parts_sum_to_the_estimate_and_the_direct_one_is_among_them():
    model = the_model("qwen3")
    with in_float64(model):
        found = star(model, node_sets(model, KINDS), batch=1)

    for statistics in found.statistics:
        last = statistics.extra["direct"][-1]
        # Nothing reads what the last layer's MLP writes but the logits.
        terms, size = statistics.extra["terms"], statistics.extra["qk_fix"]
        assert (terms >= size - 1e-12).all()
        assert (terms >= np.abs(statistics.extra["direct"]) - 1e-12).all()
        if statistics is found.statistics[KINDS.index("mlp")]:
            np.testing.assert_allclose(last, statistics.mean[-1], rtol=0, atol=1e-12)
