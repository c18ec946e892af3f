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


def entropy() -> Metric:
    """Entropy of the next token."""

    def value(row: Tensor, pair: int) -> Tensor:
        p = probabilities(row)
        return -(p * torch.log(p)).sum(-1)

    return _per_pair(value)


def computed(name: str, answers: Tokens, foils: Tokens, clean: Tensor) -> Metric:
    """One of the formulas of `COMPUTED`, written out; `clean` as for `kl`."""

    def value(row: Tensor, pair: int) -> Tensor:
        p, q = probabilities(row), probabilities(clean[pair, -1])
        (right, *_), (wrong, *_) = answers[pair], foils[pair]
        distance = (q * (torch.log(q) - torch.log(p))).sum(-1)
        return COMPUTED[name](row, p, (right, wrong), distance)

    return _per_pair(value)


# Formula of the language -> (logits, probabilities, (right, wrong), divergence from the clean
# run) of one pair -> its value; the tokens 7, 12 and 30 are read in every pair.
COMPUTED: dict[str, Callable[[Tensor, Tensor, tuple[int, int], Tensor], Tensor]] = {
    "logit(right) - 0.5 * logit([7, 12])": lambda row, p, side, kl: (
        row[..., side[0]] - 0.5 * (row[..., 7] + row[..., 12]) / 2
    ),
    "(prob(right) + prob([7, 12, 30])) / prob(wrong)": lambda row, p, side, kl: (
        (p[..., side[0]] + p[..., 7] + p[..., 12] + p[..., 30]) / p[..., side[1]]
    ),
    "-loss([7, 30]) * entropy + 2": lambda row, p, side, kl: (
        torch.log(p[..., 7] + p[..., 30]) * -(p * torch.log(p)).sum(-1) + 2
    ),
    "logprob(wrong) + 3 * kl": lambda row, p, side, kl: torch.log(p[..., side[1]]) + 3 * kl,
    "rank(right) - rank([7, 12])": lambda row, p, side, kl: (
        _above(row, [side[0]]) - _above(row, [7, 12])
    ),
}


def _above(row: Tensor, tokens: Sequence[int]) -> Tensor:
    """How many logits are larger than the largest of some tokens."""
    counts = []
    for one in row.reshape(-1, row.shape[-1]).tolist():
        best = max(one[token] for token in tokens)
        counts.append(sum(logit > best for logit in one))
    return torch.tensor(counts, dtype=row.dtype).reshape(row.shape[:-1])


def kl(clean: Tensor) -> Metric:
    """KL(clean run || this run); `clean` are the clean run's logits [pair, pos, vocab]."""

    def value(row: Tensor, pair: int) -> Tensor:
        p, q = probabilities(clean[pair, -1]), probabilities(row)
        return (p * (torch.log(p) - torch.log(q))).sum(-1)

    return _per_pair(value)
