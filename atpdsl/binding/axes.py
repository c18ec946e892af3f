"""The numbers that layers, heads and neurons of a kind have in a model, and choices of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne

from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NodeKind, Unit
from atpdsl.semantics.experiment import Comparison, Range

ORDER: Mapping[str, Callable[[int, int], bool]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "==": eq,
    "!=": ne,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Layers, or what an index counts, of one kind in one model.

    Attributes:
        word: what one of them is called.
        names: how a `where` may call the axis; none if there is nothing to choose.
        count: the numbers are 0 to `count` - 1.
        code: the problem of a number that does not exist.
        advice: its help.
    """

    word: str
    names: tuple[str, ...]
    count: int
    code: str = "ATP271"
    advice: str = ""

    @property
    def valid(self) -> str:
        """The numbers there are, in words."""
        last = self.count - 1
        return f"{self.word}s 0-{last}" if last > 0 else f"{self.word} 0 only"

    def outside(self, chosen: Range) -> int | None:
        """An end of a range that does not exist."""
        ends = (end for end in (chosen.first, chosen.last) if end is not None)
        return next((end for end in ends if not 0 <= end < self.count), None)

    def chosen(
        self, ranges: tuple[Range, ...] | None, filters: tuple[Comparison, ...]
    ) -> tuple[int, ...]:
        """The numbers in any of the ranges (None is all) for which every filter holds."""
        wanted = ranges if ranges is not None else (Range(first=None, last=None),)
        terms = tuple(term for term in filters if term.axis in self.names)
        return tuple(
            number
            for number in range(self.count)
            if any(_within(each, number) for each in wanted)
            and all(_holds(term, number) for term in terms)
        )


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
    some = (
        "1 key-value head" if shape.n_kv_heads == 1 else f"{shape.n_kv_heads} key-value heads"
    )
    return Axis(
        word="key-value head",
        names=names,
        count=shape.n_kv_heads,
        code="ATP272",
        advice=f"the {shape.n_heads} query heads share {some}: query head h reads key-value"
        f" head h // {shape.n_heads // shape.n_kv_heads}",
    )


def _within(chosen: Range, number: int) -> bool:
    after_first = chosen.first is None or chosen.first <= number
    return after_first and (chosen.last is None or number <= chosen.last)


def _holds(term: Comparison, number: int) -> bool:
    if term.operator == "in":
        return any(_within(each, number) for each in term.values)
    bound = term.values[0].first
    return bound is not None and ORDER[term.operator](number, bound)
