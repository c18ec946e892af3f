"""AtP's inner product: (donor - base) . gradient, for every node of a set."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import Unit
from atpdsl.planning.ops import Place, places_of
from atpdsl.runtime.forward import Run, at_least_float32, site_of, unit_axis
from atpdsl.runtime.spots import Spots, gather


def contract(
    base: Run, donor: Run, gradients: Mapping[str, Tensor], nodes: NodeSet, spots: Spots
) -> Tensor:
    """First-order estimates, [pair, layer, index, position], 0 where there is nothing to do.

    Kramar et al. 2024, eq. 4. The product runs over the node's own dimensions only; a node
    that covers several positions sums its signed terms over them.
    """
    layers = [
        _one_layer(
            base.values[p], donor.values[p], gradients[site_of(p).write], (p, nodes, spots)
        )
        for p in places_of(nodes)
    ]
    return torch.stack(layers, dim=1)


def _one_layer(
    base: Tensor, donor: Tensor, gradient: Tensor, where: tuple[Place, NodeSet, Spots]
) -> Tensor:
    """Activations [pair, pos, ...] of one place -> estimates [pair, index, position]."""
    place, nodes, spots = where
    unit = unit_axis(place)
    if unit is not Unit.VECTOR:
        units = torch.tensor(nodes.indices, device=base.device)
        if len(units) != base.shape[2]:
            base, donor, gradient = (t[:, :, units] for t in (base, donor, gradient))
        elif nodes.indices != tuple(range(len(units))):
            raise ValueError(f"indices of {nodes.kind} are not in order: {nodes.indices}")
    shape = spots.base.shape
    flat = (shape[0], shape[1] * shape[2])
    at_base = torch.from_numpy(spots.base.reshape(flat)).to(base.device)
    at_donor = torch.from_numpy(spots.donor.reshape(flat)).to(base.device)
    difference = at_least_float32(gather(donor, at_donor)) - at_least_float32(
        gather(base, at_base)
    )
    product = difference * at_least_float32(gather(gradient, at_base))
    if unit is Unit.VECTOR:
        product = product.sum(-1, keepdim=True)
    elif unit is not Unit.NEURON:
        product = product.sum(-1)
    product = product.reshape(*shape, -1)
    used = torch.from_numpy(spots.covers & spots.live[..., None]).to(base.device)
    return product.masked_fill(~used[..., None], 0.0).sum(2).transpose(1, 2)
