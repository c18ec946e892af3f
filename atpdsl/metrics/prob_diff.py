"""Probability difference: probability of the right answers minus that of the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Metric, Targets, chosen
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def prob_diff(logits: Tensor, targets: Targets) -> Tensor:
    """Logits [pair, vocab] -> [pair], between -1 and 1."""
    probabilities = logits.softmax(-1)
    right = chosen(probabilities, targets.answers, targets.answer_mask).sum(-1)
    wrong = chosen(probabilities, targets.foils, targets.foil_mask).sum(-1)
    return right - wrong


PROB_DIFF = Metric(
    signature=Signature(
        name="prob_diff",
        summary="probability of the right answers minus probability of the wrong ones",
        needs_answer=True,
        needs_foil=True,
    ),
    compute=prob_diff,
    unit="probability",
)
