"""Which activations of which rows are overwritten, by layer and kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.runtime.forward import Patch

LOCAL = frozenset({"heads.q", "heads.z", "attn", "resid.mid", "mlp", "neurons", "resid.post"})
"""Kinds that change nothing at other positions of their own layer."""


@dataclass(frozen=True, slots=True)
class Edits:
    """The patches of some rows.

    Attributes:
        patches: by (kind, layer), in the order in which they are done.
        layer: [row], the first layer that a row differs in.
        first: the first position that any row differs at.
        alone: [row], whether a row has a single entry, of a `LOCAL` kind.
    """

    patches: dict[tuple[str, int], list[Patch]]
    layer: Tensor
    first: int
    alone: Tensor

    def has(self, kind: str, layer: int) -> bool:
        """Whether any row has such an entry."""
        return (kind, layer) in self.patches

    def apply(self, kind: str, layer: int, tensor: Tensor, rows: Tensor, start: int) -> Tensor:
        """An activation with what is overwritten in it.

        Args:
            tensor: [len(rows), pos, ...], with the positions from `start` on.
            rows: [n], the numbers of its rows.
        """
        for patch in self.patches.get((kind, layer), ()):
            where = self._inverse(rows)[patch.row]
            position = patch.position - start
            mine = (where >= 0) & (position >= 0) & (position < tensor.shape[1])
            tensor = _written(tensor, patch, mine, where, position)
        return tensor

    def apply_at(
        self, kind: str, layer: int, tensor: Tensor, rows: Tensor, at: Tensor
    ) -> Tensor:
        """The same for a single position of each row.

        Args:
            tensor: [len(rows), 1, ...].
            at: [len(rows)], the position that it is of.
        """
        for patch in self.patches.get((kind, layer), ()):
            where = self._inverse(rows)[patch.row]
            mine = (where >= 0) & (at[where.clamp(min=0)] == patch.position)
            tensor = _written(tensor, patch, mine, where, torch.zeros_like(where))
        return tensor

    def positions(self, rows: Tensor, layer: int) -> Tensor:
        """The position of the only entry of each of some rows that are `alone`, [n]."""
        inverse, found = self._inverse(rows), torch.zeros_like(rows)
        for (_, at), patches in self.patches.items():
            if at != layer:
                continue
            for patch in patches:
                where = inverse[patch.row]
                found[where[where >= 0]] = patch.position[where >= 0]
        return found

    def _inverse(self, rows: Tensor) -> Tensor:
        """Where each row is among `rows`; -1 where it is not."""
        inverse = torch.full((len(self.layer),), -1, dtype=torch.long, device=rows.device)
        inverse[rows] = torch.arange(len(rows), device=rows.device)
        return inverse


def edits_of(patches: Sequence[Patch], prompts: Tensor, n_layers: int) -> Edits:
    """The patches, sorted out.

    Args:
        prompts: [row, pos], for the number of rows and the device.
    """
    count, device = len(prompts), prompts.device
    by_place: dict[tuple[str, int], list[Patch]] = {}
    layer = torch.full((count,), n_layers - 1, dtype=torch.long, device=device)
    entries = torch.zeros(count, dtype=torch.long, device=device)
    elsewhere = torch.zeros(count, dtype=torch.bool, device=device)
    first = prompts.shape[1]
    for patch in patches:
        place = patch.place
        by_place.setdefault((place.kind, place.layer), []).append(patch)
        if not len(patch.row):
            continue
        layer[patch.row] = layer[patch.row].clamp(max=place.layer)
        entries += torch.bincount(patch.row, minlength=count)
        if place.kind not in LOCAL:
            elsewhere[patch.row] = True
        first = min(first, int(patch.position.min()))
    return Edits(by_place, layer, first, (entries == 1) & ~elsewhere)


def _written(
    tensor: Tensor, patch: Patch, mine: Tensor, where: Tensor, position: Tensor
) -> Tensor:
    if not bool(mine.any()):
        return tensor
    index: list[Tensor | None] = [where[mine], position[mine]]
    if patch.unit is not None:
        index.append(patch.unit[mine])
    return tensor.index_put(index, patch.value[mine])
