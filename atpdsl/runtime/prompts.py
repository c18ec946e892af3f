"""A batch of pairs as tensors: tokens, where the metric reads, what it compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import Targets, TokenRows
from atpdsl.planning.ops import Side
from atpdsl.planning.positions import spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """One side of a batch.

    Attributes:
        tokens: [pair, pos], padded on the right: with causal attention what stands there
            changes nothing before it, and positions need no shift.
        reads: [pair], the position whose logits the metric reads.
        whole: activations of the last layer are wanted at other positions than those, too.
    """

    tokens: Tensor
    reads: Tensor
    whole: bool = False


def prompts(
    pairs: Sequence[TokenPair],
    side: Side,
    position: str,
    pad: int,
    device: str,
    *,
    whole: bool = False,
) -> Prompts:
    """The tokens of one side.

    Args:
        position: where the metric reads.
        whole: as in `Prompts`.

    Raises:
        ValueError: when a pair lacks that position; `bind` makes a Problem of it before.
    """
    rows = [p.clean if side is Side.CLEAN else p.corrupted for p in pairs]
    tokens = torch.full((len(rows), max(map(len, rows))), pad, dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
    places = [spot(pair, position, side) for pair in pairs]
    if not all(place.exists for place in places):
        raise ValueError(f"a pair lacks the metric's position `{position}`")
    reads = torch.tensor([place.base for place in places])
    return Prompts(tokens=tokens.to(device), reads=reads.to(device), whole=whole)


def targets(pairs: Sequence[TokenPair], device: str) -> Targets:
    """The answers and token sets of a batch, without a reference."""
    right = _filled([p.answers for p in pairs], device)
    wrong = _filled([p.foils for p in pairs], device)
    return Targets(
        answers=right.ids,
        foils=wrong.ids,
        answer_mask=right.mask,
        foil_mask=wrong.mask,
        sets=tuple(
            _filled(rows, device) for rows in zip(*(p.sets for p in pairs), strict=True)
        ),
    )


def _filled(rows: Sequence[tuple[int, ...]], device: str) -> TokenRows:
    width = max(1, *(len(row) for row in rows)) if rows else 1
    tokens = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.float64)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[i, : len(row)] = 1.0
    # Its 0 and 1 are exact everywhere; Apple's devices have no float64.
    exact = mask.float() if device.startswith("mps") else mask
    return TokenRows(ids=tokens.to(device), mask=exact.to(device))


def rows_of(values: Targets, rows: Tensor) -> Targets:
    """The targets of some pairs, repeated as `rows` says."""
    reference = None if values.reference is None else values.reference[rows]
    return Targets(
        answers=values.answers[rows],
        foils=values.foils[rows],
        answer_mask=values.answer_mask[rows],
        foil_mask=values.foil_mask[rows],
        reference=reference,
        sets=tuple(TokenRows(ids=s.ids[rows], mask=s.mask[rows]) for s in values.sets),
    )
