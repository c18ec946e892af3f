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
from atpdsl.planning.positions import exists, is_zero, spot, whole_sequence

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
        exists: [pair, label], whether the pair has the position.
        live: [pair, label], whether patching it can change anything.
    """

    base: NDArray[np.int64]
    donor: NDArray[np.int64]
    covers: NDArray[np.bool_]
    exists: NDArray[np.bool_]
    live: NDArray[np.bool_]


def spots(
    pairs: Sequence[TokenPair], nodes: NodeSet, base: Side, *, skip_equal_prefix: bool
) -> Spots:
    """The positions of `nodes` in `pairs` when `base` is the run that is patched."""
    covered = [
        [_covered(pair, nodes, label, base) for label in nodes.positions] for pair in pairs
    ]
    width = max((len(c) for row in covered for c in row), default=1) or 1
    shape = (len(pairs), len(nodes.positions), width)
    base_index, donor_index = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    covers, live = np.zeros(shape, bool), np.zeros(shape[:2], bool)
    for p, row in enumerate(covered):
        for n, places in enumerate(row):
            covers[p, n, : len(places)] = True
            base_index[p, n, : len(places)] = [b for b, _ in places]
            donor_index[p, n, : len(places)] = [d for _, d in places]
            zero = skip_equal_prefix and is_zero(pairs[p], nodes.positions[n], base)
            live[p, n] = bool(places) and not zero
    present = np.asarray(covers.any(-1), dtype=bool)
    return Spots(base=base_index, donor=donor_index, covers=covers, exists=present, live=live)


def _covered(
    pair: TokenPair, nodes: NodeSet, label: str, base: Side
) -> tuple[tuple[int, int], ...]:
    if not exists(pair, label, base):
        return ()
    places = whole_sequence(pair, base) if nodes.whole else (spot(pair, label, base),)
    return tuple((place.base, place.donor) for place in places)


def gather(tensor: Tensor, index: Tensor) -> Tensor:
    """Positions of every pair: [pair, pos, ...] and [pair, n] -> [pair, n, ...]."""
    pair = torch.arange(len(tensor), device=tensor.device)[:, None]
    return tensor[pair, index]
