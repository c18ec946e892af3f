"""The attention of a bridge, kept as a run keeps it; and values out of bare tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.runtime.attention import AttentionValues, attention_names, attention_values
from atpdsl.runtime.hooked import hooked
from atpdsl.runtime.spots import Spots

Edit = tuple[str, Callable[[Tensor], Tensor]]


def seen(bridge: Any, tokens: Tensor, names: Sequence[str], *edits: Edit) -> dict[str, Tensor]:
    """What hooks see in a run, after the edits."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor, object], Tensor]:
        def hook(tensor: Tensor, hook: object) -> Tensor:
            found[name] = tensor
            return tensor

        return hook

    hooks = [(name, lambda t, hook, change=change: change(t)) for name, change in edits]
    hooks += [(name, keep(name)) for name in names]
    with torch.no_grad(), hooked(bridge, hooks):
        bridge(
            tokens,
            return_type="logits",
            attention_mask=torch.ones_like(tokens),
            use_cache=False,
        )
    return found


def attention(bridge: Any, tokens: Tensor, layer: int, *, scores: bool) -> AttentionValues:
    """One layer's attention in a run; with scores as of the run that is patched."""
    names = attention_names(bridge, layer, scores=scores)
    return attention_values(bridge, layer, seen(bridge, tokens, names))


def node_set(kind: str, indices: int | Sequence[int], labels: int | None) -> NodeSet:
    """Nodes of one layer at so many positions; None is over the whole sequence."""
    positions = (WHOLE,) if labels is None else tuple(map(str, range(labels)))
    every = range(indices) if isinstance(indices, int) else indices
    return NodeSet(kind=kind, layers=(0,), indices=tuple(every), positions=positions)


def spots_at(
    base: Sequence[Sequence[int]],
    donor: Sequence[Sequence[int]] | None = None,
    *,
    whole: bool = False,
    covers: Sequence[Sequence[bool]] | None = None,
    live: Sequence[Sequence[bool]] | None = None,
) -> Spots:
    """Positions [pair, label] of nodes, or [pair, cover] of nodes over the whole sequence."""

    def shaped(array: Any) -> Any:
        return np.asarray(array)[:, None, :] if whole else np.asarray(array)[:, :, None]

    at = shaped(base)
    covered = np.ones(at.shape, bool) if covers is None else shaped(covers)
    exists = covered.any(-1)
    alive = exists if live is None else exists & np.asarray(live)
    return Spots(
        base=at,
        donor=at if donor is None else shaped(donor),
        covers=covered,
        patched=covered & alive[..., None],
        exists=exists,
        live=alive,
        live_last=alive,
    )


def every_spot(pairs: int, length: int, *, whole: bool = False) -> Spots:
    """Each position of prompts of one length, all of one node if `whole`."""
    return spots_at([list(range(length))] * pairs, whole=whole)
