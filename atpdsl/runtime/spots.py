"""Positions of a node set in a batch, as index tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.planning.ops import Side
from atpdsl.planning.positions import Reach, Skips, covered, window

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """For every pair and position label of a node set, the token positions it covers.

    Attributes:
        base, donor: [pair, label, cover] token positions in the patched run and in the run
            that values come from. One cover per label, except for whole-sequence nodes;
            unused entries are 0.
        covers: [pair, label, cover], whether an entry is used.
        patched: [pair, label, cover], whether an entry is used, and patching it can change
            something; the others need not be read or written.
        exists: [pair, label], whether the pair has the position.
        live: [pair, label], whether patching it can change anything in a layer that others
            follow.
        live_last: the same in the model's last layer, where it may be less.
        last_layer: that layer; None where all layers are alike.
    """

    base: NDArray[np.int64]
    donor: NDArray[np.int64]
    covers: NDArray[np.bool_]
    patched: NDArray[np.bool_]
    exists: NDArray[np.bool_]
    live: NDArray[np.bool_]
    live_last: NDArray[np.bool_]
    last_layer: int | None = None

    def live_in(self, layer: int) -> NDArray[np.bool_]:
        """[pair, label], whether patching it in a layer can change anything."""
        return self.live_last if layer == self.last_layer else self.live

    def live_by_layer(self, layers: Sequence[int]) -> NDArray[np.bool_]:
        """The same for several layers, [pair, layer, label]."""
        return np.stack([self.live_in(layer) for layer in layers], axis=1)


def spots(
    pairs: Sequence[TokenPair],
    nodes: NodeSet,
    base: Side,
    *,
    skip_equal_prefix: bool,
    reach: Reach | None = None,
) -> Spots:
    """The positions of `nodes` in `pairs` when `base` is the run that is patched.

    Args:
        skip_equal_prefix: nodes where the prompts agree up to there are not live.
        reach: nodes that cannot reach this are not live; None is no such node.
    """
    places = [[covered(pair, label, base) for label in nodes.positions] for pair in pairs]
    width = max((len(c) for row in places for c in row), default=1) or 1
    shape = (len(pairs), len(nodes.positions), width)
    base_index, donor_index = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    covers, patched = np.zeros(shape, bool), np.zeros(shape, bool)
    skips = Skips(skip_equal_prefix, reach)
    for p, row in enumerate(places):
        here = window(pairs[p], base, skips)
        for n, of_label in enumerate(row):
            covers[p, n, : len(of_label)] = True
            patched[p, n, : len(of_label)] = [here.matters(s) for s in of_label]
            base_index[p, n, : len(of_label)] = [s.base for s in of_label]
            donor_index[p, n, : len(of_label)] = [s.donor for s in of_label]
    live = np.asarray(patched.any(-1), dtype=bool)
    ends = reach is not None and reach.ends(nodes, reach.last_layer)
    reads = [[[window(pair, base, skips).read]] for pair in pairs]
    at_read = np.asarray((patched & (base_index == np.array(reads))).any(-1), dtype=bool)
    return Spots(
        base=base_index,
        donor=donor_index,
        covers=covers,
        patched=patched,
        exists=np.asarray(covers.any(-1), dtype=bool),
        live=live,
        live_last=at_read if ends else live,
        last_layer=None if reach is None else reach.last_layer,
    )


def gather(tensor: Tensor, index: Tensor) -> Tensor:
    """Positions of every pair: [pair, pos, ...] and [pair, n] -> [pair, n, ...]."""
    pair = torch.arange(len(tensor), device=tensor.device)[:, None]
    return tensor[pair, index]
