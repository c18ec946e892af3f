"""What a metric is: one number per pair from the logits at one position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the logits of a batch are compared with.

    Attributes:
        answers, foils: token ids, [pair, k]; short rows are filled up with token 0.
        answer_mask, foil_mask: 1.0 where an entry is real, [pair, k].
        reference: logits of the clean run at the metric's position, [pair, vocab], for
            metrics that measure a distance from it; carries no gradient.
    """

    answers: Tensor
    foils: Tensor
    answer_mask: Tensor
    foil_mask: Tensor
    reference: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric.

    Attributes:
        compute: (logits [pair, vocab], targets) -> [pair]; uses tensor methods only, so that
            this package needs no torch.
        needs_reference: whether `Targets.reference` must be set.
        flat_at_clean: the gradient at the clean run is zero by definition, so that first
            order estimates there say nothing.
        unit: what the number is measured in.
    """

    signature: Signature
    compute: Callable[[Tensor, Targets], Tensor]
    unit: str
    needs_reference: bool = False
    flat_at_clean: bool = False

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.signature.name


def chosen(values: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Values of the given tokens, zero where the mask is: [pair, vocab] -> [pair, k]."""
    return values.gather(-1, tokens) * mask
