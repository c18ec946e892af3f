"""A native run in pieces, through which gradients are walked back by hand."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS
from atpdsl.nodes.attention import attention_write, block_input, mlp_write
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.native.backward import BlockBackward
from atpdsl.runtime.native.norms import pull_norm
from atpdsl.runtime.native.run import NativeRun
from atpdsl.runtime.native.weights import NativeModel
from atpdsl.runtime.pullback import in_groups
from atpdsl.runtime.sites import at_least_float32

Pull = Callable[[Tensor], dict[str, Tensor]]
INSIDE = ("heads.q", "heads.k", "heads.v", "heads.z", "neurons")
"""Kinds whose gradients a block's backward comes by."""
TOKENS_AT_ONCE = 2048
"""Rows of one matrix product, tokens times streams: more only take more memory."""


class NativePieces:
    """As `Pieces`, for the positions from `start` on.

    Args:
        logits: of the run, [pair, vocab], a leaf that the metric was computed from.
        release: let go of what was kept of a block once it has been walked.
        at_once: numbers of the streams that are pulled through a block together, fewer after
            memory ran out.
    """

    def __init__(
        self,
        model: NativeModel,
        run: NativeRun,
        logits: Tensor,
        start: int,
        *,
        release: bool,
        at_once: Halving | None = None,
    ) -> None:
        self._model, self._run, self._logits = model, run, logits
        self._start, self._release = start, release
        self._at_once = at_once or Halving(numbers_at_once(model))
        self._current: dict[int, BlockBackward] = {}

    @property
    def n_layers(self) -> int:
        """As in `Pieces`."""
        return len(self._model.blocks)

    def start(self, metric: Tensor) -> Tensor:
        """As in `Pieces`: through the metric, the unembedding and the last norm."""
        # Pairs do not meet in a batch: the gradient of the sum is each pair's own gradient.
        (gradient,) = torch.autograd.grad(
            metric, self._logits, grad_outputs=torch.ones_like(metric), retain_graph=True
        )
        model, stream = self._model, self._run.stream
        if model.soft_cap is not None:
            capped = at_least_float32(self._logits.detach()) / model.soft_cap
            gradient = gradient * (1 - capped.square())
        read = model.unembed.pull(gradient.to(stream.dtype))[:, None]
        pulled = pull_norm(model.final_norm, stream, read)
        return self._run.frame.spread_gradient(pulled[None], self._start)[0]

    def through(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """As in `Pieces`."""
        kinds = _kinds(layer, names)

        def pull(some: Tensor) -> dict[str, Tensor]:
            return self._through(layer, some, kinds, deeper=deeper)

        return self._named(layer, self._in_groups(pull, streams))

    def from_attention(
        self, layer: int, streams: Tensor, names: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        """As in `Pieces`."""
        kinds = _kinds(layer, names)

        def pull(some: Tensor) -> dict[str, Tensor]:
            back = self._backward(layer)
            below, found = back.attention(self._narrow(back, some), kinds, to_input=deeper)
            if "attn" in kinds:
                found["attn"] = self._narrow(back, some)
            if below is not None:
                found["resid.pre"] = below
            return self._wide(back, found)

        return self._named(layer, self._in_groups(pull, streams))

    def from_mlp(
        self, layer: int, streams: Tensor, names: Collection[str]
    ) -> dict[str, Tensor]:
        """As in `Pieces`."""
        kinds = _kinds(layer, names)

        def pull(some: Tensor) -> dict[str, Tensor]:
            back = self._backward(layer)
            mine = self._narrow(back, some)
            found = {"mlp": mine} if "mlp" in kinds else {}
            if "neurons" in kinds:
                found["neurons"] = back.neurons(mine)
            return self._wide(back, found)

        return self._named(layer, self._in_groups(pull, streams))

    def by_mlp(self, layer: int, plain: Tensor) -> Tensor | None:
        """As in `Pieces`."""
        return None if self._model.blocks[layer].parallel else self._through_mlp(layer, plain)

    def by_mlp_to_input(self, layer: int, plain: Tensor) -> Tensor | None:
        """As in `Pieces`."""
        return self._through_mlp(layer, plain)

    def to_embedding(self, streams: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """As in `Pieces`: the embedding is added to the stream as it is."""
        return dict.fromkeys(names, streams)

    def forget(self, layer: int) -> None:
        """As in `Pieces`."""
        self._current.clear()
        if self._release:
            self._run.traces[layer] = None

    def _through(
        self, layer: int, streams: Tensor, kinds: Collection[str], *, deeper: bool
    ) -> dict[str, Tensor]:
        back = self._backward(layer)
        mine = self._narrow(back, streams)
        parallel = self._model.blocks[layer].parallel
        attending = {"heads.q", "heads.k", "heads.v", "heads.z", "attn"} & set(kinds)
        if not deeper and not attending:
            found = {"neurons": back.neurons(mine)} if "neurons" in kinds else {}
            return self._wide(back, found | ({"mlp": mine} if "mlp" in kinds else {}))
        by_mlp, found = back.mlp(mine, kinds)
        around = mine + by_mlp
        write = mine if parallel else around
        below, inside = back.attention(write, kinds, to_input=deeper)
        found |= inside
        found |= {kind: t for kind, t in (("attn", write), ("mlp", mine)) if kind in kinds}
        if below is not None:
            if back.narrow.rest:
                self._run.frame.add_read(below, around, self._start)
            else:
                below += around
            found["resid.pre"] = below
        return self._wide(back, found)

    def _through_mlp(self, layer: int, plain: Tensor) -> Tensor:
        back = self._backward(layer)
        found, _ = back.mlp(self._narrow(back, plain[None]), ())
        return self._wide(back, {"mlp": found})["mlp"][0]

    def _backward(self, layer: int) -> BlockBackward:
        if layer not in self._current:
            trace = self._run.traces[layer]
            if trace is None:
                raise ValueError(f"nothing is kept of layer {layer}")
            block, frame = self._model.blocks[layer], self._run.frame
            self._current = {layer: BlockBackward(block, trace, frame, self._start)}
        return self._current[layer]

    def _narrow(self, back: BlockBackward, streams: Tensor) -> Tensor:
        if not back.narrow.rest:
            return streams
        return self._run.frame.read_gradient(streams, self._start)

    def _wide(self, back: BlockBackward, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """At all positions, where a gradient was computed for those read alone."""
        frame, narrow = self._run.frame, back.narrow
        wide = {"heads.k", "heads.v", "resid.pre"}
        if not narrow.queries:
            wide |= {"heads.q", "heads.z"}
        if not narrow.rest:
            return found
        return {
            kind: g if kind in wide else frame.spread_gradient(g, self._start)
            for kind, g in found.items()
        }

    def _in_groups(self, pull: Pull, streams: Tensor) -> dict[str, Tensor]:
        """All streams, some at a time."""
        groups = in_groups(streams, pull, self._at_once)
        if len(groups) == 1:
            return groups[0]
        return {kind: torch.cat([one[kind] for one in groups]) for kind in groups[0]}

    def _named(self, layer: int, found: dict[str, Tensor]) -> dict[str, Tensor]:
        return {NODE_KINDS[kind].site(layer).write: g for kind, g in found.items()}


def numbers_at_once(model: NativeModel) -> int:
    """Numbers of the streams that are pulled through a block together."""
    return TOKENS_AT_ONCE * model.unembed.weight.shape[1]


def _kinds(layer: int, names: Collection[str]) -> set[str]:
    """The kinds of nodes whose gradients are taken at these hooks."""
    of_hook = {NODE_KINDS[kind].site(layer).write: kind for kind in INSIDE}
    of_hook |= {attention_write(layer): "attn", mlp_write(layer): "mlp"}
    of_hook[block_input(layer)] = "resid.pre"
    return {of_hook[name] for name in names}
