"""Nothing is made on another device than the model's, and precision is as it is said to be."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS
from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.load import DTYPES, LoadedModel
from atpdsl.runtime.native.agreement import checked_engine
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.sites import in_float64
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, shape_of, token_pair
from tests.families import FAMILIES, PARALLEL
from tests.runtime.elsewhere import THERE, There, elsewhere
from tests.runtime.failing import assert_same
from tests.runtime.test_running_out import SAMPLED
from tests.small_models import N_LAYERS, small_model

NOISING, DENOISING = Direction.NOISING, Direction.DENOISING
PAIRS = [
    # Of different lengths, so that rows are read at different positions.
    token_pair([0, 2, 3, 4, 5, 6], [0, 2, 13, 4, 15, 6], 20, 30, {"S": (2, 2)}),
    token_pair([0, 7, 8, 9, 10], [0, 17, 8, 19, 10], 21, 31, {"S": (1, 1)}),
    token_pair([0, 4, 5, 6], [0, 4, 5, 26], 22, 32, {"S": (3, 3)}),
]
DEVICE = str(THERE)
VERIFY = VerifyCall(top=4, random=4, methods=("atp*",), span=NOWHERE)


def node_sets(family: str) -> tuple[NodeSet, ...]:
    """Every kind that the family has; its last head, and some neurons."""
    kinds = [
        kind
        for kind in NODE_KINDS
        if kind.name != "embed" and not (kind.sequential_only and family in PARALLEL)
    ]
    return tuple(
        NodeSet(
            kind=kind.name,
            layers=(0, N_LAYERS - 1),
            indices=(0, 1) if kind.name.startswith(("heads", "neurons")) else (0,),
            positions=("1", "2", "last") if kind.name != "mlp" else ("sequence",),
        )
        for kind in kinds
    )


def planned(hf_model: Any, family: str, target: Any, metric: str = "logit_diff") -> Any:
    asked = experiment(
        metric=metric,
        methods=(("atp*", NOISING), ("ap", DENOISING)),
        settings={"qk_fix": True, "grad_drop": "every_layer"},
        # The gradient of a distance is zero where it is: its estimates are in no order.
        verify=None if metric == "kl" else VERIFY,
        diagnosis=None if metric == "kl" else SAMPLED,
        run=RunSettings(per_pair=True, batch=2),
    )
    asked = replace(asked, nodes=(SimpleNamespace(span=NOWHERE),))  # type: ignore[arg-type]
    plan = make_plan(PAIRS, node_sets(family), asked, shape_of(hf_model.config))
    return replace(optimize(plan, target), rows_per_call=24)


def moved(model: LoadedModel) -> LoadedModel:
    """The model on a device that is not there."""
    for module in [*model.bridge.modules(), *model.bridge.original_model.modules()]:
        for table in (module._parameters, module._buffers):
            for name, tensor in table.items():
                if tensor is not None and not isinstance(tensor, There):
                    table[name] = There(tensor.data)
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor) and not isinstance(value, There):
                setattr(module, name, There(value))
    return replace(model, device=DEVICE)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_native_engine_makes_everything_on_the_device_of_the_model(family: str) -> None:
    hf_model = small_model(family, torch.float64)
    plan = planned(hf_model, family, NATIVE)
    expected = interpret(plan, [NativeEngine(loaded(hf_model))], Silent())

    model = moved(loaded(hf_model))
    with elsewhere():
        engine = NativeEngine(model)
        found = interpret(plan, [engine], Silent())

    assert_same(found, expected, atol=1e-10)


@pytest.mark.parametrize("metric", ["prob_diff", "nll", "kl"])
def test_metrics_are_computed_on_the_device_of_the_model(metric: str) -> None:
    hf_model = small_model("gpt2", torch.float64)
    plan = planned(hf_model, "gpt2", NATIVE, metric)
    expected = interpret(plan, [NativeEngine(loaded(hf_model))], Silent())

    with elsewhere():
        found = interpret(plan, [NativeEngine(moved(loaded(hf_model)))], Silent())

    assert_same(found, expected, atol=1e-10)


def test_the_pretended_device_refuses_what_a_real_one_does() -> None:
    with elsewhere():
        one = torch.arange(3.0, device=THERE)
        assert one.device == THERE
        with pytest.raises(RuntimeError, match="given tensors on cpu"):
            one + torch.arange(3.0)
        with pytest.raises(RuntimeError, match="given tensors on cpu"):
            one[torch.tensor([1])]
        assert (one + torch.tensor(1.0)).cpu().tolist() == [1.0, 2.0, 3.0]


def test_float64_is_taken_where_a_device_has_none() -> None:
    assert in_float64(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float64


HALF = {"bfloat16": 0.15, "float16": 0.03}
"""How far scores may be from those of float32, relative to them all, as vectors."""
ROUNDINGS = 4
"""And so many roundings of the metric, in effects: those are differences of two metrics."""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["native", "bridge"])
def test_half_precision_is_near_single_precision_of_the_same_weights(
    family: str, dtype: str, name: str
) -> None:
    rounded = small_model(family, DTYPES[dtype], scale=0.15)
    single = copy.deepcopy(rounded).float()
    target = NATIVE if name == "native" else BRIDGE
    plan = planned(rounded, family, target)

    found = _ran(rounded, dtype, name, plan)
    expected = _ran(single, "float32", name, plan)

    size = max(np.abs(expected.clean_metric).max(), np.abs(expected.corrupted_metric).max())
    rounding = ROUNDINGS * torch.finfo(DTYPES[dtype]).eps * max(size, 1.0)
    for mine, theirs in zip(found.methods, expected.methods, strict=True):
        for a, b, nodes in zip(mine.statistics, theirs.statistics, mine.sets, strict=True):
            assert a.mean_abs.dtype == np.float64
            off, most = (np.sqrt(np.mean(x**2)) for x in (a.mean_abs - b.mean_abs, b.mean_abs))
            allowed = HALF[dtype] * most + mine.exact * rounding
            assert off <= allowed, (mine.call.method, nodes.kind, off, allowed)


def _ran(hf_model: nn.Module, dtype: str, name: str, plan: Any) -> Outcome:
    model = replace(loaded(hf_model), dtype=dtype)
    engine = NativeEngine(model) if name == "native" else BridgeEngine(model)
    return interpret(plan, [engine], Silent())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_native_engine_agrees_with_the_bridge_in_half_precision(
    family: str, dtype: str
) -> None:
    model = replace(loaded(small_model(family, DTYPES[dtype], scale=0.15)), dtype=dtype)
    shape = replace(model.shape, parallel=family in PARALLEL)

    engine, reason = checked_engine(replace(model, shape=shape))

    assert (engine is not None, reason) == (True, "")


def test_logits_and_scores_are_at_least_float32() -> None:
    hf_model = small_model("llama", torch.bfloat16)
    engine = NativeEngine(replace(loaded(hf_model), dtype="bfloat16"))
    seen: list[torch.dtype] = []
    run = engine.run

    def kept(*arguments: Any) -> Any:
        made = run(*arguments)
        seen.append(made.logits.dtype)
        assert {t.dtype for t in made.values.values()} == {torch.bfloat16}
        return made

    engine.run = kept  # type: ignore[method-assign]
    interpret(planned(hf_model, "llama", NATIVE), [engine], Silent())

    assert set(seen) == {torch.float32}


def test_a_model_on_several_devices_is_run_through_the_bridge() -> None:
    model = loaded(small_model("gpt2", torch.float64))
    layer = model.bridge.original_model.transformer.h[1].mlp.c_proj
    layer.weight = nn.Parameter(layer.weight.to("meta"), requires_grad=False)

    engine, reason = checked_engine(model)

    assert engine is None
    assert reason == "its weights are on several devices (cpu, meta)"


def test_a_split_model_gives_the_same_numbers() -> None:
    """Here with all its layers at home; that on several devices is for a machine with them."""
    hf_model = small_model("llama", torch.float64)
    plan = planned(hf_model, "llama", BRIDGE)
    whole = loaded(hf_model)

    expected = EXECUTORS["bridge"].make().execute(plan, whole, Silent())
    found = EXECUTORS["bridge"].make().execute(plan, replace(whole, split=True), Silent())

    assert_same(found, expected, atol=0)
