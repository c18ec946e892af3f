"""Changing a plan without changing what it holds: a new plan from a rule for operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar, cast

from atpdsl.planning.ops import Forward, Op, Ranking, batch_of
from atpdsl.planning.plan import Batch, Plan
from atpdsl.planning.values import Value

AnyOp = TypeVar("AnyOp", bound=Op)
AnyValue = TypeVar("AnyValue", bound=Value)


class _Renew(Protocol):
    def __call__(self, op: AnyOp) -> AnyOp:
        """The new form of an operation, of the same type."""
        ...


def rewrite(plan: Plan, change: Callable[[Op], Op]) -> Plan:
    """The plan with `change` applied to every operation, operands first.

    `change` must give back an operation of the same type. An operation of which nothing
    changes stays the same object, and equal ones become one.
    """
    return rewrite_known(plan, lambda _, op: change(op))


def rewrite_known(plan: Plan, change: Callable[[Op, Op], Op]) -> Plan:
    """As `rewrite`; `change` is also given the operation as it was in `plan`.

    So a rule can look up what it has found out about the operations of `plan`.
    """
    done: dict[Op, Op] = {}
    known: dict[Op, Op] = {}

    def new(op: AnyOp) -> AnyOp:
        if op not in done:
            changed = change(op, _rebuilt(op, lambda operand: (new(operand),)))
            done[op] = known.setdefault(changed, changed)
        return cast(AnyOp, done[op])

    return _with_outputs(plan, new, lambda op: (new(op),))


def split_batches(plan: Plan, parts: Mapping[int, int]) -> Plan:
    """The plan with batches cut into smaller ones of (nearly) equal size.

    Every operation of a batch becomes one for each of its parts, and what goes over all
    batches has them in the place of the old one.

    Args:
        parts: into how many each batch is cut; those that are not named stay whole.
    """
    return split_batches_known(plan, parts)[0]


def split_batches_known(
    plan: Plan, parts: Mapping[int, int]
) -> tuple[Plan, Callable[[Op], tuple[Op, ...]]]:
    """As `split_batches`; and what each operation of `plan` has become."""
    splitter = _Splitter(plan, parts)
    changed = _with_outputs(plan, splitter.over_batches, splitter.all_parts)
    return replace(changed, batches=splitter.batches), splitter.all_parts


@dataclass(slots=True)
class _Splitter:
    """New forms of operations when batches are cut."""

    plan: Plan
    parts: Mapping[int, int]
    batches: tuple[Batch, ...] = ()
    _numbers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _done: dict[tuple[Op, int | None], Op] = field(default_factory=dict)

    def __post_init__(self) -> None:
        batches: list[Batch] = []
        for batch in self.plan.batches:
            pieces = _cut(batch.pairs, self.parts.get(batch.number, 1))
            first = len(batches)
            batches += [Batch(number=first + i, pairs=part) for i, part in enumerate(pieces)]
            self._numbers[batch.number] = tuple(range(first, len(batches)))
        self.batches = tuple(batches)

    def all_parts(self, op: AnyOp) -> tuple[AnyOp, ...]:
        """The operations that an operation becomes."""
        batch = batch_of(op)
        if batch is None:
            return (self._new(op, None),)
        return tuple(self._new(op, number) for number in self._numbers[batch])

    def over_batches(self, op: AnyOp) -> AnyOp:
        """The one operation that one over all batches becomes."""
        return self._new(op, None)

    def _new(self, op: AnyOp, number: int | None) -> AnyOp:
        key = (op, number)
        if key not in self._done:
            changed = _rebuilt(op, lambda operand: self._operand(operand, number))
            if isinstance(changed, Forward) and number is not None:
                changed = replace(changed, batch=number)
            self._done[key] = changed
        return cast(AnyOp, self._done[key])

    def _operand(self, op: Op, number: int | None) -> tuple[Op, ...]:
        if number is None or batch_of(op) is None:
            return self.all_parts(op)
        return (self._new(op, number),)


def _cut(pairs: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    count = min(count, len(pairs))
    ends = [round(i * len(pairs) / count) for i in range(count + 1)]
    return [pairs[a:b] for a, b in pairwise(ends)]


def _with_outputs(plan: Plan, new: _Renew, several: Callable[[Any], tuple[Any, ...]]) -> Plan:
    """The plan with new outputs; those of single batches may become several."""
    return replace(
        plan,
        clean=tuple(one for op in plan.clean for one in several(op)),
        corrupted=tuple(one for op in plan.corrupted for one in several(op)),
        methods=tuple(
            replace(m, reductions=tuple(new(r) for r in m.reductions)) for m in plan.methods
        ),
        verifications=tuple(
            replace(
                v,
                chosen=new(v.chosen),
                effects=new(v.effects),
                direct=None if v.direct is None else new(v.direct),
                bound=None if v.bound is None else new(v.bound),
                more=None if v.more is None else new(v.more),
            )
            for v in plan.verifications
        ),
    )


def _rebuilt(value: AnyValue, new: Callable[[Op], tuple[Op, ...]]) -> AnyValue:
    """`value` with its operands replaced; the same object where they stay the same.

    In a tuple an operand may become several.
    """
    changes = {}
    for one in fields(cast(Any, value)):
        old = getattr(value, one.name)
        fresh = _renewed(old, new)
        if fresh is not old:
            changes[one.name] = fresh
    return cast(AnyValue, replace(cast(Any, value), **changes)) if changes else value


def _renewed(old: object, new: Callable[[Op], tuple[Op, ...]]) -> object:
    if isinstance(old, Ranking):
        return _rebuilt(old, new)
    if isinstance(old, Op):
        (fresh,) = new(old)
        return fresh
    if isinstance(old, tuple) and old and isinstance(old[0], Value):
        parts = tuple(one for item in old for one in _parts(item, new))
        same = len(parts) == len(old) and all(map(lambda a, b: a is b, parts, old))
        return old if same else parts
    return old


def _parts(item: object, new: Callable[[Op], tuple[Op, ...]]) -> tuple[object, ...]:
    return new(item) if isinstance(item, Op) else (_renewed(item, new),)
