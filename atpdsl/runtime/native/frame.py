"""Where the positions of a run are: what it begins with, what is seen, what is read."""

from __future__ import annotations

import torch
from torch import Tensor

from atpdsl.runtime.native.weights import Attention, NativeModel


class Frame:
    """The positions start, ..., stop - 1 of some rows.

    Args:
        like: any tensor of the run's dtype and device.
        reads: [row], the position that each row's metric reads.
    """

    def __init__(
        self, model: NativeModel, like: Tensor, start: int, stop: int, reads: Tensor
    ) -> None:
        self.start, self.stop, self.reads = start, stop, reads
        self._model, self._like = model, like[:0]
        self._tables: dict[str, tuple[Tensor, Tensor]] = {}
        self._masks: dict[int | None, Tensor | None] = {}
        # One column for all rows is a slice; otherwise a gather.
        columns = torch.unique(reads)
        self._column = int(columns) - start if len(columns) == 1 else None
        self._rows = torch.arange(len(reads), device=reads.device)

    def rotation(self, attention: Attention) -> tuple[Tensor, Tensor] | None:
        """Cosines and sines of all positions, each [1, pos, 1, d_rotary]."""
        if self._model.rotary is None:
            return None
        name = attention.rotary
        if name not in self._tables:
            positions = torch.arange(self.start, self.stop, device=self._like.device)
            cos, sin = self._model.rotary(self._like, positions[None], name)
            self._tables[name] = (cos[:, :, None], sin[:, :, None])
        return self._tables[name]

    def visible(self, attention: Attention) -> Tensor | None:
        """[query, key] which keys a query sees; None where it is all up to its own."""
        window = attention.window
        if window is not None and window >= self.stop:
            window = None
        if window not in self._masks:
            plain = window is None and self.start == 0
            self._masks[window] = None if plain else self.mask(window)
        return self._masks[window]

    def mask(self, window: int | None) -> Tensor:
        """[query, key]; keys begin at position 0."""
        device = self._like.device
        query = torch.arange(self.start, self.stop, device=device)[:, None]
        key = torch.arange(self.stop, device=device)[None]
        seen = key <= query
        return seen if window is None else seen & (query - key < window)

    def read(self, tensor: Tensor) -> Tensor:
        """The position that each row reads: [row, pos, ...] -> [row, 1, ...]."""
        if self._column is not None:
            return tensor[:, self._column : self._column + 1]
        return tensor[self._rows, self.reads - self.start][:, None]

    def read_gradient(self, gradient: Tensor, start: int) -> Tensor:
        """The position that each row reads: [stream, row, pos, ...] -> [stream, row, 1, ...].

        Args:
            start: the position that `gradient` begins with.
        """
        if self._column is not None:
            column = self._column + self.start - start
            return gradient[:, :, column : column + 1]
        return gradient[:, self._rows, self.reads - start][:, :, None]

    def spread(self, tensor: Tensor) -> Tensor:
        """[row, 1, ...] at the positions that are read, and zero at all others."""
        return self.spread_gradient(tensor[None], self.start)[0]

    def spread_gradient(self, gradient: Tensor, start: int) -> Tensor:
        """[stream, row, 1, ...] likewise, for the positions from `start` on."""
        streams, rows, _, *rest = gradient.shape
        full = gradient.new_zeros(streams, rows, self.stop - start, *rest)
        self.add_read(full, gradient, start)
        return full

    def add_read(self, full: Tensor, gradient: Tensor, start: int) -> None:
        """Adds [stream, row, 1, ...] in place to [stream, row, pos, ...], where it is read."""
        if self._column is not None:
            full[:, :, self._column + self.start - start] += gradient[:, :, 0]
        else:
            full[:, self._rows, self.reads - start] += gradient[:, :, 0]
