"""Rows that join in with a patch at a single position of their first layer.

Of that layer only the patched position has to be computed; what is added to the stream there
is all that changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.runtime.native.block import mixed_values, placed, raw_queries, write
from atpdsl.runtime.native.edits import Edits
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.run import NativeRun
from atpdsl.runtime.native.weights import NativeModel


@dataclass(frozen=True, slots=True)
class Joining:
    """Rows that are `Edits.alone`, and what they are patched in.

    Attributes:
        base: the run that they are resumed from.
        layer: theirs.
        rows: their numbers.
        pairs: the pair of each in `base`.
        reads: the position that each reads.
        start, stop: the positions that are run after they have joined in.
    """

    model: NativeModel
    base: NativeRun
    edits: Edits
    layer: int
    rows: Tensor
    pairs: Tensor
    reads: Tensor
    start: int
    stop: int

    def stream(self) -> Tensor:
        """The stream after their layer, [row, pos, d_model]; after the last one [row, 1, d]."""
        block, kept = self.model.blocks[self.layer], self.base.layers[self.layer]
        # A patch after everything that is read is not done: it changes nothing.
        at = self.edits.positions(self.rows, self.layer).clamp(max=self.stop - 1)
        here = (self.pairs, at - self.base.frame.start)
        x, z = kept.input[here][:, None], kept.output[here][:, None]
        if self.edits.has("heads.q", self.layer):
            z = self._asked_anew(x, z, at)
        z = self._edited("heads.z", z, at)
        out, _ = write(block, x, z, lambda kind, tensor: self._edited(kind, tensor, at))
        if self.layer == len(self.model.blocks) - 1:
            seen = (at == self.reads)[:, None, None]
            return torch.where(seen, out, self.base.stream[self.pairs])
        skip = self.base.frame.start
        after = self.base.layers[self.layer + 1].input
        stream = after[self.pairs, self.start - skip : self.stop - skip]
        stream[torch.arange(len(at), device=at.device), at - self.start] = out[:, 0]
        return stream

    def _edited(self, kind: str, tensor: Tensor, at: Tensor) -> Tensor:
        return self.edits.apply_at(kind, self.layer, tensor, self.rows, at)

    def _asked_anew(self, x: Tensor, z: Tensor, at: Tensor) -> Tensor:
        """The outputs z, anew for the heads whose query is patched."""
        block, past = self.model.blocks[self.layer], self.base.layers[self.layer].past
        attention = block.attention
        raw = raw_queries(block, x)
        patched = self._edited("heads.q", raw, at)
        frame = Frame(self.model, x, 0, self.stop, at)
        rotation = frame.rotation(attention)
        if rotation is not None:
            cos, sin = (table[0][at][:, None] for table in rotation)
            rotation = (cos, sin)
        query = placed(attention.query_norm, patched, rotation)
        mask = frame.mask(attention.window)[at][:, None, None]
        keys, values = (t[self.pairs, : self.stop] for t in (past.keys, past.values))
        anew = mixed_values(attention, query, keys, values, mask)
        changed = (patched != raw).any(-1, keepdim=True)
        return torch.where(changed, anew, z)
