"""The models in a TransformerLens bridge, and the engine's numbers for their nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformer_lens.model_bridge.sources.native import NativeModel

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.passes.merge_backwards import merge_backwards
from atpdsl.passes.merge_forwards import merge_forwards
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.semantics.experiment import Direction, MethodCall, MetricCall, RunSettings
from tests.engine import NOWHERE, experiment, make_plan, token_pair
from tests.known_circuits.models import KnownModel

ARCHITECTURE = "TransformerLensNative"
KINDS = ("heads.q", "heads.k", "heads.v", "heads.z", "mlp")
METHODS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "ap": ("ap", {}),
    "atp": ("atp", {}),
    "atp+qk_fix": ("atp", {"qk_fix": True}),
    "atp+grad_drop": ("atp", {"grad_drop": "every_layer"}),
    "atp*": ("atp*", {"qk_fix": True, "grad_drop": "every_layer"}),
}
"""The names that tables use, and the methods with their settings."""


class _Native(NativeModel):
    """TransformerLens' native model, with the argument that Hugging Face models have."""

    def forward(  # type: ignore[override]
        self, *args: Any, logits_to_keep: Tensor | None = None, **kwargs: Any
    ) -> Tensor:
        logits = super().forward(*args, **kwargs)
        return logits if logits_to_keep is None else logits[:, logits_to_keep]


def bridged(model: KnownModel, dtype: torch.dtype = torch.float64) -> LoadedModel:
    """A known model, ready to run."""
    config = TransformerBridgeConfig(**dict(model.config), architecture=ARCHITECTURE)
    native = _Native(config).to(dtype)
    native.load_state_dict(dict(model.weights))
    native.eval().requires_grad_(False)
    bridge = build_bridge_from_module(
        native, architecture=ARCHITECTURE, tl_config=config, tokenizer=None, dtype=dtype
    )
    bridge.eval().requires_grad_(False)
    return LoadedModel(
        bridge=bridge,
        shape=_shape(model),
        files=None,  # type: ignore[arg-type]
        device="cpu",
        dtype=str(dtype).removeprefix("torch."),
        n_parameters=0,
    )


def _shape(model: KnownModel) -> Any:
    """Only what plans look at."""
    return SimpleNamespace(
        family="known",
        n_layers=model.config["n_layers"],
        n_heads=model.config["n_heads"],
        n_kv_heads=model.config["n_heads"],
    )


def node_sets(model: KnownModel) -> tuple[NodeSet, ...]:
    """Every attention node and every MLP, at every position."""
    layers = tuple(range(model.config["n_layers"]))
    heads = tuple(range(model.config["n_heads"]))
    positions = tuple(str(position) for position in range(model.length))
    return tuple(
        NodeSet(
            kind=kind,
            layers=layers,
            indices=(0,) if kind == "mlp" else heads,
            positions=positions,
        )
        for kind in KINDS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One method on one pair: signed values and magnitudes, by node id."""

    signed: Mapping[str, float]
    magnitude: Mapping[str, float]


def measure(
    loaded: LoadedModel, model: KnownModel, number: int, names: Sequence[str] = tuple(METHODS)
) -> dict[str, Measured]:
    """Methods on one pair of a model, noising.

    Args:
        number: of the pair.
        names: of `METHODS`.
    """
    pair = model.pairs[number]
    at = {"read": (pair.read, pair.read)}
    tokens = token_pair(pair.clean, pair.corrupted, pair.answer, pair.foil, at)
    asked = experiment(
        metric=MetricCall(name="logit_diff", position="read", span=NOWHERE),
        run=RunSettings(per_pair=True),
    )
    calls = tuple(
        MethodCall(
            label=name,
            method=METHODS[name][0],
            direction=Direction.NOISING,
            settings=METHODS[name][1],
            span=NOWHERE,
        )
        for name in names
    )
    sets = node_sets(model)
    plan = make_plan([tokens], sets, replace(asked, methods=calls), loaded.shape)
    # That equal prefixes have equal activations is true of causal models only.
    merged = optimize(plan) if model.causal else merge_backwards(merge_forwards(plan))
    outcome = BridgeExecutor().execute(merged, loaded, Silent())
    return {
        method.call.label: Measured(
            signed=_by_node(sets, [s.mean for s in method.statistics]),
            magnitude=_by_node(sets, [s.mean_abs for s in method.statistics]),
        )
        for method in outcome.methods
    }


def _by_node(
    sets: Sequence[NodeSet], values: Sequence[NDArray[np.float64]]
) -> dict[str, float]:
    return {
        node_id(nodes, flat): float(value)
        for nodes, table in zip(sets, values, strict=True)
        for flat, value in enumerate(table.ravel())
    }


def node_id(nodes: NodeSet, flat: int) -> str:
    """As everywhere: `heads.q.L0.H1@2`, `mlp.L0@2`."""
    layer, index, position = nodes.at(flat)
    head = "" if nodes.kind == "mlp" else f".H{index}"
    return f"{nodes.kind}.L{layer}{head}@{position}"
