"""How far a softmax moves when its scores do, however small the change or saturated it is."""

from __future__ import annotations

import torch
from torch import Tensor


def softmax_change(scores: Tensor, delta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """softmax(scores), softmax(scores + delta) minus it, and that to first order in delta.

    Rows whose scores change by at most 1 are computed by p (e - E) / (1 + E), with
    e = expm1(delta) and E = sum p e, which loses nothing however small the changes are.
    """
    pattern = scores.softmax(-1)
    growth = torch.expm1(delta.clamp(max=1.0))
    mean = (pattern * growth).sum(-1, keepdim=True)
    little = delta.abs().amax(-1, keepdim=True) <= 1.0
    change = torch.where(
        little,
        pattern * (growth - mean) / (1.0 + mean),
        (scores + delta).softmax(-1) - pattern,
    )
    linear = pattern * (delta - (pattern * delta).sum(-1, keepdim=True))
    return pattern, change, linear


def sigmoid_change(odds: Tensor, delta: Tensor) -> Tensor:
    """sigmoid(odds + delta) - sigmoid(odds), precise relative to itself.

    `odds` may be infinite; the change is 0 there.
    """
    up = torch.sigmoid(-odds) * torch.sigmoid(odds + delta)
    down = -torch.sigmoid(odds) * torch.sigmoid(-odds - delta)
    return torch.where(delta >= 0, up, down) * -torch.expm1(-delta.abs())
