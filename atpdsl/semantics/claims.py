"""What a line of `expect` says of a result, every name in it settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.problems import Span
from atpdsl.semantics.numbers import percentage

if TYPE_CHECKING:
    from atpdsl.semantics.experiment import NodeSelection


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number; `90%` is 0.9."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the result: `recall(top = 20)`, `has(L9H6 at last)`, `gap`.

    Attributes:
        function: a name of `RESULT_FUNCTIONS`.
        methods: labels; None stands for the measured effects. Where a function is about one
            method and there are several labels, the first that knows the answer gives it.
        top: how many nodes; None is as many as `verify` measures.
        top_share: the same as a share of all nodes.
        nodes: the nodes that it is about.
        word: what else it is about: `missed_effect`, or the diagnostic of a flag.
        confidence: of a bound, 0.99 for `99%`; None is that of `subset_sampling`.
        text: as written.
    """

    function: str
    methods: tuple[str | None, ...] = ()
    top: int | None = None
    top_share: float | None = None
    nodes: tuple[NodeSelection, ...] = ()
    word: str | None = None
    confidence: float | None = None
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculated:
    """`+ - * /` between two quantities."""

    operator: str
    left: Quantity
    right: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`< <= == != >= >` between two quantities."""

    operator: str
    left: Quantity
    right: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """`not` and a claim."""

    operand: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Claims with `and`, or with `or`, between them."""

    operator: str
    operands: tuple[Claim, ...]


Quantity = Amount | Asked | Calculated
Claim = Compared | Denied | Joined | Asked


def stated(part: Claim | Quantity) -> str:
    """A claim in words of the language, every name in it settled."""
    match part:
        case Amount(value=value):
            return f"{value:.12g}"
        case Asked():
            return part.text if part.nodes else _call(part)
        case Denied(operand=operand):
            return f"not {_inner(operand)}"
        case Joined(operator=operator, operands=operands):
            return f" {operator} ".join(
                _inner(one) if isinstance(one, Joined) else stated(one) for one in operands
            )
        case Compared(operator=operator, left=left, right=right):
            return f"{stated(left)} {operator} {stated(right)}"
        case Calculated(operator="-", left=Amount(value=0.0), right=right):
            return f"-{_inner(right)}"
        case Calculated(operator=operator, left=left, right=right):
            return f"{_inner(left)} {operator} {_inner(right)}"


def _inner(part: Claim | Quantity) -> str:
    """A part of a larger claim, in brackets if it has parts itself."""
    return stated(part) if isinstance(part, Amount | Asked) else f"({stated(part)})"


def _call(asked: Asked) -> str:
    labels = tuple("truth" if label is None else label for label in asked.methods)
    arguments = labels if len(labels) > 1 else tuple(f"method = {label}" for label in labels)
    if asked.word is not None and len(labels) > 1:
        # It is the same for all of them.
        arguments = ()
    if asked.top_share is not None:
        arguments = (f"top = {percentage(asked.top_share)}", *arguments)
    elif asked.top is not None:
        arguments = (f"top = {asked.top}", *arguments)
    if asked.word is not None:
        arguments = (asked.word, *arguments)
    if asked.confidence is not None:
        arguments = (*arguments, f"confidence = {percentage(asked.confidence)}")
    return f"{asked.function}({', '.join(arguments)})" if arguments else asked.function


def questions(part: Claim | Quantity) -> tuple[Asked, ...]:
    """Everything that a claim asks of the result, in the order of the text."""
    match part:
        case Amount():
            return ()
        case Asked():
            return (part,)
        case Denied(operand=operand):
            return questions(operand)
        case Joined(operands=operands):
            return tuple(asked for one in operands for asked in questions(one))
        case Compared(left=left, right=right) | Calculated(left=left, right=right):
            return (*questions(left), *questions(right))
