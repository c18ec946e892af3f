"""Kullback-Leibler divergence of the patched run's next-token distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Metric, Targets
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


def kl(logits: Tensor, targets: Targets) -> Tensor:
    """KL(unpatched || patched), logits [pair, vocab] -> [pair], in nats.

    Raises:
        ValueError: when there is no reference to measure from.
    """
    if targets.reference is None:
        raise ValueError("KL needs the logits of the unpatched run")
    reference = targets.reference.log_softmax(-1)
    return (reference.exp() * (reference - logits.log_softmax(-1))).sum(-1)


KL = Metric(
    signature=Signature(
        name="kl",
        summary="KL divergence of the patched distribution from the unpatched one",
    ),
    compute=kl,
    unit="nats",
    needs_reference=True,
    flat_at_base=True,
)
