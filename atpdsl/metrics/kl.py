"""Kullback-Leibler divergence of the next-token distribution from the clean run's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def kl(logits: Logits, targets: Targets) -> Tensor:
    """KL(clean || this run): [pair], in nats.

    Raises:
        ValueError: when the clean run's logits are not given.
    """
    if targets.reference is None:
        raise ValueError("KL needs the logits of the clean run")
    reference = targets.reference.log_softmax(-1)
    return (reference.exp() * (reference - logits.logprobs)).sum(-1)


KL = Metric(
    signature=Signature(
        name="kl",
        summary="KL divergence of the next-token distribution from the clean run's",
    ),
    measure=kl,
    unit="nats",
    needs_reference=True,
    flat_at_clean=True,
)
