"""The engine without a framework in between: torch operations on the model's own weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from atpdsl.planning.ops import Backward, Forward, Place
from atpdsl.runtime.attention import AttentionRule, AttentionValues
from atpdsl.runtime.engine import PatchedRows
from atpdsl.runtime.forward import Run, counted_positions
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native.block import Narrow, Past, Trace, run_block
from atpdsl.runtime.native.families import native_model
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.logits import logits_of
from atpdsl.runtime.native.neurons import Neurons
from atpdsl.runtime.native.norms import normed
from atpdsl.runtime.native.pieces import NativePieces, numbers_at_once
from atpdsl.runtime.native.resume import resumed
from atpdsl.runtime.native.run import Layer, NativeRun
from atpdsl.runtime.native.weights import NativeModel
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.streams import LayerGradients, walk

HEADS = ("heads.q", "heads.k", "heads.v", "heads.z")


class NativeEngine:
    """A model of a family that we know, run by hand.

    Raises:
        UnknownModelError: for a model that there is no code for.
    """

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.passed = 0
        self._native = native_model(model.bridge)
        self.streams_at_once = numbers_at_once(self._native)

    def run(self, prompts: Prompts, op: Forward, past: Run | None) -> Run:
        """As in `Engine`."""
        stop = prompts.tokens.shape[1]
        # The logits are always run, whatever the prompts have in common.
        start = min(op.start, int(prompts.reads.min()))
        walking = _Forward(self._native, prompts, op, start, past)
        for number in range(len(self._native.blocks)):
            walking.block(number)
        walking.finish()
        self.passed += prompts.tokens[:, start:].numel() * len(self._native.blocks)
        logits = logits_of(self._native, walking.stream)
        if op.tracked:
            logits.requires_grad_(True)
        return Run(
            logits=logits,
            values=walking.values,
            attention=walking.attention,
            counted=counted_positions(prompts),
            start=start,
            stop=stop,
            native=walking.kept(),
        )

    def gradients(
        self,
        op: Backward,
        metric: Tensor,
        base: Run,
        *,
        more: bool,
        at_once: Halving | None = None,
    ) -> Iterator[LayerGradients]:
        """As in `Engine`."""
        if base.native is None:
            raise ValueError("the run is not a native one")
        reads = base.native.frame.reads
        start = max(base.start, min(op.start, int(reads.min())))
        release = not more
        pieces = NativePieces(
            self._native, base.native, base.logits, start, release=release, at_once=at_once
        )
        for found in walk(pieces, metric, op.places, op.drops):
            found.start = start
            yield found

    def patched(self, rows: PatchedRows) -> Tensor:
        """As in `Engine`."""
        logits, passed = resumed(self._native, rows)
        self.passed += passed
        return logits

    def attention_rule(self, layer: int) -> AttentionRule:
        """As in `Engine`."""
        return AttentionRule(scale=self._native.blocks[layer].attention.scale)


def native_engines(model: LoadedModel) -> list[NativeEngine]:
    """One for each device that has the model.

    Raises:
        UnknownModelError: for a model that there is no code for.
    """
    return [NativeEngine(one) for one in model.everywhere]


class _Forward:
    """An unpatched run on its way up."""

    def __init__(
        self, model: NativeModel, prompts: Prompts, op: Forward, start: int, past: Run | None
    ) -> None:
        self.model, self.op, self.past = model, op, past
        stop = prompts.tokens.shape[1]
        embedded = model.embed(prompts.tokens[:, start:])
        self.frame = Frame(model, embedded, start, stop, prompts.reads)
        self.values: dict[Place, Tensor] = {}
        self.attention: dict[int, AttentionValues] = {}
        self._layers: list[Layer] = []
        self._traces: list[Trace | None] = []
        self._wanted = set(op.captures)
        self._whole = prompts.whole
        self._keep(Place("embed", 0), embedded)
        self.stream = embedded
        if model.position is not None:
            self.stream = embedded + model.position[start:stop]

    def block(self, number: int) -> None:
        """One block on."""
        attends = number in self.op.attention
        last = number == len(self.model.blocks) - 1 and not self._whole
        narrow = Narrow(queries=last and not attends, rest=last)
        # Of a tracked run they can be had from what is kept for its gradients.
        anew = self.op.tracked and not narrow.rest
        seen: dict[str, Tensor] = {}

        def at(kind: str, tensor: Tensor) -> Tensor:
            place = Place(kind, number)
            if place in self._wanted and not (kind == "neurons" and anew):
                self._keep(place, self._spread(kind, tensor, narrow))
            if attends and kind in HEADS:
                seen[kind] = tensor
            return tensor

        self.stream, trace = run_block(
            self.model.blocks[number],
            self.stream,
            self.frame,
            at,
            past=self._past(number),
            narrow=narrow,
        )
        if attends:
            self.attention[number] = self._attention(number, seen)
        if self.op.resumable:
            past = Past(trace.attended.keys, trace.attended.values)
            output = self._spread("heads.z", trace.attended.output, narrow)
            self._layers.append(Layer(trace.input, past, output))
        if self.op.tracked:
            self._traces.append(trace)
        neurons = Place("neurons", number)
        if anew and neurons in self._wanted:
            written, activation = trace.written, self.model.blocks[number].mlp.activation
            # It is indexed as the tensor would be, and nothing else is done with it.
            made = Neurons(written.gate, written.up, activation)
            self.values[neurons] = cast(Tensor, made)

    def finish(self) -> None:
        """After the last block: what the metric reads of the stream."""
        if self._whole:
            self.stream = self.frame.read(self.stream)

    def kept(self) -> NativeRun:
        """What the run leaves."""
        return NativeRun(self.frame, self._layers, self._traces, self.stream)

    def _keep(self, place: Place, tensor: Tensor) -> None:
        if place in self._wanted:
            self.values[place] = tensor

    def _spread(self, kind: str, tensor: Tensor, narrow: Narrow) -> Tensor:
        if kind in {"heads.q", "heads.z"}:
            return self.frame.spread(tensor) if narrow.queries else tensor
        if kind in {"heads.k", "heads.v", "resid.pre"} or not narrow.rest:
            return tensor
        return self.frame.spread(tensor)

    def _past(self, number: int) -> Past | None:
        if self.frame.start == 0:
            return None
        if self.past is None or self.past.native is None:
            raise ValueError("there is no past to begin from")
        past, start = self.past.native.layers[number].past, self.frame.start
        return Past(past.keys[:, :start], past.values[:, :start])

    def _attention(self, number: int, seen: dict[str, Tensor]) -> AttentionValues:
        """The whole attention, that of the past in front."""
        attention, start = self.model.blocks[number].attention, self.frame.start
        query, key, value, output = (seen[kind] for kind in HEADS)
        if attention.query_norm is not None:
            query = normed(attention.query_norm, query)
        if attention.key_norm is not None:
            key = normed(attention.key_norm, key)
        if start:
            before = self.past.attention[number] if self.past is not None else None
            if before is None:
                raise ValueError("the past has kept no attention")
            query, key, value, output = (
                torch.cat((old[:, :start], new), dim=1)
                for old, new in (
                    (before.query, query),
                    (before.key, key),
                    (before.value, value),
                    (before.output, output),
                )
            )
        whole = Frame(self.model, query, 0, self.frame.stop, self.frame.reads)
        cos, sin = whole.rotation(attention) or (None, None)
        return AttentionValues(
            query=query,
            key=key,
            value=value,
            output=output,
            visible=whole.mask(attention.window)[None, None] if self.op.tracked else None,
            cos=None if cos is None else cos[:, :, 0],
            sin=None if sin is None else sin[:, :, 0],
        )
