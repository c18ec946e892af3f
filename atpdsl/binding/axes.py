"""The numbers that layers, heads and neurons of a kind have in a model, and choices of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import assert_never

from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NodeKind, Unit
from atpdsl.semantics.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Negation,
    Range,
)

_COMPARED: Mapping[str, Callable[[int], tuple[Range, ...]]] = {
    "<": lambda bound: (Range(first=None, last=bound - 1),),
    "<=": lambda bound: (Range(first=None, last=bound),),
    ">": lambda bound: (Range(first=bound + 1, last=None),),
    ">=": lambda bound: (Range(first=bound, last=None),),
    "==": lambda bound: (Range(first=bound, last=bound),),
    "!=": lambda bound: (Range(first=None, last=bound - 1), Range(first=bound + 1, last=None)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Layers, or what an index counts, of one kind in one model.

    Attributes:
        word: what one of them is called.
        names: how a `where` may call the axis; none if there is nothing to choose.
        count: the numbers are 0 to `count` - 1.
        code: the problem of a number that does not exist.
        queries: how many query heads share these heads; 0 where none do.
    """

    word: str
    names: tuple[str, ...]
    count: int
    code: str = "ATP271"
    queries: int = 0

    @property
    def valid(self) -> str:
        """The numbers there are, in words."""
        last = self.count - 1
        return f"{self.word}s 0-{last}" if last > 0 else f"{self.word} 0 only"

    def outside(self, chosen: Range) -> int | None:
        """An end of a range that does not exist."""
        ends = (end for end in (chosen.first, chosen.last) if end is not None)
        return next((end for end in ends if not 0 <= end < self.count), None)

    def advice_on(self, number: int) -> str:
        """The help for a number that does not exist."""
        if not self.queries:
            return "numbers begin at 0, and a range includes both of its ends"
        some = _some(self.count, self.word)
        shared = f"the {self.queries} query heads share {some}"
        group = self.queries // self.count
        if number >= self.queries:
            return f"{shared}: query head h reads {self.word} h // {group}"
        return f"{shared}: query head {number} reads {self.word} {number // group}"

    @property
    def all(self) -> int:
        """All of the numbers, as a mask: number n is bit n."""
        return (1 << self.count) - 1

    def within(self, ranges: tuple[Range, ...] | None) -> int:
        """The numbers in any of the ranges, as a mask; all for None."""
        if ranges is None:
            return self.all
        return reduce(or_, (_run(each, self.count) for each in ranges), 0)

    def holds(self, term: Comparison) -> int:
        """The numbers for which a comparison holds, as a mask."""
        if term.operator == "in":
            return self.within(term.values)
        bound = term.values[0].first
        if bound is None:
            raise TypeError("a comparison has a number")
        return self.within(_COMPARED[term.operator](bound))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The two axes of a kind, and what a condition on both leaves of them."""

    layers: Axis
    indices: Axis

    def products(
        self,
        layers: tuple[Range, ...] | None,
        indices: tuple[Range, ...] | None,
        filters: tuple[Condition, ...],
    ) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """Layers and the indices chosen in each of them, as products that share no node.

        Layers that have the same indices are in one product, so that there are no more
        products than different sets of indices.
        """
        wanted = self.indices.within(indices)
        groups: dict[int, list[int]] = {}
        for layer in members(self.layers.within(layers)):
            chosen = reduce(and_, (self._holds(one, layer) for one in filters), wanted)
            if chosen:
                groups.setdefault(chosen, []).append(layer)
        return tuple((tuple(where), members(mask)) for mask, where in groups.items())

    def _holds(self, condition: Condition, layer: int) -> int:
        """The indices for which a condition holds in a layer, as a mask."""
        match condition:
            case Comparison() if condition.axis in self.layers.names:
                return self.indices.all if self.layers.holds(condition) >> layer & 1 else 0
            case Comparison():
                return self.indices.holds(condition)
            case Negation(operand=operand):
                return self.indices.all & ~self._holds(operand, layer)
            case AllOf(operands=operands):
                return reduce(and_, (self._holds(one, layer) for one in operands))
            case AnyOf(operands=operands):
                return reduce(or_, (self._holds(one, layer) for one in operands))
            case _:
                assert_never(condition)


def members(mask: int) -> tuple[int, ...]:
    """The numbers in a mask, smallest first."""
    bits = f"{mask:b}"[::-1]
    return tuple(number for number, bit in enumerate(bits) if bit == "1")


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """The comparisons that a condition is made of, in the order of the text."""
    match condition:
        case Comparison():
            return (condition,)
        case Negation(operand=operand):
            return comparisons(operand)
        case AllOf(operands=operands) | AnyOf(operands=operands):
            return tuple(term for one in operands for term in comparisons(one))
        case _:
            assert_never(condition)


def layer_axis(kind: NodeKind, shape: ModelShape) -> Axis:
    """The layers that a kind has."""
    if not kind.layered:
        return Axis(word="layer", names=(), count=1)
    return Axis(word="layer", names=("layer",), count=shape.n_layers, code="ATP270")


def index_axis(kind: NodeKind, shape: ModelShape) -> Axis:
    """The heads or neurons that a kind has in each layer."""
    match kind.unit:
        case Unit.HEAD:
            return Axis(word="head", names=("head", "index"), count=shape.n_heads)
        case Unit.KV_HEAD:
            return _key_value_heads(shape)
        case Unit.NEURON:
            return Axis(word="neuron", names=("neuron", "index"), count=shape.d_mlp)
        case Unit.VECTOR:
            return Axis(word="part", names=(), count=1)


def _key_value_heads(shape: ModelShape) -> Axis:
    names = ("head", "kv_head", "index")
    if shape.n_kv_heads == shape.n_heads:
        return Axis(word="head", names=names, count=shape.n_kv_heads)
    return Axis(
        word="key-value head",
        names=names,
        count=shape.n_kv_heads,
        code="ATP272",
        queries=shape.n_heads,
    )


def _some(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"


def _run(chosen: Range, count: int) -> int:
    """The numbers below `count` that are in a range, as a mask."""
    first = max(0, chosen.first or 0)
    after = count if chosen.last is None else min(count, chosen.last + 1)
    return (1 << after) - (1 << first) if first < after else 0
