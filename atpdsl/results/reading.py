"""Which node can read what another one writes, from the order of things in a transformer.

Three ways: through the residual `stream` at one position, through `attention` from a position
to itself and later ones, and as a `part` of what is summed up (a head of `attn`, a neuron of
`mlp`).

Where the run has no nodes for a step, the nodes around it are joined directly: without
`heads.v` nodes in a layer, a head's output reads the stream at all positions before it; with
neither `heads.z` nor `attn` nodes, what it writes is read from its queries, keys and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS, NodeKind, Role, Unit

_QUERIES = tuple(k for k in NODE_KINDS if k.role is Role.READS and k.unit is Unit.HEAD)
_SOURCES = tuple(k for k in NODE_KINDS if k.role is Role.READS and k.unit is Unit.KV_HEAD)
_OUTPUTS = tuple(k for k in NODE_KINDS if k.role is Role.MIXES)
_WHOLES = tuple(k for k in NODE_KINDS if k.role is Role.WRITES and k.layered)
# Where a head reads the stream: after `resid.pre`, before anything that its layer writes.
_ATTENTION_STAGE = 1.0
_ATTENTION_WRITES = float(max(k.stage for k in _WHOLES))
_PARALLEL_MLP_STAGE = 0.5


class Through(StrEnum):
    """What of the target reads the source: a head's query, key or value, the MLP, ..."""

    QUERY = "q"
    KEY = "k"
    VALUE = "v"
    MLP = "mlp"
    STREAM = "stream"
    PART = "part"
    LOGITS = "logits"


_BY_KIND = {"heads.q": Through.QUERY, "heads.k": Through.KEY, "heads.v": Through.VALUE}


