"""A run in pieces, one per block, through which gradients are walked back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS
from atpdsl.nodes.attention import attention_write, block_input, mlp_write
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.pullback import Pullback
from atpdsl.runtime.segments import Segments


class Pieces(Protocol):
    """What a walk needs of a run; `names` are hooks, gradients are [stream, pair, pos, ...].

    A block must add to the residual stream what is at the writes of its attention and its
    MLP, and nothing else may pass from block to block.
    """

    @property
    def n_layers(self) -> int:
        """How many blocks there are."""
        ...

    def start(self, metric: Tensor) -> Tensor:
        """Gradient of the metric, [pair], at the output of the last block, [pair, pos, d]."""
        ...

    def through(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """From a block's output to places in it; to its input too if `deeper`.

        Raises:
            RunError: ATP405 when no gradient arrives at a place.
        """
        ...

    def from_attention(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """The same from what the attention writes, through the attention alone."""
        ...

    def from_mlp(
        self, layer: int, streams: Tensor, names: Collection[str]
    ) -> dict[str, Tensor]:
        """From what the MLP writes to places in the MLP."""
        ...

    def by_mlp(self, layer: int, plain: Tensor) -> Tensor | None:
        """What comes back through the MLP to the attention's write, both [pair, pos, d].

        None where the MLP does not read what the attention writes.
        """
        ...

    def by_mlp_to_input(self, layer: int, plain: Tensor) -> Tensor | None:
        """What comes back through the MLP to the block's input, where it reads that alone."""
        ...

    def to_embedding(self, streams: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """From the input of the first block to the embedding."""
        ...

    def forget(self, layer: int) -> None:
        """A block has been walked: what refers to its run may go."""
        ...


class GraphPieces:
    """The graph of a run through a bridge, cut at the blocks and pulled through by autograd.

    Args:
        sites: hook name -> the tensor in the graph that was seen there; with the writes of
            attention and MLP in every layer.
        release: let the graph go as it is walked.
        at_once: numbers of the gradients that go through a piece together.
    """

    def __init__(
        self,
        sites: dict[str, Tensor],
        segments: Segments,
        *,
        release: bool,
        at_once: Halving | None = None,
    ) -> None:
        self._sites, self._segments, self._release = sites, segments, release
        self._pull = Pullback(at_once)

    @property
    def n_layers(self) -> int:
        """As in `Pieces`."""
        return len(self._segments.inputs) - 1

    def start(self, metric: Tensor) -> Tensor:
        """As in `Pieces`."""
        # Pairs do not meet in a batch: the gradient of the sum is each pair's own gradient.
        (plain,) = torch.autograd.grad(
            metric,
            self._segments.inputs[-1],
            grad_outputs=torch.ones_like(metric),
            retain_graph=not self._release,
        )
        return plain

    def through(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """As in `Pieces`."""
        at = self._tensors(names) | (self._input(layer) if deeper else {})
        output = self._segments.outputs[layer + 1]
        return self._pull(output, at, streams, keep=not self._release)

    def from_attention(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """As in `Pieces`; the graph is kept."""
        at = self._tensors(names) | (self._input(layer) if deeper else {})
        return self._pull(self._sites[attention_write(layer)], at, streams, keep=True)

    def from_mlp(
        self, layer: int, streams: Tensor, names: Collection[str]
    ) -> dict[str, Tensor]:
        """As in `Pieces`; the graph is kept."""
        write = self._sites[mlp_write(layer)]
        return self._pull(write, self._tensors(names), streams, keep=True)

    def by_mlp(self, layer: int, plain: Tensor) -> Tensor | None:
        """As in `Pieces`; whether the MLP reads the attention's write is seen in the graph."""
        return self._through_mlp(layer, self._sites[attention_write(layer)], plain)

    def by_mlp_to_input(self, layer: int, plain: Tensor) -> Tensor | None:
        """As in `Pieces`."""
        return self._through_mlp(layer, self._segments.inputs[layer], plain)

    def to_embedding(self, streams: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """As in `Pieces`."""
        at = self._tensors(names)
        return self._pull(self._segments.outputs[0], at, streams, keep=True)

    def forget(self, layer: int) -> None:
        """As in `Pieces`."""
        if not self._release:
            return
        del self._segments.inputs[layer + 1 :], self._segments.outputs[layer + 1 :]
        for kind in NODE_KINDS:
            if kind.layered:
                self._sites.pop(kind.site(layer).write, None)

    def _through_mlp(self, layer: int, source: Tensor, plain: Tensor) -> Tensor | None:
        (found,) = torch.autograd.grad(
            self._sites[mlp_write(layer)],
            source,
            grad_outputs=plain,
            retain_graph=True,
            allow_unused=True,
        )
        return found

    def _input(self, layer: int) -> dict[str, Tensor]:
        return {block_input(layer): self._segments.inputs[layer]}

    def _tensors(self, names: Collection[str]) -> dict[str, Tensor]:
        return {name: self._sites[name] for name in sorted(names)}
