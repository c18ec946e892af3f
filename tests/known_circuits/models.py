"""Models whose circuits are known: compiled programs from files, and models made by hand.

The files in `models/` are written by `python -m training.tracr.export`. Nothing here knows of
the engine, and nothing needs tracr or jax.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

MODELS = Path(__file__).parent / "models"
COMPILED = (
    "reverse",
    "histogram",
    "sort_unique",
    "shuffle_dyck",
    "detect_pattern",
    "induction",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair of prompts as token ids, and where and how the logit difference is read.

    Attributes:
        read: the position of the logits.
        answer, foil: output ids.
        effects: of the nodes that have one, by node id; every other node has none.
    """

    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    read: int
    answer: int
    foil: int
    effects: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A transformer without norms, and what is known of it.

    Attributes:
        config: shape of the model, by the names of TransformerLens' configuration.
        weights: float64, by the names of TransformerLens' native model.
        circuit: the heads (`heads.L0.H1`) and MLPs (`mlp.L2`) that do something.
    """

    name: str
    about: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    circuit: Mapping[str, str]
    pairs: tuple[Pair, ...]

    @property
    def causal(self) -> bool:
        """Whether attention sees earlier positions only."""
        return bool(self.config["attention_dir"] == "causal")

    @property
    def length(self) -> int:
        """Tokens in every prompt."""
        return len(self.pairs[0].clean)


@cache
def compiled(name: str) -> KnownModel:
    """One of `COMPILED`."""
    known = json.loads((MODELS / f"{name}.json").read_text())
    weights = load_file(MODELS / f"{name}.safetensors")
    return KnownModel(
        name=name,
        about=known["about"],
        config=known["config"],
        weights={key: tensor.to(torch.float64) for key, tensor in weights.items()},
        circuit={part["part"]: part["computes"] for part in known["circuit"]},
        pairs=tuple(
            Pair(
                clean=tuple(pair["clean"]),
                corrupted=tuple(pair["corrupted"]),
                read=pair["read"],
                answer=pair["answer"],
                foil=pair["foil"],
                effects=pair["effects"],
            )
            for pair in known["pairs"]
        ),
    )


def with_idle_layer(model: KnownModel) -> KnownModel:
    """The model with one more layer at its end, whose weights are all zero."""
    last = model.config["n_layers"]
    idle = {
        name.replace("layers.0.", f"layers.{last}."): torch.zeros_like(tensor)
        for name, tensor in model.weights.items()
        if name.startswith("layers.0.")
    }
    config = {**model.config, "n_layers": last + 1}
    return replace(model, config=config, weights={**model.weights, **idle})


def with_sharpness(model: KnownModel, sharpness: float) -> KnownModel:
    """The model with all attention scores times `sharpness`; its pairs' effects are unknown."""
    weights = {
        name: tensor * sharpness if ".attn.q." in name else tensor
        for name, tensor in model.weights.items()
    }
    pairs = tuple(replace(pair, effects={}) for pair in model.pairs)
    return replace(model, weights=weights, pairs=pairs)
