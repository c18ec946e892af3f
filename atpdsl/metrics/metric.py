"""What a metric is: one number per pair from the logits at one position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRows:
    """Some tokens of each pair.

    Attributes:
        ids: token ids, [pair, k]; short rows are filled up with token 0.
        mask: 1.0 where an entry is real, [pair, k].
    """

    ids: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the logits of a batch are compared with.

    Attributes:
        answers, foils: token ids, [pair, k]; short rows are filled up with token 0.
        answer_mask, foil_mask: 1.0 where an entry is real, [pair, k].
        reference: logits of the clean run at the metric's position, [pair, vocab], for
            metrics that measure a distance from it; carries no gradient.
        sets: the token sets of a computed metric.
    """

    answers: Tensor
    foils: Tensor
    answer_mask: Tensor
    foil_mask: Tensor
    reference: Tensor | None = None
    sets: tuple[TokenRows, ...] = ()

    @property
    def right(self) -> TokenRows:
        """The right answers."""
        return TokenRows(ids=self.answers, mask=self.answer_mask)

    @property
    def wrong(self) -> TokenRows:
        """The wrong answers."""
        return TokenRows(ids=self.foils, mask=self.foil_mask)


class Logits:
    """The logits of a batch, and what is made of them once for all that read it.

    Args:
        values: [pair, vocab].
    """

    def __init__(self, values: Tensor) -> None:
        self.values = values

    @cached_property
    def probabilities(self) -> Tensor:
        """Of the next token, [pair, vocab]."""
        return self.values.softmax(-1)

    @cached_property
    def logprobs(self) -> Tensor:
        """Their logarithms, in nats; exact where a probability is too small for its type."""
        return self.values.log_softmax(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric.

    Attributes:
        measure: (logits, targets) -> [pair]; uses tensor methods only, so that this package
            needs no torch.
        needs_reference: whether `Targets.reference` must be set.
        of_logits: only logits of the targets' tokens are read, so that no others are needed.
        flat_at_clean: the gradient at the clean run is zero by definition, so that first
            order estimates there say nothing.
        unit: what the number is measured in.
    """

    signature: Signature
    measure: Callable[[Logits, Targets], Tensor]
    unit: str
    needs_reference: bool = False
    of_logits: bool = False
    flat_at_clean: bool = False

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.signature.name

    @property
    def differentiable(self) -> bool:
        """Whether it has a gradient, so that effects on it can be estimated."""
        return self.signature.differentiable

    def compute(self, logits: Tensor, targets: Targets) -> Tensor:
        """The metric of each pair, logits [pair, vocab] -> [pair]."""
        return self.measure(Logits(logits), targets)
