"""The backward pass of a run, whole or layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from atpdsl.planning.ops import Backward
from atpdsl.problems import RunError
from atpdsl.runtime.forward import Run
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.pieces import GraphPieces
from atpdsl.runtime.pullback import no_gradient
from atpdsl.runtime.sites import site_of
from atpdsl.runtime.streams import LayerGradients, walk


def gradients_of(
    op: Backward, metric: Tensor, base: Run, *, more: bool, at_once: Halving | None = None
) -> Iterator[LayerGradients]:
    """Gradients of each pair's metric at the places of `op`.

    Args:
        metric: [pair], with the graph of `base`.
        more: whether another backward of this run comes after, which needs its graph.
        at_once: numbers in GradDrop's gradients that go through a block together.

    Raises:
        RunError: ATP405 when no gradient arrives at a place.
    """
    names = sorted({site_of(place).write for place in op.places})
    if base.segments is not None:
        pieces = GraphPieces(base.sites, base.segments, release=not more, at_once=at_once)
        yield from walk(pieces, metric, op.places, op.drops)
        if not more:
            base.sites.clear()
        return
    # Pairs do not meet in a batch: the gradient of the sum is each pair's own gradient.
    found = torch.autograd.grad(
        metric,
        [base.sites[name] for name in names],
        grad_outputs=torch.ones_like(metric),
        retain_graph=more,
        allow_unused=True,
    )
    plain: dict[str, Tensor] = {}
    for name, gradient in zip(names, found, strict=True):
        if gradient is None:
            raise RunError([no_gradient(name)])
        plain[name] = gradient
    yield LayerGradients(plain=plain, dropped={}, parts={})
