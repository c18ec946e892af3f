"""One model in both engines, and prompts for them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS
from atpdsl.planning.ops import Forward, Place, Side
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.native.families import native_model
from atpdsl.runtime.native.weights import NativeModel
from atpdsl.runtime.prompts import Prompts
from tests.engine import loaded
from tests.small_models import N_LAYERS, PARALLEL, random_tokens, small_model

LENGTH = 9
# Positions are read inside the prompts too; sliding windows have 4 tokens.
READS = (8, 6, 8)


@cache
def model_of(family: str) -> LoadedModel:
    """A small model in float64; nobody changes it."""
    return loaded(small_model(family))


@cache
def weights_of(family: str) -> NativeModel:
    """The same as native code has it."""
    return native_model(model_of(family).bridge)


def engines(family: str) -> tuple[BridgeEngine, NativeEngine]:
    """Both engines on the same model."""
    return BridgeEngine(model_of(family)), NativeEngine(model_of(family))


def prompts(reads: tuple[int, ...] = READS, *, seed: int = 1) -> Prompts:
    """Random prompts, one for each of the positions that are read."""
    tokens = random_tokens(len(reads), LENGTH, seed=seed)
    return Prompts(tokens=tokens, reads=torch.tensor(reads))


def places(family: str) -> tuple[Place, ...]:
    """Every place that a small model has."""
    return tuple(
        sorted(
            Place(kind.name, layer)
            for kind in NODE_KINDS
            if not (kind.sequential_only and family in PARALLEL)
            for layer in (range(N_LAYERS) if kind.layered else (0,))
        )
    )


def forward(family: str, **more: object) -> Forward:
    """A run that keeps everything."""
    plain = Forward(batch=0, side=Side.CLEAN, captures=places(family), resumable=True)
    return replace(plain, **more)  # type: ignore[arg-type]


def randoms(like: Tensor, streams: int, *, seed: int = 3) -> Tensor:
    """Random cotangents of a tensor, [stream, *like.shape]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(streams, *like.shape, generator=generator, dtype=like.dtype)
