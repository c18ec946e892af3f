"""Gradients at a place with contributions dropped, and how each drop counts in GradDrop's mean.

The mean is over all drops, times n / (n - 1) for nodes that are dropped with their own layer
(Kramar et al. 2024, eq. 11): of a node in layer m, the drop of its own layer leaves nothing,
those of earlier layers leave the plain gradient, and only later ones have to be computed.
Nodes on the residual stream itself survive every drop; their mean is a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from atpdsl.nodes import NODE_KINDS, Role
from atpdsl.planning.ops import Drop, Place


@dataclass(frozen=True, slots=True)
class Dropped:
    """Gradients at one place with contributions dropped, one at a time.

    Attributes:
        streams: [stream, pair, pos, ...], those drops whose gradient is neither the plain
            one nor zero; maybe none.
        plain: how many drops leave the plain gradient.
        divisor: how many drops there are, less the place's own.
    """

    streams: Tensor
    plain: int
    divisor: int

    def magnitude(self, plain: Tensor, dropped: Tensor) -> Tensor:
        """The mean over drops of |estimate|; Kramar et al. 2024, eq. 11.

        Args:
            plain: estimates by the plain gradient, [...].
            dropped: estimates by each of `streams`, [stream, ...].
        """
        return self.magnitude_of(plain, dropped.abs().sum(0))

    def magnitude_of(self, plain: Tensor, total: Tensor) -> Tensor:
        """The same where |estimate| is summed over `streams` already, [...]."""
        return (self.plain * plain.abs() + total) / self.divisor


@dataclass(frozen=True, slots=True)
class Parts:
    """The plain gradient's parts at one place by first reader; they sum to it.

    Attributes:
        streams: [part, pair, pos, ...]; the first goes straight to the logits.
        dropped: numbers of the parts of layers that can be dropped, each by its own drop;
            without the first part and that of the place's own layer.
        plain, divisor: as in `Dropped`.
    """

    streams: Tensor
    dropped: tuple[int, ...]
    plain: int
    divisor: int

    def magnitude(self, plain: Tensor, terms: Tensor) -> Tensor:
        """The mean over drops, where a drop takes the paths that the layer is first to read.

        Args:
            plain: estimates by the plain gradient, [...]: the sum of `terms`.
            terms: estimates by each of `streams`, [part, ...].
        """
        left = plain - terms[list(self.dropped)]
        return (self.plain * plain.abs() + left.abs().sum(0)) / self.divisor


def dropped_at(place: Place, drop: Drop, n_layers: int, streams: Tensor) -> Dropped:
    """The gradients [stream, ...] of those drops that make a difference, counted."""
    divisor = _divisor(place, drop, n_layers)
    return Dropped(streams, divisor - len(streams), divisor)


def parts_at(place: Place, n_layers: int, streams: Tensor, dropped: int) -> Parts:
    """The parts [part, ...] at a place, counted; `dropped` of them after the first can go."""
    divisor = _divisor(place, Drop.FIRST_READER, n_layers)
    return Parts(streams, tuple(range(1, dropped + 1)), divisor - dropped, divisor)


def in_stream(place: Place) -> bool:
    """Whether a place is on the residual stream itself, not in what a layer adds to it."""
    kind = NODE_KINDS[place.kind]
    return kind.role is Role.STREAM or not kind.layered


def _divisor(place: Place, drop: Drop, n_layers: int) -> int:
    drops = n_layers * (2 if drop is Drop.EVERY_SUBLAYER else 1)
    # In a model of one layer there is nothing else to drop: the estimate is the plain one.
    return drops if in_stream(place) else max(drops - 1, 1)
