"""From the node selections of a spec to node sets of a model."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.axes import Axes, Axis, comparisons, index_axis, layer_axis
from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.nothing_left import nothing_left
from atpdsl.binding.pairs import TokenPair
from atpdsl.binding.products import joined, overlap, without
from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS, NodeKind, Unit
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.semantics.conditions import Range
from atpdsl.semantics.experiment import NodeSelection, Placement

# Conditions that name numbers, and so may name one that does not exist.
NAMING = ("in", "==", "!=")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """A selection with the axes that its kind has in the model."""

    selection: NodeSelection
    kind: NodeKind
    axes: Axes


def select_nodes(
    selections: tuple[NodeSelection, ...], shape: ModelShape, pairs: tuple[TokenPair, ...]
) -> tuple[tuple[NodeSet, ...], tuple[Problem, ...]]:
    """The node sets asked for, as few as possible and none with a node of another.

    `at every` gives one label per token index that has a partner in some pair. Whether named
    positions exist in the prompts is checked elsewhere.
    """
    sets: tuple[NodeSet, ...] = ()
    problems: list[Problem] = []
    for selection in selections:
        nodes, found = _select(selection, shape, pairs)
        problems += found
        parts = [_new_nodes(each, sets) for each in nodes]
        sets = joined((*sets, *(part for new, _ in parts for part in new)))
        if repeated := sum(number for _, number in parts):
            problems.append(_repeats(selection, repeated, sum(map(len, nodes))))
    return sets, tuple(dict.fromkeys(problems))


def _select(
    selection: NodeSelection, shape: ModelShape, pairs: tuple[TokenPair, ...]
) -> tuple[tuple[NodeSet, ...], tuple[Problem, ...]]:
    """The nodes of one selection, as sets that share none."""
    kind = NODE_KINDS[selection.kind]
    if unsupported := _unsupported(selection, kind, shape):
        return (), (unsupported,)
    axes = Axes(layers=layer_axis(kind, shape), indices=index_axis(kind, shape))
    choice = _Choice(selection=selection, kind=kind, axes=axes)
    problems = (
        *_range_problems(choice, axes.layers, selection.layers),
        *_range_problems(choice, axes.indices, selection.indices),
        *_filter_problems(choice),
    )
    if problems:
        return (), problems
    products = axes.products(selection.layers, selection.indices, selection.filters)
    if not products:
        return (), (nothing_left(selection, axes),)
    positions = _positions(selection, pairs)
    sets = (
        NodeSet(kind=kind.name, layers=layers, indices=indices, positions=positions)
        for layers, indices in products
    )
    return tuple(nodes for nodes in sets if len(nodes)), ()


def _unsupported(selection: NodeSelection, kind: NodeKind, shape: ModelShape) -> Problem | None:
    if kind.sequential_only and shape.parallel:
        return Problem(
            code="ATP273",
            message=f"`{kind.name}` does not exist in `{shape.architecture}`, whose attention"
            " and MLP read the same residual stream",
            at=Label(selection.span),
            help="use `resid.pre` or `resid.post`",
        )
    if kind.unit is Unit.NEURON and shape.d_mlp == 0:
        return Problem(
            code="ATP273",
            message=f"`{shape.architecture}` has no MLP, and so no `{kind.name}`",
            at=Label(selection.span),
        )
    return None


def _range_problems(
    choice: _Choice, axis: Axis, ranges: tuple[Range, ...] | None
) -> tuple[Problem, ...]:
    """Problems with `[L3..L9]` and the like."""
    if ranges is None:
        return ()
    span = choice.selection.span
    if not axis.names:
        what = "layers" if axis is choice.axes.layers else "heads or neurons"
        return (
            Problem(
                code="ATP274",
                message=f"`{choice.kind.name}` has no {what} to choose from",
                at=Label(span),
                help=f"write `{choice.kind.name}` without them",
            ),
        )
    return _out_of_range(choice, axis, ranges, span)


def _filter_problems(choice: _Choice) -> tuple[Problem, ...]:
    """Problems with the comparisons in a `where`."""
    problems: list[Problem] = []
    both = (choice.axes.layers, choice.axes.indices)
    axes = {name: axis for axis in both for name in axis.names}
    for term in (term for one in choice.selection.filters for term in comparisons(one)):
        axis = axes.get(term.axis)
        if axis is not None and term.operator in NAMING:
            problems += _out_of_range(choice, axis, term.values, term.span)
        elif axis is None:
            listed = " or ".join(f"`{name}`" for name in axes if name != "index")
            problems.append(
                Problem(
                    code="ATP274",
                    message=f"`{choice.kind.name}` cannot be chosen by `{term.axis}`",
                    at=Label(term.span),
                    help=f"it can by {listed}" if listed else "write it without `where`",
                )
            )
    return tuple(problems)


def _out_of_range(
    choice: _Choice, axis: Axis, ranges: tuple[Range, ...], span: Span
) -> tuple[Problem, ...]:
    numbers = (axis.outside(each) for each in ranges)
    return tuple(
        Problem(
            code=axis.code,
            message=f"there is no {axis.word} {number} for `{choice.kind.name}`:"
            f" the model has {axis.valid}",
            at=Label(span),
            help=axis.advice_on(number),
        )
        for number in numbers
        if number is not None
    )


def _positions(selection: NodeSelection, pairs: tuple[TokenPair, ...]) -> tuple[str, ...]:
    match selection.placement:
        case Placement.EVERY:
            found = {
                index
                for pair in pairs
                for index, other in enumerate(pair.partner)
                if other != NO_PARTNER
            }
            return tuple(str(index) for index in sorted(found))
        case Placement.SEQUENCE:
            return (WHOLE,)
        case Placement.NAMED:
            return tuple(dict.fromkeys(position.text for position in selection.positions))


def _new_nodes(nodes: NodeSet, before: tuple[NodeSet, ...]) -> tuple[tuple[NodeSet, ...], int]:
    """The nodes that no earlier set has, and how many others there are."""
    repeated = sum(overlap(nodes, other) for other in before)
    parts: tuple[NodeSet, ...] = (nodes,)
    for other in before if repeated else ():
        parts = tuple(rest for part in parts for rest in without(part, other))
    return parts, repeated


def _repeats(selection: NodeSelection, repeated: int, chosen: int) -> Problem:
    if repeated < chosen:
        which = f"{repeated} of these {chosen} nodes are"
    else:
        which = "this node is" if chosen == 1 else f"all of these {chosen} nodes are"
    return Problem(
        code="ATP276",
        message=f"{which} selected already",
        at=Label(selection.span),
        help="each node counts once",
        severity=Severity.WARNING,
    )
