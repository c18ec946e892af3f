"""What an unpatched native run keeps: for its backward, and for runs resumed from it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from atpdsl.runtime.native.block import Past, Trace
from atpdsl.runtime.native.frame import Frame


@dataclass(slots=True)
class Layer:
    """What is kept of a block's run.

    Attributes:
        input: the residual stream before it, [pair, pos, d_model].
        past: its keys and values, from position 0 on.
        output: z, [pair, pos, head, d_head].
    """

    input: Tensor
    past: Past
    output: Tensor


@dataclass(slots=True)
class NativeRun:
    """An unpatched run.

    Attributes:
        layers: kept for runs that are resumed, and for the run whose past this is.
        traces: kept for gradients; None once they are let go.
        stream: before the last norm, where the metric reads, [pair, 1, d_model].
    """

    frame: Frame
    layers: list[Layer]
    traces: list[Trace | None]
    stream: Tensor

    def forget(self) -> None:
        """No more gradients will be asked for."""
        self.traces.clear()
