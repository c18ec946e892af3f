"""A batch of pairs as tensors: tokens, where the metric reads, what it compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import Targets
from atpdsl.planning.ops import Side
from atpdsl.planning.positions import spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """One side of a batch.

    Attributes:
        tokens: [pair, pos], padded on the right: with causal attention what stands there
            changes nothing before it, and positions need no shift.
        reads: [pair], the position whose logits the metric reads.
    """

    tokens: Tensor
    reads: Tensor


def prompts(
    pairs: Sequence[TokenPair], side: Side, position: str, pad: int, device: str
) -> Prompts:
    """The tokens of one side.

    Args:
        position: where the metric reads.

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
    return Prompts(tokens=tokens.to(device), reads=reads.to(device))


def targets(pairs: Sequence[TokenPair], device: str) -> Targets:
    """The answers of a batch, without a reference."""
    answers, answer_mask = _filled([p.answers for p in pairs])
    foils, foil_mask = _filled([p.foils for p in pairs])
    return Targets(
        answers=answers.to(device),
        foils=foils.to(device),
        answer_mask=answer_mask.to(device),
        foil_mask=foil_mask.to(device),
    )


def _filled(rows: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    width = max(1, *(len(row) for row in rows)) if rows else 1
    tokens = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.float64)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[i, : len(row)] = 1.0
    return tokens, mask


def rows_of(values: Targets, rows: Tensor) -> Targets:
    """The targets of some pairs, repeated as `rows` says."""
    reference = None if values.reference is None else values.reference[rows]
    return Targets(
        answers=values.answers[rows],
        foils=values.foils[rows],
        answer_mask=values.answer_mask[rows],
        foil_mask=values.foil_mask[rows],
        reference=reference,
    )
