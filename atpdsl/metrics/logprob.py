"""Log-probability of the right answers, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def logprob(logits: Tensor, targets: Targets) -> Tensor:
    """Logits [pair, vocab] -> [pair]: log of the summed probability of the answers, in nats."""
    each = logits.log_softmax(-1).gather(-1, targets.answers)
    return each.masked_fill(targets.answer_mask == 0, float("-inf")).logsumexp(-1)


LOGPROB = Metric(
    signature=Signature(
        name="logprob",
        summary="log-probability of the right answers",
        needs_answer=True,
    ),
    compute=logprob,
    unit="nats",
)
