"""A run of a small model with its graph cut, and what a walk back through it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from atpdsl.nodes import NODE_KINDS
from atpdsl.nodes.attention import attention_write, mlp_write
from atpdsl.planning.ops import Drop, Place
from atpdsl.runtime.hooked import hooked
from atpdsl.runtime.streams import (
    Dropped,
    LayerGradients,
    Parts,
    Segments,
    segment_hooks,
    walk_back,
)
from tests.oracle.metrics import Metric
from tests.small_models import bridge

EVERY_DROP = (Drop.EVERY_LAYER, Drop.EVERY_SUBLAYER, Drop.FIRST_READER)


@dataclass(slots=True)
class CutRun:
    """A run whose graph is cut at every block.

    Attributes:
        metric: [pair].
        sites: hook name -> tensor.
        places: every place of the model.
    """

    metric: Tensor
    sites: dict[str, Tensor]
    segments: Segments
    places: tuple[Place, ...]

    def walk(
        self,
        drops: Sequence[Drop] = EVERY_DROP,
        places: Sequence[Place] | None = None,
        *,
        release: bool = False,
    ) -> Walked:
        """Everything that a walk yields, together."""
        where = self.places if places is None else places
        walked = Walked()
        for found in walk_back(
            self.metric, self.sites, self.segments, where, drops, release=release
        ):
            walked.add(found)
        return walked


class Walked:
    """All that a walk has yielded."""

    def __init__(self) -> None:
        self.plain: dict[str, Tensor] = {}
        self.dropped: dict[Drop, dict[Place, Dropped]] = {}
        self.parts: dict[Place, Parts] = {}
        self.streams: list[int] = []

    def add(self, found: LayerGradients) -> None:
        self.plain |= found.plain
        for drop, by_place in found.dropped.items():
            self.dropped.setdefault(drop, {}).update(by_place)
        self.parts |= found.parts
        self.streams.append(found.walked)


def cut_run(model: nn.Module, tokens: Tensor, metric: Metric) -> CutRun:
    """A run of a copy of a plain model."""
    n_layers = model.config.num_hidden_layers
    parallel = getattr(model.config, "use_parallel_residual", False)
    places = tuple(
        Place(kind.name, layer)
        for kind in NODE_KINDS
        if not (parallel and kind.sequential_only)
        for layer in range(n_layers if kind.layered else 1)
    )
    names = {write(place) for place in places}
    for layer in range(n_layers):
        names |= {attention_write(layer), mlp_write(layer)}
    segments, sites = Segments(), {}

    def leaf(tensor: Tensor, hook: object) -> Tensor:
        return tensor.detach().requires_grad_(True)

    def keep(name: str):
        def hook(tensor: Tensor, hook: object) -> Tensor:
            sites[name] = tensor
            return tensor

        return hook

    hooks = [("hook_embed", leaf), *segment_hooks(n_layers, segments)]
    hooks += [(name, keep(name)) for name in sorted(names)]
    in_bridge = bridge(model)
    with torch.enable_grad(), hooked(in_bridge, hooks):
        logits = in_bridge(tokens, return_type="logits", use_cache=False)
        value = metric(logits)
    return CutRun(value, sites, segments, places)


def write(place: Place) -> str:
    """Where a place's gradient is."""
    return NODE_KINDS[place.kind].site(place.layer).write
