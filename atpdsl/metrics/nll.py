"""Negative log-likelihood of the right answers: the loss used in the AtP* paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.metrics.readings import loss
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def nll(logits: Logits, targets: Targets) -> Tensor:
    """[pair], in nats."""
    return loss(logits, targets.right)


NLL = Metric(
    signature=Signature(
        name="nll",
        summary="negative log-likelihood (loss) of the right answers",
        needs_answer=True,
    ),
    measure=nll,
    unit="nats",
)
