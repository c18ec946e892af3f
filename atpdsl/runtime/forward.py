"""Running the model once: capturing activations, patching them, reading the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS
from atpdsl.planning.ops import Forward, Place
from atpdsl.runtime.attention import AttentionValues, attention_names, attention_values
from atpdsl.runtime.load import LoadedModel, hooked
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.sites import HookFunction, at_least_float32, contributions, site_of
from atpdsl.runtime.streams import Segments, segment_hooks

if TYPE_CHECKING:
    from atpdsl.runtime.native.run import NativeRun

_EMBEDDING = NODE_KINDS["embed"].site(0).write


@dataclass(slots=True)
class Run:
    """What one unpatched run leaves behind.

    Attributes:
        logits: where the metric reads, [pair, vocab]; with a graph if tracked.
        values: captured activations, without a graph.
        sites: for tracked runs, the tensors that gradients are taken with respect to, by
            hook name; emptied when the gradients are there, which frees the graph.
        attention: layer -> its attention, where it is kept.
        segments: where the graph was cut, for segmented runs.
        counted: [pair, pos], the positions up to the one that the metric reads.
        start, stop: the positions that were run; all but the logits begin with the first.
        native: what the native executor keeps.
    """

    logits: Tensor
    values: dict[Place, Tensor]
    sites: dict[str, Tensor] = field(default_factory=dict)
    attention: dict[int, AttentionValues] = field(default_factory=dict)
    segments: Segments | None = None
    counted: Tensor | None = None
    start: int = 0
    stop: int = 0
    native: NativeRun | None = None

    def forget(self) -> None:
        """No more gradients will be asked for: the graph may go."""
        self.sites.clear()
        self.segments = None
        self.logits = self.logits.detach()
        if self.native is not None:
            self.native.forget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Activations to overwrite at one place, a vector (or neuron) per entry.

    Attributes:
        row, position: where in the patched run, [entry].
        unit: head or neuron, [entry]; None where the place has a single unit.
        value: what it is set to: [entry, d], or [entry] for neurons.
    """

    place: Place
    row: Tensor
    position: Tensor
    unit: Tensor | None
    value: Tensor


def run(model: LoadedModel, prompts: Prompts, op: Forward) -> Run:
    """Run unpatched, and keep what `op` says.

    Tracked runs keep the graph from the embedding on, for gradients at the captured places;
    segmented ones have it cut at the input of every block.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> HookFunction:
        def hook(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
            seen[name] = tensor
            # The tensor must be given back: at q, k, v and z it is a view that the model
            # otherwise does not go on with, and so outside the graph.
            return tensor

        return hook

    n_layers = model.shape.n_layers
    sites = [site_of(place) for place in op.captures]
    attention = {
        layer: attention_names(model.bridge, layer, scores=op.tracked) for layer in op.attention
    }
    writes = {site.write for site in sites} if op.tracked else set()
    segments = Segments(inputs=[], outputs=[]) if op.segmented else None
    hooks: list[tuple[str, HookFunction]] = [(_EMBEDDING, _leaf)] if op.tracked else []
    if segments is not None:
        writes |= {name for layer in range(n_layers) for name in contributions(layer)}
        hooks += segment_hooks(n_layers, segments)
    names = {name for of_layer in attention.values() for name in of_layer}
    names |= writes | {site.read for site in sites}
    hooks += [(name, keep(name)) for name in sorted(names)]
    with torch.set_grad_enabled(op.tracked), hooked(model.bridge, hooks):
        logits = _logits(model, prompts)
    return Run(
        logits=logits,
        values={p: seen[s.read].detach() for p, s in zip(op.captures, sites, strict=True)},
        sites={name: seen[name] for name in sorted(writes)},
        attention={
            layer: attention_values(model.bridge, layer, seen) for layer in op.attention
        },
        segments=segments,
        counted=counted_positions(prompts),
        stop=prompts.tokens.shape[1],
    )


def counted_positions(prompts: Prompts) -> Tensor:
    """The positions up to the one that the metric reads, [pair, pos]."""
    positions = torch.arange(prompts.tokens.shape[1], device=prompts.tokens.device)
    return positions <= prompts.reads[:, None]


def _leaf(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
    """Where the graph begins: parameters are frozen, so nothing before asks for gradients."""
    return tensor.detach().requires_grad_(True)


def run_patched(model: LoadedModel, prompts: Prompts, patches: Sequence[Patch]) -> Tensor:
    """Logits where the metric reads, [row, vocab], of a run with activations overwritten."""
    stream: dict[str, Tensor] = {}
    hooks: list[tuple[str, HookFunction]] = []
    for patch in patches:
        site = site_of(patch.place)
        if site.stream is not None:
            hooks.append((site.stream, _remember(site.stream, stream)))
        hooks.append((site.write, _write(patch, site.stream, stream)))
    with torch.no_grad(), hooked(model.bridge, hooks):
        return _logits(model, prompts)


def _remember(name: str, stream: dict[str, Tensor]) -> HookFunction:
    def hook(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
        stream[name] = tensor
        return tensor

    return hook


def _write(patch: Patch, stream_hook: str | None, stream: Mapping[str, Tensor]) -> HookFunction:
    at = (patch.row, patch.position)
    where = at if patch.unit is None else (*at, patch.unit)

    def hook(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
        # The layers of a model may be on several devices.
        here = tuple(index.to(tensor.device) for index in where)
        value = patch.value.to(tensor.device)
        if stream_hook is not None:
            value = value - stream[stream_hook].to(tensor.device)[here[:2]]
        return tensor.index_put(here, value)

    return hook


def _logits(model: LoadedModel, prompts: Prompts) -> Tensor:
    """Logits at each row's position; only the positions that some row reads are unembedded."""
    columns, column = torch.unique(prompts.reads, return_inverse=True)
    # The mask is given so that nobody guesses one: a pad token may be a real one elsewhere.
    logits = model.bridge(
        prompts.tokens,
        return_type="logits",
        attention_mask=torch.ones_like(prompts.tokens),
        logits_to_keep=columns,
        use_cache=False,
    )
    rows = torch.arange(len(prompts.tokens), device=logits.device)
    return at_least_float32(logits[rows, column.to(logits.device)])
