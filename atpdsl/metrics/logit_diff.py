"""Logit difference: mean logit of the right answers minus mean logit of the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.metrics.readings import logit
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def logit_diff(logits: Logits, targets: Targets) -> Tensor:
    """[pair], in logits."""
    return logit(logits, targets.right) - logit(logits, targets.wrong)


LOGIT_DIFF = Metric(
    signature=Signature(
        name="logit_diff",
        summary="mean logit of the right answers minus mean logit of the wrong ones",
        needs_answer=True,
        needs_foil=True,
    ),
    measure=logit_diff,
    unit="logits",
    of_logits=True,
)
