"""A plan as text: its operations in the order in which they run, and what each of them uses.

An operation is called by a letter and a number, `f0`; batches count their own. What is done in
the same way for several batches stands there once, and `r0 reduce c0` is over the `c0` of all
of them.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import groupby, pairwise

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Drop,
    Estimate,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
    PatchSweep,
    Place,
    Reduce,
    Select,
    Take,
    batch_of,
    operands,
)
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.reads import Patching

WIDTH = 80
_LETTERS: dict[type, str] = {
    Forward: "f",
    Measure: "m",
    Backward: "b",
    Contract: "c",
    PatchSweep: "p",
    PatchChosen: "v",
    PatchSets: "s",
    Estimate: "e",
    PatchOn: "o",
    Reduce: "r",
    Select: "k",
    Take: "t",
}


def show_plan(plan: Plan, width: int = WIDTH) -> str:
    """The operations, grouped by batch, in lines of at most `width` characters."""
    names = _Names()
    sections: list[tuple[list[int | None], list[str]]] = []
    for batch, ops in groupby(schedule(plan), key=batch_of):
        lines = [line for op in ops for line in _lines(names.of(op), names.told(op), width)]
        if sections and batch is not None and _continues(sections[-1], batch, lines):
            sections[-1][0].append(batch)
        else:
            sections.append(([batch], lines))
    return "\n".join(
        line for numbers, lines in sections for line in (_heading(numbers, plan), *lines)
    )


def _continues(
    section: tuple[list[int | None], list[str]], batch: int, lines: list[str]
) -> bool:
    numbers, before = section
    return numbers[-1] is not None and numbers[-1] == batch - 1 and lines == before


def _heading(numbers: Sequence[int | None], plan: Plan) -> str:
    batches = [number for number in numbers if number is not None]
    if not batches:
        return "all batches"
    sizes = sorted({len(plan.batches[number].pairs) for number in batches})
    size = f"{_spans(sizes)} pair{'' if sizes == [1] else 's'}"
    each = " each" if len(batches) > 1 else ""
    return f"batch {_spans(batches, '..')}, {size}{each}"


def _lines(name: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=f"  {name:<4}",
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


class _Names:
    """What operations are called, and how they are told."""

    def __init__(self) -> None:
        self._names: dict[Op, str] = {}
        self._counts: Counter[tuple[str, int | None]] = Counter()

    def of(self, op: Op) -> str:
        """The name of an operation; a new one the first time."""
        if op not in self._names:
            key = (_LETTERS[type(op)], batch_of(op))
            self._names[op] = f"{key[0]}{self._counts[key]}"
            self._counts[key] += 1
        return self._names[op]

    def told(self, op: Op) -> str:
        """What an operation does, and which others it uses."""
        used = " ".join(dict.fromkeys(self.of(operand) for operand in operands(op)))
        parts = [part for part in _details(op) if part]
        head = " ".join(word for word in (_verb(op), used) if word)
        return "; ".join([head, *parts])


def _verb(op: Op) -> str:
    if isinstance(op, Forward):
        return f"forward {op.side.value}{' again' if op.again else ''}"
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(op).__name__)
    return words.strip()


def _details(op: Op) -> Iterator[str]:
    match op:
        case Forward():
            yield from _starting(op.start)
            yield from _flags(op)
            yield _labelled("keeps", _places(op.captures))
            yield _labelled("attention", _spans(op.attention))
        case Backward(places=places, drops=drops):
            yield from _starting(op.start)
            yield _places(places)
            yield _labelled("drops", " ".join(drops))
        case Contract(nodes=nodes, drop=drop):
            yield _nodes(nodes)
            yield "" if drop is Drop.OFF else f"drop {drop.value}"
            yield from _flags(op)
        case PatchSweep(nodes=nodes):
            yield _nodes(nodes)
            yield from _flags(op)
        case _:
            yield from _other_details(op)


def _other_details(op: Op) -> Iterator[str]:
    match op:
        case PatchSets(scheme=scheme):
            yield f"by {type(scheme).__name__.lower()}"
            yield from _flags(op)
        case PatchChosen() | PatchOn() | Reduce():
            yield from _flags(op)
        case Estimate(number=number):
            yield f"node set {number}"
        case Select(top=top, random=random):
            yield f"top {top}"
            yield f"{random} at random" if random else ""
        case _:
            return


def _starting(start: int) -> Iterator[str]:
    if start:
        yield f"from position {start} on"


def _flags(op: Op | Patching) -> Iterator[str]:
    """The settings that are on, by their names."""
    for one in fields(op):
        if getattr(op, one.name) is True:
            yield one.name.replace("_", " ")


def _labelled(label: str, text: str) -> str:
    return f"{label} {text}" if text else ""


def _nodes(nodes: NodeSet) -> str:
    layers, indices, positions = nodes.shape
    return f"{nodes.kind} {_spans(nodes.layers)} ({layers} x {indices} x {positions} nodes)"


def _places(places: Sequence[Place]) -> str:
    """`heads.q 0-11, mlp 3`."""
    kinds = dict.fromkeys(place.kind for place in places)
    return ", ".join(
        f"{kind} {_spans(sorted(p.layer for p in places if p.kind == kind))}" for kind in kinds
    )


def _spans(numbers: Iterable[int], to: str = "-") -> str:
    """`0-2 5`."""
    ordered = list(numbers)
    if not ordered:
        return ""
    breaks = [i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if b != a + 1]
    cuts = [0, *breaks, len(ordered)]
    runs = [ordered[a:b] for a, b in pairwise(cuts)]
    return " ".join(f"{r[0]}" if len(r) == 1 else f"{r[0]}{to}{r[-1]}" for r in runs)
