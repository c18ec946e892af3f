"""The neurons of a layer, made anew from what the backward keeps anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from atpdsl.runtime.native.activations import Activation


@dataclass(frozen=True, slots=True, eq=False)
class Neurons:
    """Stands for the activations of a layer's neurons, [pair, pos, d_mlp], in a `Run`.

    Keeping them beside what their activation saw would be a fifth of all that a run keeps.
    They are a function of single numbers, so a part of them is computed from that part.

    Attributes:
        gate, up: as in `Written`.
    """

    gate: Tensor
    up: Tensor | None
    activation: Activation

    def __getitem__(self, index: Any) -> Tensor:
        """As of the tensor that it stands for."""
        hidden = self.activation.value(self.gate[index])
        return hidden if self.up is None else hidden * self.up[index]

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.gate.device

    @property
    def dtype(self) -> torch.dtype:
        """That of the model."""
        return self.gate.dtype
