"""Gradients walked back block by block, with contributions dropped one at a time (GradDrop).

Kramar et al. 2024, section 3.2: where direct and indirect effects nearly cancel, a small error
of the gradient is a large one of the estimate; so the estimate is made again and again, each
time with one layer's contribution to the residual stream held at its value.

A dropped gradient differs from the plain one only below the layer that is dropped. There it
begins with what goes around the layer: the plain gradient at the layer's output. So it is a
*stream* that joins the plain one on its way down, and all streams go through a block in one
batched backward: L (L + 1) / 2 layers instead of L (L + 1).

The plain gradient's parts by *first reader* need no walk of their own. With r_j the gradient
where layer j reads the residual stream, r_j - r_(j+1) is what comes back through layer j, and
the gradient at a layer's write is the sum of these over the later layers, and of what goes
straight to the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS
from atpdsl.nodes.attention import block_input, block_output
from atpdsl.nodes.attention_output import ATTENTION_OUTPUT
from atpdsl.nodes.residual_mid import RESIDUAL_MID
from atpdsl.nodes.residual_post import RESIDUAL_POST
from atpdsl.nodes.residual_pre import RESIDUAL_PRE
from atpdsl.planning.ops import Drop, Place
from atpdsl.runtime.drops import Dropped, Parts, dropped_at, in_stream, parts_at
from atpdsl.runtime.head_attention import HeadAttention
from atpdsl.runtime.pieces import GraphPieces, Pieces
from atpdsl.runtime.segments import Segments, segment_hooks
from atpdsl.runtime.sites import site_of

__all__ = [
    "Dropped",
    "LayerGradients",
    "Parts",
    "Segments",
    "segment_hooks",
    "walk",
    "walk_back",
]

Streams = dict[Drop, Tensor]
"""Gradients of one tensor, [stream, *tensor.shape]; the plain one, alone, under `Drop.OFF`."""


@dataclass(slots=True)
class LayerGradients:
    """What a walk has found in one layer, or at the embedding.

    Attributes:
        plain: hook name -> [pair, pos, ...].
        dropped: for `EVERY_LAYER` and `EVERY_SUBLAYER` as asked, by place: `attn` and
            `resid.mid` share a hook, but only one of them is dropped with its layer.
        parts: by place, if `FIRST_READER` was asked.
        walked: how many streams went through the layer.
        start: the position that all these begin with.
        attention: of the layer and some heads, by their numbers, for those who need it again.
    """

    plain: dict[str, Tensor]
    dropped: dict[Drop, dict[Place, Dropped]]
    parts: dict[Place, Parts]
    walked: int = 0
    start: int = 0
    attention: dict[tuple[int, ...], HeadAttention] = field(default_factory=dict)


def walk_back(
    metric: Tensor,
    sites: dict[str, Tensor],
    segments: Segments,
    places: Sequence[Place],
    drops: Sequence[Drop],
    release: bool = True,
) -> Iterator[LayerGradients]:
    """`walk` through the graph of a run in a bridge.

    Args:
        metric: [pair], with its graph.
        sites: hook name -> the tensor in the graph that was seen there; with the writes of
            attention and MLP in every layer.
        places: each one's gradient is at its site's `write`.
        drops: what is dropped; `FIRST_READER` stands for the parts.
        release: let the graph go as it is walked: `sites` and `segments` end up empty.

    Yields:
        One for each layer, and one for the embedding if it is among `places`.

    Raises:
        RunError: ATP405 when no gradient arrives at a place.
    """
    yield from walk(GraphPieces(sites, segments, release=release), metric, places, drops)
    if release:
        sites.clear()
        segments.inputs.clear()
        segments.outputs.clear()


def walk(
    pieces: Pieces, metric: Tensor, places: Sequence[Place], drops: Sequence[Drop]
) -> Iterator[LayerGradients]:
    """Gradients of each pair's metric, from the last layer down to the lowest of `places`.

    Args:
        metric: [pair].
        places: each one's gradient is at its site's `write`.
        drops: what is dropped; `FIRST_READER` stands for the parts.

    Yields:
        One for each layer, and one for the embedding if it is among `places`.

    Raises:
        RunError: ATP405 when no gradient arrives at a place.
    """
    walking = _Walk(pieces, places, drops)
    walking.start(metric)
    for layer in reversed(range(walking.lowest, walking.n_layers)):
        yield walking.through(layer)
    if walking.embeddings:
        yield walking.embedding()


@dataclass(frozen=True, slots=True)
class _Block:
    """A piece of the graph, from a block's output to its input.

    Attributes:
        above: streams at the output.
        places: those of the layer.
        deeper: whether gradients are wanted at the input.
    """

    layer: int
    above: Streams
    places: tuple[Place, ...]
    deeper: bool

    @property
    def plain(self) -> Tensor:
        """The plain gradient at the output, [pair, pos, d_model]."""
        return self.above[Drop.OFF][0]


@dataclass(frozen=True, slots=True)
class _Own:
    """What comes of a block itself, beside the streams that go through it.

    Attributes:
        by_mlp: the part of the gradient at the attention's write that comes back through the
            block's MLP, [pair, pos, d_model]; None where the MLP does not read that.
        begun: streams that begin at the block's input, where it is dropped.
        no_mlp: hook on the attention's side -> gradient with the block's MLP dropped.
    """

    by_mlp: Tensor | None
    begun: Streams
    no_mlp: dict[str, Tensor]


class _Walk:
    """The streams on their way down; `_carried` is where they are, at a block's output."""

    def __init__(self, pieces: Pieces, places: Sequence[Place], drops: Sequence[Drop]) -> None:
        self.n_layers = pieces.n_layers
        self.embeddings = tuple(p for p in places if not NODE_KINDS[p.kind].layered)
        self._places = tuple(p for p in places if NODE_KINDS[p.kind].layered)
        self.lowest = 0 if self.embeddings else min(p.layer for p in self._places)
        self._drops = sorted({Drop.EVERY_LAYER, Drop.EVERY_SUBLAYER} & set(drops))
        self._by_reader = Drop.FIRST_READER in drops
        self._pieces = pieces
        self._carried: Streams = {}
        # What goes straight to the logits, then what comes back through each layer walked.
        self._parts: list[Tensor] = []

    def start(self, metric: Tensor) -> None:
        """From the metric to the output of the last block."""
        plain = self._pieces.start(metric)
        none = plain.new_empty(0, *plain.shape)
        self._carried = {Drop.OFF: plain[None]} | dict.fromkeys(self._drops, none)
        self._parts = [plain]

    def through(self, layer: int) -> LayerGradients:
        """All streams from the output of a block to its input."""
        block = self._block(layer)
        own = self._own(block)
        parts = self._parts_inside(block, own) if self._by_reader else {}
        found, walked = self._streams(block)
        if block.deeper:
            below = found[block_input(layer)]
            self._parts.append(below[Drop.OFF][0] - block.plain)
            for drop, begun in own.begun.items():
                # In `found` too: a node at the input survives the drop of its layer.
                below[drop] = torch.cat([below[drop], begun])
            self._carried = below
        if self._by_reader:
            parts |= self._parts_at_input(block.places)
        self._pieces.forget(layer)
        return LayerGradients(
            plain={name: found[name][Drop.OFF][0] for name in _writes(block.places)},
            dropped={
                drop: {place: self._dropped(place, drop, found, own) for place in block.places}
                for drop in self._drops
            },
            parts=parts,
            walked=walked + (Drop.EVERY_SUBLAYER in self._drops),
        )

    def embedding(self) -> LayerGradients:
        """All streams from the input of the first block to the embedding."""
        names = _writes(self.embeddings)
        stacked, parts = torch.cat(list(self._carried.values())), torch.stack(self._parts)
        pulled = self._pieces.to_embedding(parts, names) if self._by_reader else {}
        found = self._split(self._pieces.to_embedding(stacked, names))
        places = self.embeddings
        return LayerGradients(
            plain={name: streams[Drop.OFF][0] for name, streams in found.items()},
            dropped={
                drop: {
                    p: dropped_at(p, drop, self.n_layers, found[_write(p)][drop])
                    for p in places
                }
                for drop in self._drops
            },
            parts={
                p: parts_at(p, self.n_layers, pulled[_write(p)], len(parts) - 1)
                for p in places
                if self._by_reader
            },
        )

    def _block(self, layer: int) -> _Block:
        places = tuple(p for p in self._places if p.layer == layer)
        return _Block(
            layer=layer,
            above=self._carried,
            places=places,
            deeper=layer > self.lowest
            or bool(self.embeddings)
            or any(p.kind == RESIDUAL_PRE.name for p in places),
        )

    def _streams(self, block: _Block) -> tuple[dict[str, Streams], int]:
        """Hook -> all streams there, and how many they are."""
        around = {RESIDUAL_PRE.name, RESIDUAL_POST.name}
        inside = _writes(p for p in block.places if p.kind not in around)
        streams = torch.cat(list(block.above.values()))
        pulled = self._pieces.through(block.layer, streams, inside, deeper=block.deeper)
        return {block_output(block.layer): block.above} | self._split(pulled), len(streams)

    def _own(self, block: _Block) -> _Own:
        """What comes of a block itself; its graph is kept for the streams."""
        plain, apart = block.plain, Drop.EVERY_SUBLAYER in self._drops
        by_mlp = None
        if apart or self._by_reader:
            by_mlp = self._pieces.by_mlp(block.layer, plain)
        begun = {Drop.EVERY_LAYER: plain[None]} if Drop.EVERY_LAYER in self._drops else {}
        if not apart:
            return _Own(by_mlp, begun, {})
        # An MLP beside the attention is not in the attention's gradient in any case.
        names = [] if by_mlp is None else _writes(filter(_in_attention, block.places))
        no_mlp = self._pieces.from_attention(
            block.layer, plain[None], names, deeper=block.deeper
        )
        if block.deeper:
            # The MLP reads the sum of the block's input and what the attention writes, or the
            # input alone.
            read = by_mlp
            if by_mlp is None:
                read = self._pieces.by_mlp_to_input(block.layer, plain)
            no_attention = plain if read is None else plain + read
            by_attention = no_mlp.pop(block_input(block.layer))[0]
            begun[Drop.EVERY_SUBLAYER] = torch.stack([no_attention, plain + by_attention])
        return _Own(by_mlp, begun, no_mlp)

    def _dropped(
        self, place: Place, drop: Drop, found: dict[str, Streams], own: _Own
    ) -> Dropped:
        """Streams at a place in a block: those of later layers, and of its own."""
        name = _write(place)
        streams = found[name][drop]
        if place.kind == RESIDUAL_MID.name:
            around = found[block_output(place.layer)][Drop.OFF]
            streams = torch.cat([streams, around])
        elif drop is Drop.EVERY_SUBLAYER and _in_attention(place) and name in own.no_mlp:
            streams = torch.cat([streams, own.no_mlp[name]])
        return dropped_at(place, drop, self.n_layers, streams)

    def _parts_inside(self, block: _Block, own: _Own) -> dict[Place, Parts]:
        """Parts at the places of a block, but for those at its input."""
        later = torch.stack(self._parts)
        both = later if own.by_mlp is None else torch.cat([later, own.by_mlp[None]])
        pieces, layer = self._pieces, block.layer
        attending, mixing = _writes_of(block, _in_attention), _writes_of(block, _in_mlp)
        pulled = pieces.from_attention(layer, both, attending, deeper=False)
        pulled |= pieces.from_mlp(layer, later, mixing)
        found = {
            p: parts_at(p, self.n_layers, pulled[_write(p)], len(later) - 1)
            for p in block.places
            if _in_attention(p) or _in_mlp(p)
        }
        for place in block.places:
            if place.kind == RESIDUAL_MID.name:
                found[place] = parts_at(place, self.n_layers, both, len(both) - 1)
            elif place.kind == RESIDUAL_POST.name:
                found[place] = parts_at(place, self.n_layers, later, len(later) - 1)
        return found

    def _parts_at_input(self, places: Iterable[Place]) -> dict[Place, Parts]:
        inside = [p for p in places if p.kind == RESIDUAL_PRE.name]
        parts = torch.stack(self._parts)
        return {p: parts_at(p, self.n_layers, parts, len(parts) - 1) for p in inside}

    def _split(self, pulled: dict[str, Tensor]) -> dict[str, Streams]:
        """Hook -> [stream, ...] of all drops; by drop again."""
        sizes = [len(streams) for streams in self._carried.values()]
        return {
            name: dict(zip(self._carried, torch.split(streams, sizes), strict=True))
            for name, streams in pulled.items()
        }


def _write(place: Place) -> str:
    return site_of(place).write


def _writes(places: Iterable[Place]) -> list[str]:
    return sorted({_write(place) for place in places})


def _writes_of(block: _Block, side: Callable[[Place], bool]) -> list[str]:
    return _writes(place for place in block.places if side(place))


def _in_attention(place: Place) -> bool:
    return not in_stream(place) and NODE_KINDS[place.kind].stage <= ATTENTION_OUTPUT.stage


def _in_mlp(place: Place) -> bool:
    return not (in_stream(place) or _in_attention(place))
