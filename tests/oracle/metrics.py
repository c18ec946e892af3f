"""The metrics, once more: one pair at a time, by the textbook formula.

Each maker returns a function (logits [..., pair, pos, vocab]) -> [..., pair] that reads the
last position. `answers[i]` and `foils[i]` are the right and wrong tokens of pair i, one or
more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Metric = Callable[[Tensor], Tensor]
Tokens = Sequence[Sequence[int]]


def probabilities(row: Tensor) -> Tensor:
    """Softmax over the vocabulary, [..., vocab] -> [..., vocab]."""
    exponentials = torch.exp(row - row.max())
    return exponentials / exponentials.sum(-1, keepdim=True)


def _per_pair(value: Callable[[Tensor, int], Tensor]) -> Metric:
    """A metric from a function of one pair's last logits [..., vocab] and its number."""

    def metric(logits: Tensor) -> Tensor:
        pairs = range(logits.shape[-3])
        return torch.stack([value(logits[..., pair, -1, :], pair) for pair in pairs], dim=-1)

    return metric


def logit_diff(answers: Tokens, foils: Tokens) -> Metric:
    """Mean logit of the answers minus mean logit of the foils."""

    def value(row: Tensor, pair: int) -> Tensor:
        right = sum(row[..., token] for token in answers[pair]) / len(answers[pair])
        wrong = sum(row[..., token] for token in foils[pair]) / len(foils[pair])
        return right - wrong

    return _per_pair(value)


def prob_diff(answers: Tokens, foils: Tokens) -> Metric:
    """Probability of any of the answers minus probability of any of the foils."""

    def value(row: Tensor, pair: int) -> Tensor:
        p = probabilities(row)
        right = sum(p[..., token] for token in answers[pair])
        wrong = sum(p[..., token] for token in foils[pair])
        return right - wrong

    return _per_pair(value)


def logprob(answers: Tokens) -> Metric:
    """Log of the probability of any of the answers."""

    def value(row: Tensor, pair: int) -> Tensor:
        p = probabilities(row)
        return torch.log(sum(p[..., token] for token in answers[pair]))

    return _per_pair(value)


def nll(answers: Tokens) -> Metric:
    """Minus the log of the probability of any of the answers."""
    positive = logprob(answers)
    return lambda logits: -positive(logits)


def kl(clean: Tensor) -> Metric:
    """KL(clean run || this run); `clean` are the clean run's logits [pair, pos, vocab]."""

    def value(row: Tensor, pair: int) -> Tensor:
        p, q = probabilities(clean[pair, -1]), probabilities(row)
        return (p * (torch.log(p) - torch.log(q))).sum(-1)

    return _per_pair(value)
