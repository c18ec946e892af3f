"""Entropy of the next-token distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def entropy(logits: Logits, targets: Targets) -> Tensor:  # noqa: ARG001 (of all tokens)
    """[pair], in nats: 0 where one token is certain."""
    return -(logits.probabilities * logits.logprobs).sum(-1)


ENTROPY = Metric(
    signature=Signature(name="entropy", summary="entropy of the next-token distribution"),
    measure=entropy,
    unit="nats",
)
