"""What runs a model: the few things that operations need of it, whatever is inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from atpdsl.planning.ops import Backward, Forward
from atpdsl.runtime.attention import AttentionRule
from atpdsl.runtime.forward import Patch, Run
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.streams import LayerGradients


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedRows:
    """Rows that are run with activations overwritten.

    Attributes:
        prompts: one per row.
        patches: what is overwritten, in the order in which it is done.
        base: the unpatched run that rows are resumed from; None: they are run from the start.
        pair: [row], which pair of `base` a row is of.
        tokens: the columns of the logits that are wanted, [n]; None is the whole vocabulary.
    """

    prompts: Prompts
    patches: Sequence[Patch]
    base: Run | None
    pair: Tensor
    tokens: Tensor | None = None


class Engine(Protocol):
    """A model and a way to run it.

    Attributes:
        passed: tokens times layers that went through a block forward, so far.
        streams_at_once: numbers in GradDrop's gradients that go through a block together, if
            nobody wants another number.
    """

    model: LoadedModel
    passed: int
    streams_at_once: int

    def run(self, prompts: Prompts, op: Forward, past: Run | None) -> Run:
        """Run unpatched, and keep what `op` says.

        Raises:
            RunError: ATP406 when a layer's attention is not computed as the QK fix expects.
        """
        ...

    def gradients(
        self,
        op: Backward,
        metric: Tensor,
        base: Run,
        *,
        more: bool,
        at_once: Halving | None = None,
    ) -> Iterator[LayerGradients]:
        """Gradients of each pair's metric, [pair], at the places of `op`.

        Args:
            more: whether another backward of this run comes after, which needs its graph.
            at_once: numbers in GradDrop's gradients that go through a block together, fewer
                after memory ran out; `streams_at_once` if not given.

        Raises:
            RunError: ATP405 when no gradient arrives at a place.
        """
        ...

    def patched(self, rows: PatchedRows) -> Tensor:
        """Logits where the metric reads, [row, vocab or n], with activations overwritten."""
        ...

    def attention_rule(self, layer: int) -> AttentionRule:
        """The constants of a layer's attention.

        Raises:
            RunError: ATP406 for an attention that is known to be computed in another way.
        """
        ...
