"""A RASP interpreter in which single values can be exchanged: the ground truth of effects.

Patching a node of a compiled transformer is, by construction, exchanging one value of the
program: a head's query at a position is the value that its selector compares there, the output
of an MLP is what its maps compute. So effects are known from the program alone, without any
weights: run it on the clean prompt, with one value taken from the run on the corrupted one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracr.rasp import rasp

Value: TypeAlias = float | dict[Any, float]
"""A number, or for categorical expressions how much of each value ({} is none)."""
Values: TypeAlias = dict[str, list[Value]]
"""Of every expression, by label: its value at each position."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that can be exchanged at each position.

    Attributes:
        expression: the label of a map, an aggregate or a selector width.
        role: `query`, `key` or `value` of its selector, or its `output`.
    """

    expression: str
    role: str


Exchange: TypeAlias = Mapping[Slot, tuple[int, Values]]
"""Which slots get another run's value, and at which position."""


def run(program: rasp.SOp, tokens: list[Any], causal: bool, exchange: Exchange) -> Values:
    """Every expression's values on a prompt.

    Args:
        tokens: None where the prompt is padded.
        causal: whether selectors see only earlier positions and their own.
        exchange: the values that come from another run; empty for a plain run.
    """
    interpreter = _Interpreter(tokens, causal, exchange)
    interpreter.of(program)
    return interpreter.values


class _Interpreter:
    def __init__(self, tokens: list[Any], causal: bool, exchange: Exchange) -> None:
        self.values: Values = {}
        self._tokens, self._causal, self._exchange = tokens, causal, exchange

    def of(self, sop: Any) -> list[Value]:
        """The values of an expression, each computed once."""
        if sop.label not in self.values:
            found = self._compute(sop)
            self.values[sop.label] = self._exchanged(sop.label, "output", sop.label, found)
        return self.values[sop.label]

    def _compute(self, sop: Any) -> list[Value]:
        if isinstance(sop, rasp.TokensType):
            return [{} if token is None else {token: 1.0} for token in self._tokens]
        if isinstance(sop, rasp.IndicesType):
            return [{index: 1.0} for index in range(len(self._tokens))]
        if isinstance(sop, rasp.Map):
            return [_encoded(sop, _mapped(sop, value)) for value in self.of(sop.inner)]
        if isinstance(sop, rasp.SequenceMap):
            both = zip(self.of(sop.fst), self.of(sop.snd), strict=True)
            return [_encoded(sop, _joined(sop, one, other)) for one, other in both]
        if isinstance(sop, rasp.SelectorWidth):
            return [_encoded(sop, len(row)) for row in self._selected(sop)]
        if isinstance(sop, rasp.Aggregate):
            source = self._role(sop, "value", sop.sop)
            default: Value = {} if rasp.is_categorical(sop) else 0.0
            return [
                _mean([source[i] for i in row]) if row else default
                for row in self._selected(sop)
            ]
        raise NotImplementedError(type(sop).__name__)

    def _selected(self, sop: Any) -> list[list[int]]:
        """For each position, the positions that the expression's selector picks."""
        queries = self._role(sop, "query", sop.selector.queries)
        keys = self._role(sop, "key", sop.selector.keys)
        return [
            [
                k
                for k, key in enumerate(keys)
                if (k <= q or not self._causal)
                and key != {}
                and query != {}
                and sop.selector.predicate(_single(key), _single(query))
            ]
            for q, query in enumerate(queries)
        ]

    def _role(self, sop: Any, role: str, source: Any) -> list[Value]:
        return self._exchanged(sop.label, role, source.label, self.of(source))

    def _exchanged(
        self, expression: str, role: str, source: str, found: list[Value]
    ) -> list[Value]:
        """`found` with the value of one position from the other run, if that is asked for."""
        at = self._exchange.get(Slot(expression, role))
        if at is None:
            return found
        position, other = at
        return [*found[:position], other[source][position], *found[position + 1 :]]


def _single(value: Value) -> Any:
    """The value of a categorical expression that has just one."""
    if isinstance(value, dict):
        (only,) = value
        return only
    raise TypeError("selectors compare categorical values")


def _encoded(sop: Any, found: Any) -> Value:
    """A computed value as the expression encodes it."""
    if found is None:
        return {} if rasp.is_categorical(sop) else 0.0
    return {found: 1.0} if rasp.is_categorical(sop) else float(found)


def _mapped(sop: Any, value: Value) -> Any:
    if value == {}:
        return None
    return sop.f(_single(value) if isinstance(value, dict) else _rounded(value))


def _joined(sop: Any, one: Value, other: Value) -> Any:
    if {} in (one, other):
        return None
    if isinstance(one, dict):
        return sop.f(_single(one), _single(other))
    return sop.f(one, other)


def _rounded(value: float) -> float:
    """Means of zeros and ones are compared with 0; sums of thirds need not come out as 0."""
    return round(value, 9)


def _mean(values: list[Value]) -> Value:
    if all(isinstance(value, float) for value in values):
        return sum(value for value in values if isinstance(value, float)) / len(values)
    shares: dict[Any, float] = {}
    for value in values:
        for item, share in (value if isinstance(value, dict) else {}).items():
            shares[item] = shares.get(item, 0.0) + share / len(values)
    return shares
