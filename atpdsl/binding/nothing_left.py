"""Why a selection chooses no node: the part of it that excludes all of them."""

from __future__ import annotations

from itertools import combinations

from atpdsl.binding.axes import Axes
from atpdsl.problems import Label, Problem
from atpdsl.semantics.conditions import AllOf, Condition
from atpdsl.semantics.experiment import NodeSelection

COUNTED = "numbers begin at 0"
EITHER = "conditions joined by `and` must all hold at once; `or` takes what fulfils either"


def nothing_left(selection: NodeSelection, axes: Axes) -> Problem:
    """The problem of a selection without nodes, at the smallest part that is to blame."""
    kind = f"`{selection.kind}`"
    there_are = " and ".join(axis.valid for axis in (axes.layers, axes.indices) if axis.names)
    terms = tuple(term for one in selection.filters for term in _conjuncts(one))
    for term in terms:
        if not axes.products(None, None, (term,)):
            message = f"no node of {kind} fulfils this: the model has {there_are}"
            return _problem(message, Label(term.span), help=COUNTED)
    for term in terms:
        if not axes.products(selection.layers, selection.indices, (term,)):
            message = f"no node of {kind} that is chosen here fulfils this, too"
            chosen = Label(selection.span, "chosen here")
            return _problem(message, Label(term.span), chosen, help="change one of the two")
    for first, second in combinations(terms, 2):
        if not axes.products(selection.layers, selection.indices, (first, second)):
            message = f"no node of {kind} fulfils both conditions"
            labels = (Label(second.span), Label(first.span, "and this"))
            return _problem(message, *labels, help=EITHER)
    return _problem(
        f"no node of {kind} is chosen: the model has {there_are}",
        Label(selection.span),
        *(Label(term.span) for term in terms),
        help=EITHER,
    )


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that all have to hold."""
    if isinstance(condition, AllOf):
        return tuple(term for one in condition.operands for term in _conjuncts(one))
    return (condition,)


def _problem(message: str, at: Label, *also: Label, help: str) -> Problem:  # noqa: A002
    return Problem(code="ATP275", message=message, at=at, also=also, help=help)
