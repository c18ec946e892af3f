"""Negative log-likelihood of the right answers: the loss used in the AtP* paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.logprob import logprob
from atpdsl.metrics.metric import Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def nll(logits: Tensor, targets: Targets) -> Tensor:
    """Logits [pair, vocab] -> [pair], in nats."""
    return -logprob(logits, targets)


NLL = Metric(
    signature=Signature(
        name="nll",
        summary="negative log-likelihood (loss) of the right answers",
        needs_answer=True,
    ),
    compute=nll,
    unit="nats",
)
