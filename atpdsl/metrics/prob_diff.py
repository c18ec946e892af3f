"""Probability difference: probability of the right answers minus that of the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.metrics.readings import prob
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def prob_diff(logits: Logits, targets: Targets) -> Tensor:
    """[pair], between -1 and 1."""
    return prob(logits, targets.right) - prob(logits, targets.wrong)


PROB_DIFF = Metric(
    signature=Signature(
        name="prob_diff",
        summary="probability of the right answers minus probability of the wrong ones",
        needs_answer=True,
        needs_foil=True,
    ),
    measure=prob_diff,
    unit="probability",
)
