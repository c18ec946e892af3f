"""Where places are in the model, and in which precision scores are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS, Site, Unit
from atpdsl.nodes.attention import attention_write, mlp_write
from atpdsl.planning.ops import Place

HookFunction = Callable[[Tensor, Any], Tensor]
"""(activation, hook point) -> the activation that the model goes on with."""


def site_of(place: Place) -> Site:
    """The hooks of a place."""
    return NODE_KINDS[place.kind].site(place.layer)


def unit_axis(place: Place) -> Unit:
    """What the units of a place are."""
    return NODE_KINDS[place.kind].unit


def contributions(layer: int) -> tuple[str, str]:
    """Hooks of what a layer's attention and MLP add to the residual stream."""
    return attention_write(layer), mlp_write(layer)


def at_least_float32(tensor: Tensor) -> Tensor:
    """Half precision made single; scores are never summed in 16 bits."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def in_float64(tensor: Tensor) -> Tensor:
    """The tensor in float64, on the CPU where its device has none."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()
