"""AtP's inner product: (donor - base) . gradient, for every node of a set, and its corrections.

Gradients come layer by layer while they are walked back; what is needed of them is taken at
once, and they are let go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import ATTENDING, Unit
from atpdsl.planning.ops import Contract, Drop, Place, places_of
from atpdsl.runtime.attention import attention_rule
from atpdsl.runtime.forward import Run
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.qk_fix import QueryKeyFix
from atpdsl.runtime.sites import at_least_float32, site_of, unit_axis
from atpdsl.runtime.spots import Spots, gather
from atpdsl.runtime.statistics import Part
from atpdsl.runtime.streams import Dropped, LayerGradients, Parts

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats


class Contraction:
    """One `Contract` under way: takes gradients as they come.

    Kramar et al. 2024, eqs. 4 (plain), 6 to 10 (QK fix) and 11 (GradDrop).
    """

    def __init__(
        self, op: Contract, base: Run, donor: Run, spots: Spots, model: LoadedModel
    ) -> None:
        self.op, self.spots = op, spots
        self._base, self._donor, self._model = base, donor, model
        self._tables: dict[Place, dict[str, Tensor]] = {}

    def take(self, gradients: LayerGradients) -> None:
        """Everything of these gradients that this contraction is about."""
        for place in places_of(self.op.nodes):
            if place not in self._tables and site_of(place).write in gradients.plain:
                self._tables[place] = self._layer(place, gradients)

    def part(self) -> Part:
        """The estimates of the batch, [pair, layer, index, position]."""
        tables = [self._tables[place] for place in places_of(self.op.nodes)]

        def stacked(name: str) -> Floats:
            found = torch.stack([table[name] for table in tables], dim=1)
            return found.double().cpu().numpy()

        extra = {n: stacked(n) for n in tables[0] if n not in {"signed", "magnitude"}}
        return Part(
            signed=stacked("signed"),
            magnitude=stacked("magnitude") if "magnitude" in tables[0] else None,
            exists=self.spots.exists[:, None, None, :],
            extra=extra,
        )

    def _layer(self, place: Place, gradients: LayerGradients) -> dict[str, Tensor]:
        """Numbers per node of one layer, each [pair, index, position]."""
        op = self.op
        first_order = _FirstOrder(place, self._base, self._donor, op.nodes, self.spots)
        attention = self._attention(place)
        plain = first_order(gradients.plain[site_of(place).write][None])[0]
        corrected, source = plain, place
        estimates: Callable[[Tensor], Tensor] = first_order
        extra: dict[str, Tensor] = {}
        if attention is not None:
            # The fix is linear in the gradient at the attention's output.
            output = Place("heads.z", place.layer)
            fixed = attention.estimates(gradients.plain[site_of(output).write][None])[0]
            extra |= {"qk_fix": fixed.abs(), "fix_change": (fixed - plain).abs()}
            if op.qk_fix:
                corrected, source, estimates = fixed, output, attention.estimates
        if op.drop is not Drop.OFF:
            found = _dropped(op.drop, source, gradients)
            none = corrected[None][:0]
            others = estimates(found.streams) if len(found.streams) else none
            extra["magnitude"] = found.magnitude(corrected, others)
        if attention is not None or op.drop is not Drop.OFF:
            extra = {"qk_fix": corrected.abs(), **extra, "atp": plain.abs()}
        if op.cancellation:
            parts = estimates(gradients.parts[source].streams)
            extra |= {"terms": parts.abs().sum(0), "direct": parts[0]}
        if op.saturation and attention is not None:
            extra |= attention.saturation()
        return {"signed": corrected, **extra}

    def _attention(self, place: Place) -> QueryKeyFix | None:
        wanted = self.op.qk_fix or self.op.saturation
        if not wanted or place.kind not in ATTENDING:
            return None
        layer = place.layer
        return QueryKeyFix(
            self._base.attention[layer],
            self._donor.attention[layer],
            attention_rule(self._model.bridge, layer),
            self.op.nodes,
            self.spots,
            self._base.counted,
        )


def _dropped(drop: Drop, place: Place, gradients: LayerGradients) -> Dropped | Parts:
    """Gradients for GradDrop's magnitude (eq. 11)."""
    if drop is Drop.FIRST_READER:
        return gradients.parts[place]
    return gradients.dropped[drop][place]


class _FirstOrder:
    """(donor - base) . gradient at one place; the product is over the node's own dimensions.

    A node that covers several positions sums its signed terms over them.
    """

    def __init__(
        self, place: Place, base: Run, donor: Run, nodes: NodeSet, spots: Spots
    ) -> None:
        self._unit, self._units = unit_axis(place), _units(place, nodes)
        self._shape = spots.base.shape
        flat = (self._shape[0], self._shape[1] * self._shape[2])
        values = base.values[place]
        self._at = torch.from_numpy(spots.base.reshape(flat)).to(values.device)
        at_donor = torch.from_numpy(spots.donor.reshape(flat)).to(values.device)
        self._difference = self._chosen(donor.values[place], at_donor)
        self._difference = self._difference - self._chosen(values, self._at)
        used = torch.from_numpy(spots.covers & spots.live[..., None])
        self._unused = ~used.to(values.device)[..., None]

    def __call__(self, gradients: Tensor) -> Tensor:
        """[stream, pair, pos, ...] -> [stream, pair, index, position]."""
        # Stream by stream: a product of all of them would be as large as all gradients.
        return torch.stack([self._one(gradient) for gradient in gradients])

    def _one(self, gradient: Tensor) -> Tensor:
        product = self._difference * self._chosen(gradient, self._at)
        if self._unit is Unit.VECTOR:
            product = product.sum(-1, keepdim=True)
        elif self._unit is not Unit.NEURON:
            product = product.sum(-1)
        product = product.reshape(*self._shape, -1)
        return product.masked_fill(self._unused, 0.0).sum(2).transpose(1, 2)

    def _chosen(self, values: Tensor, at: Tensor) -> Tensor:
        """Positions and units of an activation or its gradient."""
        if self._units is not None and len(self._units) != values.shape[2]:
            values = values[:, :, self._units]
        return at_least_float32(gather(values, at))


def _units(place: Place, nodes: NodeSet) -> list[int] | None:
    """Heads or neurons of the nodes; None where a place has a single unit."""
    if unit_axis(place) is Unit.VECTOR:
        return None
    if list(nodes.indices) != sorted(set(nodes.indices)):
        raise ValueError(f"indices of {nodes.kind} are not in order: {nodes.indices}")
    return list(nodes.indices)
