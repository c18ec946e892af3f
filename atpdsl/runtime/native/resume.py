"""Patched rows that begin where they first differ from a run that was kept.

Patching layer l at position t changes nothing in earlier layers and at earlier positions. So a
row joins in at its own layer with what the unpatched run had there, only positions from t on
are run, and the keys and values before them are those of the unpatched run.
"""

from __future__ import annotations

import torch
from torch import Tensor

from atpdsl.runtime.engine import PatchedRows
from atpdsl.runtime.native.block import LAST, WIDE, Past, run_block
from atpdsl.runtime.native.edits import edits_of
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.join import Joining
from atpdsl.runtime.native.logits import logits_of
from atpdsl.runtime.native.run import NativeRun
from atpdsl.runtime.native.weights import NativeModel

ACROSS = frozenset({"heads.k", "heads.v", "resid.pre"})
"""Kinds that a last layer has at all positions."""


def resumed(model: NativeModel, rows: PatchedRows) -> tuple[Tensor, int]:
    """Logits of patched rows, [row, vocab or n], and the tokens times layers that were run."""
    running = _Rows(model, rows)
    for number in range(running.lowest, len(model.blocks)):
        running.block(number)
    return logits_of(model, running.streams(), rows.tokens), running.passed


class _Rows:
    """Rows on their way up; those that have joined in are `_live`, in that order."""

    def __init__(self, model: NativeModel, rows: PatchedRows) -> None:
        self.model, self.rows, self.passed = model, rows, 0
        self.base = None if rows.base is None else rows.base.native
        tokens = rows.prompts.tokens
        self.edits = edits_of(rows.patches, tokens, len(model.blocks))
        if self.base is None:
            self.start, self.stop = 0, tokens.shape[1]
            self._layer = torch.zeros_like(self.edits.layer)
        else:
            self.stop = int(rows.prompts.reads.max()) + 1
            self.start = max(min(self.edits.first, self.stop - 1), self.base.frame.start)
            self._layer = self.edits.layer
        self.lowest = int(self._layer.min())
        self._live = torch.empty(0, dtype=torch.long, device=tokens.device)
        self._stream: Tensor | None = None

    def block(self, number: int) -> None:
        """One block on: rows whose layer this is join in."""
        joining = torch.nonzero(self._layer == number)[:, 0]
        local = joining[:0]
        if self.base is not None:
            alone = self.edits.alone[joining]
            local, joining = joining[alone], joining[~alone]
        parts, numbers = [], []
        running = torch.cat((self._live, joining))
        if len(running):
            parts.append(self._run(number, running, self._with_entering(number, joining)))
            numbers.append(running)
        if len(local) and self.base is not None:
            parts.append(self._joining(number, local, self.base).stream())
            numbers.append(local)
        if parts:
            self._stream, self._live = torch.cat(parts), torch.cat(numbers)
        self.passed += len(self._live) * (self.stop - self.start)

    def streams(self) -> Tensor:
        """Where the metric reads, [row, 1, d_model], in the order of the rows."""
        if self._stream is None:
            raise ValueError("no rows were run")
        return self._stream[torch.argsort(self._live)]

    def _joining(self, number: int, rows: Tensor, base: NativeRun) -> Joining:
        return Joining(
            model=self.model,
            base=base,
            edits=self.edits,
            layer=number,
            rows=rows,
            pairs=self.rows.pair[rows],
            reads=self.rows.prompts.reads[rows],
            start=self.start,
            stop=self.stop,
        )

    def _with_entering(self, number: int, rows: Tensor) -> Tensor:
        """The stream before a block, of the rows that are there and of those that join in."""
        if not len(rows) and self._stream is not None:
            return self._stream
        if self.base is None:
            entering = self._embedded(rows)
        else:
            kept, skip = self.base.layers[number].input, self.base.frame.start
            entering = kept[self.rows.pair[rows], self.start - skip : self.stop - skip]
            if number == 0 and self.edits.has("embed", 0):
                entering = self._embedded(rows)
        return entering if self._stream is None else torch.cat((self._stream, entering))

    def _embedded(self, rows: Tensor) -> Tensor:
        """The stream before the first block, with embeddings overwritten."""
        tokens = self.rows.prompts.tokens[rows, self.start : self.stop]
        embedded = self.model.embed(tokens)
        embedded = self.edits.apply("embed", 0, embedded, rows, self.start)
        if self.model.position is None:
            return embedded
        return embedded + self.model.position[self.start : self.stop]

    def _run(self, number: int, rows: Tensor, stream: Tensor) -> Tensor:
        """A block on all positions, with its own activations overwritten."""
        last = number == len(self.model.blocks) - 1
        reads = self.rows.prompts.reads[rows]

        def at(kind: str, tensor: Tensor) -> Tensor:
            if last and kind not in ACROSS:
                return self.edits.apply_at(kind, number, tensor, rows, reads)
            return self.edits.apply(kind, number, tensor, rows, self.start)

        out, _ = run_block(
            self.model.blocks[number],
            stream,
            Frame(self.model, stream, self.start, self.stop, reads),
            at,
            past=self._past(number, rows),
            narrow=LAST if last else WIDE,
        )
        return out

    def _past(self, number: int, rows: Tensor) -> Past | None:
        if self.start == 0 or self.base is None:
            return None
        past, pairs = self.base.layers[number].past, self.rows.pair[rows]
        return Past(past.keys[pairs, : self.start], past.values[pairs, : self.start])