class Via(StrEnum):
    """How one node reaches another."""

    STREAM = "stream"
    ATTENTION = "attention"
    PART = "part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A node's place; `position` None is the whole prompt."""

    kind: NodeKind
    layer: int
    index: int
    position: int | None

    @property
    def is_attention(self) -> bool:
        """Whether it is the output of a layer's whole attention."""
        return self.kind.role is Role.WRITES and self.kind.layered

    @property
    def is_mlp_part(self) -> bool:
        """Whether it is a part of what a layer's MLP writes."""
        return self.kind.role is Role.READS_AND_WRITES and self.kind.unit is Unit.NEURON


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The reading relation of one run.

    Attributes:
        covered: kind -> the layers that the run has nodes in; ranges, both ends included.
    """

    shape: ModelShape
    covered: Mapping[str, tuple[tuple[int, int], ...]]

    def via(self, source: Spot, reader: Spot) -> Via | None:
        """How `reader` can read `source`; None if it cannot."""
        if source.layer == reader.layer and source.kind.layered:
            inside = self._inside_layer(source, reader)
            if inside is not None:
                return inside if self._arrives(source, reader, inside) else None
        if not self.writes_stream(source) or not self._precedes(source, reader):
            return None
        return self._through_stream(source, reader)

    def through(self, source: Spot, reader: Spot, via: Via) -> tuple[Through, ...]:
        """What of `reader` reads `source`, where `via` says how; several ways for a head."""
        if via is Via.PART:
            return (Through.PART,)
        if reader.kind.name in _BY_KIND:
            return (_BY_KIND[reader.kind.name],)
        if not (reader.kind.role is Role.MIXES or reader.is_attention):
            stream = reader.kind.role is Role.STREAM
            return (Through.STREAM if stream else Through.MLP,)
        if source.kind.name in _BY_KIND and source.layer == reader.layer:
            return (_BY_KIND[source.kind.name],)
        # Past the query, key and value nodes that the run does not have.
        here = self._meets(source, reader.position)
        earlier = _not_later(source.position, reader.position)
        return tuple(
            way
            for kind, way, fits in (
                *((kind, Through.QUERY, here) for kind in _QUERIES),
                *((kind, _BY_KIND[kind.name], earlier) for kind in _SOURCES),
            )
            if fits and not self._covers((kind,), reader.layer)
        )

    def via_end(self, source: Spot, position: int | None) -> Via | None:
        """How the end of the stream at `position` can read `source`; None if it cannot."""
        if not self.writes_stream(source) or not self._meets(source, position):
            return None
        return _way(source)

    def writes_stream(self, source: Spot) -> bool:
        """Whether the stream has what the node is, with no other node in between."""
        inside = self._covers(_OUTPUTS, source.layer) or self._covers(_WHOLES, source.layer)
        return source.kind.role is not Role.READS or not inside

    def reads_stream(self, reader: Spot) -> bool:
        """Whether the node reads the stream at any position."""
        if reader.kind.role is Role.MIXES or reader.is_attention:
            return bool(self._attention_reads(reader))
        return reader.kind.role in (Role.READS, Role.READS_AND_WRITES, Role.STREAM)

    def _inside_layer(self, source: Spot, reader: Spot) -> Via | None:
        """The relation of two nodes of one attention or one MLP, None if they are not that."""
        if source.is_mlp_part and reader.kind.role is Role.READS_AND_WRITES:
            return None if reader.is_mlp_part else Via.PART
        if source.kind.role is Role.MIXES and reader.is_attention:
            return Via.PART
        if source.kind.role is Role.READS and (
            reader.kind.role is Role.MIXES
            or (reader.is_attention and not self._covers(_OUTPUTS, reader.layer))
        ):
            return Via.ATTENTION
        return None

    def _arrives(self, source: Spot, reader: Spot, via: Via) -> bool:
        """Whether positions and heads of two nodes of one attention or MLP fit."""
        if via is Via.PART or source.kind.unit is Unit.HEAD:
            fits = _same(source.position, reader.position)
        else:
            fits = _not_later(source.position, reader.position)
        if via is Via.PART or reader.kind.role is not Role.MIXES:
            return fits
        group = self.shape.n_heads // self.shape.n_kv_heads
        head = reader.index if source.kind.unit is Unit.HEAD else reader.index // group
        return fits and source.index == head

    def _precedes(self, source: Spot, reader: Spot) -> bool:
        reads = source.kind.role is Role.READS
        writes = _ATTENTION_WRITES if reads else float(source.kind.stage)
        written = (source.layer if source.kind.layered else -1, writes)
        stage = float(reader.kind.stage)
        if reader.kind.role is Role.READS_AND_WRITES and self.shape.parallel:
            stage = _PARALLEL_MLP_STAGE
        elif reader.kind.role is Role.MIXES or reader.is_attention:
            stage = _ATTENTION_STAGE
        return written < (reader.layer if reader.kind.layered else -1, stage)

    def _through_stream(self, source: Spot, reader: Spot) -> Via | None:
        if reader.kind.role is Role.MIXES or reader.is_attention:
            reads = self._attention_reads(reader)
            here = "same" in reads and self._meets(source, reader.position)
            earlier = "earlier" in reads and _not_later(source.position, reader.position)
            return Via.ATTENTION if here or earlier else None
        if not self.reads_stream(reader):
            return None
        return _way(source) if self._meets(source, reader.position) else None

    @staticmethod
    def _meets(source: Spot, position: int | None) -> bool:
        """Whether the stream has the node at a position; keys and values go to later ones."""
        carried = source.kind.role is Role.READS and source.kind.unit is Unit.KV_HEAD
        fits = _not_later if carried else _same
        return fits(source.position, position)

    def _attention_reads(self, reader: Spot) -> frozenset[str]:
        """Where an attention output reads the stream past all query, key and value nodes."""
        if reader.is_attention and self._covers(_OUTPUTS, reader.layer):
            return frozenset()
        reads = set()
        if not self._covers(_QUERIES, reader.layer):
            reads.add("same")
        if not self._covers(_SOURCES, reader.layer):
            reads.add("earlier")
        return frozenset(reads)

    def _covers(self, kinds: tuple[NodeKind, ...], layer: int) -> bool:
        return all(
            any(first <= layer <= last for first, last in self.covered.get(kind.name, ()))
            for kind in kinds
        )


def _way(source: Spot) -> Via:
    return Via.ATTENTION if source.kind.role is Role.READS else Via.STREAM


def _same(first: int | None, second: int | None) -> bool:
    return first is None or second is None or first == second


def _not_later(first: int | None, second: int | None) -> bool:
    return first is None or second is None or first <= second
