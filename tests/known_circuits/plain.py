"""The models in plain torch, and exact patching one node at a time: a twin of the engine.

A pre-norm transformer whose norms are the identity, with a ReLU in its MLPs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.known_circuits.models import KnownModel, Pair

ATTENTION = ("q", "k", "v", "z")
Edit = Callable[["Site", Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Site:
    """`kind` is q, k, v, z ([pos, head, d_head]) or mlp ([pos, d_model])."""

    kind: str
    layer: int


@dataclass(frozen=True, slots=True)
class Node:
    """A vector at a site; `head` is None for MLPs."""

    site: Site
    head: int | None
    position: int

    def __str__(self) -> str:
        where = f"L{self.site.layer}" + ("" if self.head is None else f".H{self.head}")
        kind = self.site.kind if self.head is None else f"heads.{self.site.kind}"
        return f"{kind}.{where}@{self.position}"

    @property
    def part(self) -> str:
        """The head or MLP that it belongs to, as in `KnownModel.circuit`."""
        head = f"heads.L{self.site.layer}.H{self.head}"
        return f"mlp.L{self.site.layer}" if self.head is None else head


def nodes_of(model: KnownModel) -> Iterator[Node]:
    """Every attention node and every MLP, at every position."""
    for layer in range(model.config["n_layers"]):
        for position in range(model.length):
            for kind in ATTENTION:
                for head in range(model.config["n_heads"]):
                    yield Node(Site(kind, layer), head, position)
            yield Node(Site("mlp", layer), None, position)


def logits(model: KnownModel, tokens: tuple[int, ...], edit: Edit) -> Tensor:
    """[pos, output]; `edit` sees the activations of every site and gives what is used."""
    w, c = model.weights, model.config
    stream = w["tok_embed.weight"][list(tokens)] + w["pos.weight"][: len(tokens)]

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    for layer in range(c["n_layers"]):
        at = f"layers.{layer}"
        q, k, v = (
            edit(
                Site(kind, layer),
                linear(f"{at}.attn.{kind}", stream).unflatten(-1, (c["n_heads"], c["d_head"])),
            )
            for kind in "qkv"
        )
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(c["d_head"])
        if model.causal:
            later = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        z = torch.einsum("hqk,khd->qhd", scores.softmax(-1), v)
        stream = stream + linear(f"{at}.attn.o", edit(Site("z", layer), z).flatten(1))
        hidden = linear(f"{at}.mlp.fc_in", stream).relu()
        stream = stream + edit(Site("mlp", layer), linear(f"{at}.mlp.fc_out", hidden))
    return stream @ w["head.weight"].T


def metric(pair: Pair, values: Tensor) -> Tensor:
    """The logit difference of a run."""
    return values[pair.read, pair.answer] - values[pair.read, pair.foil]


def activations(model: KnownModel, tokens: tuple[int, ...]) -> dict[Site, Tensor]:
    """Of an unpatched run, at every site."""
    seen: dict[Site, Tensor] = {}

    def keep(site: Site, values: Tensor) -> Tensor:
        seen[site] = values
        return values

    logits(model, tokens, keep)
    return seen


def exact_effects(model: KnownModel, pair: Pair) -> dict[Node, float]:
    """metric(clean run with one node from the corrupted run) - metric(clean run)."""
    donor = activations(model, pair.corrupted)
    before = metric(pair, logits(model, pair.clean, lambda _, values: values))
    return {
        node: float(metric(pair, logits(model, pair.clean, one_node(node, donor))) - before)
        for node in nodes_of(model)
    }


def one_node(node: Node, donor: dict[Site, Tensor], share: float = 1.0) -> Edit:
    """Moves one node from its own value towards the donor's, all the way by default."""

    def edit(site: Site, values: Tensor) -> Tensor:
        if site != node.site:
            return values
        at = (node.position,) if node.head is None else (node.position, node.head)
        patched = values.clone()
        patched[at] = values[at] + share * (donor[site][at] - values[at])
        return patched

    return edit


STEP = 1e-3
"""How far, as a share of its change, a head's output is moved to see which way it goes."""


@dataclass(frozen=True, slots=True)
class Slope:
    """How the metric begins to move when a node's head or MLP goes to what the patch makes it.

    For queries, keys and values the output of the head changes as the patch changes it; for z
    and MLPs the node itself does. Everything later is followed by its derivative only, so for
    queries and keys this is what the QK fix estimates, and for the others AtP.

    Attributes:
        derivative: by autograd, at the clean run.
        one_sided: (metric after `STEP` of the way - metric) / `STEP`: the same without any
            derivative, up to curvature, unless a ReLU stands exactly at its kink.
    """

    derivative: float
    one_sided: float


def slope(model: KnownModel, pair: Pair, node: Node, frozen: int | None = None) -> Slope:
    """The slope after a node, by plain autograd and by a small step.

    Args:
        frozen: a later layer whose attention and MLP are held at their outputs in the clean
            run: what GradDrop takes away.
    """
    clean, donor = activations(model, pair.clean), activations(model, pair.corrupted)
    outputs: dict[Site, Tensor] = {}
    site = node.site if node.site.kind == "mlp" else Site("z", node.site.layer)
    patch = one_node(node, donor)

    def watch(at: Site, values: Tensor) -> Tensor:
        outputs[at] = patch(at, values)
        return outputs[at]

    logits(model, pair.clean, watch)

    def moved(share: Tensor) -> Tensor:
        def edit(at: Site, values: Tensor) -> Tensor:
            if at == site:
                return clean[site] + share * (outputs[site] - clean[site])
            return clean[at] if at.layer == frozen else values

        return metric(pair, logits(model, pair.clean, edit))

    share = torch.zeros((), dtype=torch.float64, requires_grad=True)
    at_zero = moved(share)
    (derivative,) = torch.autograd.grad(at_zero, share)
    after = moved(torch.tensor(STEP, dtype=torch.float64))
    return Slope(float(derivative), float(after.detach() - at_zero.detach()) / STEP)


def dropped_mean(model: KnownModel, pair: Pair, node: Node) -> float:
    """GradDrop's magnitude (Kramar et al. 2024, eq. 11), one frozen run for every layer.

    The drop of the node's own layer gives 0, and one of an earlier layer changes nothing; with
    a single layer there is nothing to drop.
    """
    n_layers = model.config["n_layers"]
    if n_layers == 1:
        return abs(slope(model, pair, node).derivative)
    others = [layer for layer in range(n_layers) if layer != node.site.layer]
    later = [layer if layer > node.site.layer else None for layer in others]
    return sum(abs(slope(model, pair, node, one).derivative) for one in later) / len(others)
