"""Random prompt pairs: how many, how long, and how much of the beginning they share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ANSWER, FOIL = 5, 6
"""The tokens whose logits are compared."""
RESERVED = 10
"""Tokens that no prompt has."""
EVERY = 4
"""One token of so many is different in the corrupted prompt, after the shared beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Prompts of equal length, [pair, pos]."""

    clean: Tensor
    corrupted: Tensor

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def length(self) -> int:
        """Tokens per prompt."""
        return self.clean.shape[1]

    def to(self, device: str) -> Pairs:
        """The same on another device."""
        return Pairs(clean=self.clean.to(device), corrupted=self.corrupted.to(device))

    def __str__(self) -> str:
        return f"{len(self)} pairs x {self.length} tokens"


def random_pairs(
    pairs: int, tokens: int, vocabulary: int, *, shared: float = 0.0, seed: int = 1
) -> Pairs:
    """Prompts that differ in a quarter of their tokens after a shared beginning.

    Args:
        shared: the part of every prompt, from its beginning, that the two sides have in common.
    """
    drawn = torch.Generator().manual_seed(seed)
    size = (pairs, tokens)
    clean = torch.randint(RESERVED, vocabulary, size, generator=drawn)
    corrupted = clean.clone()
    changed = torch.arange(round(shared * tokens), tokens, EVERY)
    # Adding less than the number of tokens there are, modulo it, never gives the same token.
    kinds = vocabulary - RESERVED
    step = torch.randint(1, kinds, (pairs, len(changed)), generator=drawn)
    corrupted[:, changed] = (clean[:, changed] - RESERVED + step) % kinds + RESERVED
    return Pairs(clean=clean, corrupted=corrupted)
