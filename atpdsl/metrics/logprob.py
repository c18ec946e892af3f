"""Log-probability of the right answers, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics import readings
from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def logprob(logits: Logits, targets: Targets) -> Tensor:
    """[pair]: log of the summed probability of the right answers, in nats."""
    return readings.logprob(logits, targets.right)


LOGPROB = Metric(
    signature=Signature(
        name="logprob",
        summary="log-probability of the right answers",
        needs_answer=True,
    ),
    measure=logprob,
    unit="nats",
)
