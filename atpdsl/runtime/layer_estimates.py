"""Everything that estimates of one node set in one layer are made of, each computed once.

Several methods and diagnostics ask for the same things: the plain estimate, the QK fix, the
sizes with contributions dropped, the parts by first reader.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from torch import Tensor

from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import Contract, Drop, Place
from atpdsl.runtime.first_order import FirstOrder, Subject
from atpdsl.runtime.head_attention import HeadAttention, query_heads
from atpdsl.runtime.qk_fix import QueryKeyFix
from atpdsl.runtime.sites import site_of
from atpdsl.runtime.streams import LayerGradients, Parts

Numbers = dict[str, Tensor]


class Estimator(Protocol):
    """Estimates of the nodes of one place from gradients there; linear in them."""

    def estimates(self, gradients: Tensor) -> Tensor:
        """[stream, pair, pos, ...] -> [stream, pair, index, position]."""
        ...

    def absolute_sum(self, gradients: Tensor) -> Tensor:
        """The sum over streams of |estimate|, [pair, index, position]; at least one stream."""
        ...


class LayerEstimates:
    """Estimates of the nodes at one place, from the gradients that a walk found there.

    Args:
        rows: the pairs that they are of; all, where the nodes act through the softmax.
    """

    def __init__(
        self,
        place: Place,
        subject: Subject,
        gradients: LayerGradients,
        rows: slice,
    ) -> None:
        self._place, self._nodes, self._spots = place, subject.nodes, subject.spots
        self._runs, self._rule, self._gradients = subject.runs, subject.rule, gradients
        self._subject, self._rows = subject, rows
        # Plain dictionaries: a cached method would hold this object in a cycle, and with it
        # the runs, until the garbage collector comes by.
        self._sizes: dict[tuple[Drop, bool], Tensor] = {}
        self._found_terms: dict[bool, tuple[Tensor, Tensor]] = {}

    def numbers(self, op: Contract) -> Numbers:
        """Numbers per node, each [pair, index, position]: `signed`, `magnitude` and extra."""
        attends = self._place.kind in ATTENDING
        compared = attends and (op.qk_fix or op.saturation)
        fixed = attends and op.qk_fix
        corrected = self._fixed if fixed else self._plain
        extra: Numbers = {}
        if compared or op.drop is not Drop.OFF:
            extra |= {"qk_fix": corrected.abs(), "atp": self._plain.abs()}
        if compared:
            change = (self._fixed - self._plain).abs()
            extra |= {"qk_fix": self._fixed.abs(), "fix_change": change}
        if op.drop is not Drop.OFF:
            extra["magnitude"] = self._size(op.drop, fixed=fixed)
        if op.cancellation:
            terms, direct = self._terms(fixed=fixed)
            extra |= {"terms": terms, "direct": direct}
        if op.saturation and attends:
            extra |= self._saturation
        return {"signed": corrected, **extra}

    # ---- what several ask for

    @cached_property
    def _first_order(self) -> FirstOrder:
        start = self._gradients.start
        return FirstOrder(self._place, self._subject, start, self._rows)

    @cached_property
    def _fix(self) -> QueryKeyFix:
        layer, (base, donor) = self._place.layer, self._runs
        mine, rule = base.attention[layer], self._rule(layer)
        heads = query_heads(mine, self._nodes)
        # Queries and keys of the same heads go through the same attention.
        shared, key = self._gradients.attention, (layer, *heads.tolist())
        if key not in shared:
            shared[key] = HeadAttention(mine, rule, heads)
        theirs = donor.attention[layer]
        return QueryKeyFix(mine, theirs, rule, self._nodes, self._spots, shared[key])

    @property
    def _output(self) -> Place:
        return Place("heads.z", self._place.layer)

    @cached_property
    def _plain(self) -> Tensor:
        gradient = self._gradients.plain[site_of(self._place).write][self._rows]
        return self._first_order.estimates(gradient[None])[0]

    @cached_property
    def _fixed(self) -> Tensor:
        gradient = self._gradients.plain[site_of(self._output).write]
        return self._fix.estimates(gradient[None])[0]

    @cached_property
    def _saturation(self) -> Numbers:
        return self._fix.saturation(self._runs[0].counted)

    def _source(self, *, fixed: bool) -> tuple[Place, Estimator]:
        """Where gradients are taken, and what makes estimates of them.

        The fix is linear in the gradient at the attention's output.
        """
        return (self._output, self._fix) if fixed else (self._place, self._first_order)

    def _size(self, drop: Drop, *, fixed: bool) -> Tensor:
        """GradDrop's mean of sizes (Kramar et al. 2024, eq. 11)."""
        if (drop, fixed) not in self._sizes:
            self._sizes[drop, fixed] = self._make_size(drop, fixed=fixed)
        return self._sizes[drop, fixed]

    def _make_size(self, drop: Drop, *, fixed: bool) -> Tensor:
        place, estimator = self._source(fixed=fixed)
        plain = self._fixed if fixed else self._plain
        if drop is Drop.FIRST_READER:
            parts: Parts = self._gradients.parts[place]
            return parts.magnitude(plain, estimator.estimates(parts.streams[:, self._rows]))
        dropped = self._gradients.dropped[drop][place]
        if not len(dropped.streams):
            return dropped.magnitude_of(plain, plain.new_zeros(plain.shape))
        streams = dropped.streams[:, self._rows]
        return dropped.magnitude_of(plain, estimator.absolute_sum(streams))

    def _terms(self, *, fixed: bool) -> tuple[Tensor, Tensor]:
        """The sum of |parts| by first reader, and the part that goes straight to the logits."""
        if fixed not in self._found_terms:
            self._found_terms[fixed] = self._make_terms(fixed=fixed)
        return self._found_terms[fixed]

    def _make_terms(self, *, fixed: bool) -> tuple[Tensor, Tensor]:
        place, estimator = self._source(fixed=fixed)
        streams = self._gradients.parts[place].streams[:, self._rows]
        return estimator.absolute_sum(streams), estimator.estimates(streams[:1])[0]
