"""Logit difference: mean logit of the right answers minus mean logit of the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Metric, Targets, chosen
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def logit_diff(logits: Tensor, targets: Targets) -> Tensor:
    """Logits [pair, vocab] -> [pair], in logits."""
    right = chosen(logits, targets.answers, targets.answer_mask).sum(-1)
    wrong = chosen(logits, targets.foils, targets.foil_mask).sum(-1)
    return right / targets.answer_mask.sum(-1) - wrong / targets.foil_mask.sum(-1)


LOGIT_DIFF = Metric(
    signature=Signature(
        name="logit_diff",
        summary="mean logit of the right answers minus mean logit of the wrong ones",
        needs_answer=True,
        needs_foil=True,
    ),
    compute=logit_diff,
    unit="logits",
)
