"""Sets of nodes, kept as products of axes: never one object per node."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE = "sequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSet:
    """Nodes of one kind: layers x indices x positions, in that (row-major) order.

    Attributes:
        kind: a name of `NODE_KINDS`.
        layers: `(0,)` for a kind without layers.
        indices: heads, kv heads or neurons; `(0,)` for a kind without units.
        positions: position labels. A label of digits is a clean token index; another one is
            a named position, whose index may differ from pair to pair; `("sequence",)` is
            one node over all positions.
    """

    kind: str
    layers: tuple[int, ...]
    indices: tuple[int, ...]
    positions: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether a node covers the whole sequence."""
        return self.positions == (WHOLE,)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(layers, indices, positions)."""
        return len(self.layers), len(self.indices), len(self.positions)

    def __len__(self) -> int:
        layers, indices, positions = self.shape
        return layers * indices * positions

    def at(self, flat: int) -> tuple[int, int, str]:
        """(layer, index, position label) of the node with flat number `flat`."""
        rest, position = divmod(flat, len(self.positions))
        layer, index = divmod(rest, len(self.indices))
        return self.layers[layer], self.indices[index], self.positions[position]
