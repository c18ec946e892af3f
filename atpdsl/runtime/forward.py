"""Running the model once: capturing activations, patching them, reading the metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS, Site, Unit
from atpdsl.planning.ops import Place
from atpdsl.runtime.load import LoadedModel, hooked
from atpdsl.runtime.prompts import Prompts

HookFunction = Callable[[Tensor, Any], Tensor]
_EMBEDDING = NODE_KINDS["embed"].site(0).write


def site_of(place: Place) -> Site:
    """The hooks of a place."""
    return NODE_KINDS[place.kind].site(place.layer)


@dataclass(slots=True)
class Run:
    """What one unpatched run leaves behind.

    Attributes:
        logits: where the metric reads, [pair, vocab]; with a graph if tracked.
        values: captured activations, without a graph.
        sites: for tracked runs, the tensors that gradients are taken with respect to, by
            hook name; emptied when the gradients are there, which frees the graph.
    """

    logits: Tensor
    values: dict[Place, Tensor]
    sites: dict[str, Tensor] = field(default_factory=dict)


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


def run(
    model: LoadedModel, prompts: Prompts, captures: Sequence[Place], *, tracked: bool
) -> Run:
    """Run unpatched.

    Args:
        captures: places whose activations are kept.
        tracked: keep the graph from the embedding on, for gradients at `captures`.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> HookFunction:
        def hook(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
            seen[name] = tensor
            # The tensor must be given back: at q, k, v and z it is a view that the model
            # otherwise does not go on with, and so outside the graph.
            return tensor

        return hook

    sites = [site_of(place) for place in captures]
    reads = {site.read for site in sites}
    writes = {site.write for site in sites} if tracked else set()
    hooks: list[tuple[str, HookFunction]] = [(_EMBEDDING, _leaf)] if tracked else []
    hooks += [(name, keep(name)) for name in sorted(reads | writes)]
    with torch.set_grad_enabled(tracked), hooked(model.bridge, hooks):
        logits = _logits(model, prompts)
    return Run(
        logits=logits,
        values={p: seen[s.read].detach() for p, s in zip(captures, sites, strict=True)},
        sites={name: seen[name] for name in sorted(writes)},
    )


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
        value = patch.value
        if stream_hook is not None:
            value = value - stream[stream_hook][at]
        return tensor.index_put(where, value)

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
    return at_least_float32(logits[rows, column])


def at_least_float32(tensor: Tensor) -> Tensor:
    """Half precision made single; scores are never summed in 16 bits."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def unit_axis(place: Place) -> Unit:
    """What the units of a place are."""
    return NODE_KINDS[place.kind].unit
