"""What a kind of node is: where it is read and written in a TransformerLens model.

Hook names of TransformerLens stand in `atpdsl/nodes/` and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a node's `index` counts, and so the shape of the activation at its site.

    HEAD, KV_HEAD: [pair, pos, head, d_head]; NEURON: [pair, pos, neuron];
    VECTOR (a single unit, index 0): [pair, pos, d_model].
    """

    HEAD = "head"
    KV_HEAD = "kv_head"
    NEURON = "neuron"
    VECTOR = "vector"


class Role(StrEnum):
    """What a node does to the residual stream; decides which nodes can read which."""

    WRITES = "writes"
    READS = "reads"
    READS_AND_WRITES = "reads and writes"
    STREAM = "stream"
    MIXES = "mixes"


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the model where nodes of one kind and layer live.

    Attributes:
        read: hook at which the value is taken.
        write: hook at which a patch is made and the gradient is taken.
        stream: None: the patch replaces the value at `write`. Otherwise a hook whose live
            value is the stream's other part: the patch sets `write` to value - stream, so
            that their sum becomes the value.
    """

    read: str
    write: str
    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKind:
    """A granularity.

    Attributes:
        name: as in a spec, `heads.q`.
        unit: what `index` counts.
        layered: False for a kind that exists once (`embed`).
        read, write, stream: the `Site`'s hooks with `{layer}` in them.
        sequential_only: not defined in models whose attention and MLP run in parallel.
        stage: order inside a block (0 at its input), for drawing and for reading relations.
        role: what it does to the residual stream.
    """

    name: str
    summary: str
    unit: Unit
    read: str
    write: str
    stage: int
    role: Role
    stream: str | None = None
    layered: bool = True
    sequential_only: bool = False

    def site(self, layer: int) -> Site:
        """The site in one layer."""
        return Site(
            self.read.format(layer=layer),
            self.write.format(layer=layer),
            None if self.stream is None else self.stream.format(layer=layer),
        )
