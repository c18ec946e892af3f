"""From the node selections of a spec to node sets of a model."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.axes import Axis, index_axis, layer_axis
from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.binding.products import joined, overlap, without
from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS, NodeKind, Unit
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.semantics.experiment import NodeSelection, Placement, Range

# Conditions that name numbers, and so may name one that does not exist.
NAMING = ("in", "==", "!=")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """A selection with the axes that its kind has in the model."""

    selection: NodeSelection
    kind: NodeKind
    layers: Axis
    indices: Axis


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
        if nodes is None:
            continue
        new, repeated = _new_nodes(nodes, sets)
        sets = joined((*sets, *new))
        if repeated:
            problems.append(_repeats(selection, repeated, len(nodes)))
    return sets, tuple(dict.fromkeys(problems))


def _select(
    selection: NodeSelection, shape: ModelShape, pairs: tuple[TokenPair, ...]
) -> tuple[NodeSet | None, tuple[Problem, ...]]:
    kind = NODE_KINDS[selection.kind]
    if unsupported := _unsupported(selection, kind, shape):
        return None, (unsupported,)
    choice = _Choice(
        selection=selection,
        kind=kind,
        layers=layer_axis(kind, shape),
        indices=index_axis(kind, shape),
    )
    problems = (
        *_range_problems(choice, choice.layers, selection.layers),
        *_range_problems(choice, choice.indices, selection.indices),
        *_filter_problems(choice),
    )
    if problems:
        return None, problems
    nodes = NodeSet(
        kind=kind.name,
        layers=choice.layers.chosen(selection.layers, selection.filters),
        indices=choice.indices.chosen(selection.indices, selection.filters),
        positions=_positions(selection, pairs),
    )
    if not nodes.layers or not nodes.indices:
        return None, (_nothing_left(choice),)
    return (nodes if len(nodes) else None), ()


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
        what = "layers" if axis is choice.layers else "heads or neurons"
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
    """Problems with the terms of a `where`."""
    problems: list[Problem] = []
    axes = {name: axis for axis in (choice.layers, choice.indices) for name in axis.names}
    for term in choice.selection.filters:
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
            help=axis.advice or "numbers begin at 0, and a range includes both of its ends",
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


def _nothing_left(choice: _Choice) -> Problem:
    there_are = [axis.valid for axis in (choice.layers, choice.indices) if axis.names]
    return Problem(
        code="ATP275",
        message=f"no node of `{choice.kind.name}` is chosen:"
        f" the model has {' and '.join(there_are)}",
        at=Label(choice.selection.span),
        also=tuple(Label(term.span) for term in choice.selection.filters),
        help="conditions joined by `and` must all hold at once",
    )


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
