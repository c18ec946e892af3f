"""The nodes that expectations are about, among those that a spec measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.binding.select import select_nodes
from atpdsl.models.shape import ModelShape
from atpdsl.problems import Label, Problem, Severity
from atpdsl.semantics.claims import Asked, questions
from atpdsl.semantics.experiment import Expectation

# Functions whose value is that of a single node.
OF_ONE_NODE = ("effect", "score")
Pairs = tuple[TokenPair, ...]


def find_targets(
    asked: Asked, sets: Iterable[NodeSet], shape: ModelShape, pairs: Pairs
) -> tuple[NodeSet, ...]:
    """The nodes of a question, as parts of the sets that the spec measures.

    A position may be called by another name than in the spec's nodes (`last` for `14`) if it
    is at the same place in every pair.
    """
    chosen, _ = select_nodes(asked.nodes, shape, pairs)
    sets = tuple(sets)
    parts = (_common(wanted, nodes, pairs) for wanted in chosen for nodes in sets)
    return tuple(part for part in parts if part is not None)


def _common(wanted: NodeSet, nodes: NodeSet, pairs: Pairs) -> NodeSet | None:
    """The nodes of a set that a choice has, too."""
    if wanted.kind != nodes.kind:
        return None
    places = {_place(label, pairs) for label in wanted.positions}
    common = replace(
        nodes,
        layers=tuple(layer for layer in nodes.layers if layer in wanted.layers),
        indices=tuple(index for index in nodes.indices if index in wanted.indices),
        positions=tuple(label for label in nodes.positions if _place(label, pairs) in places),
    )
    return common if len(common) else None


def _place(label: str, pairs: Pairs) -> object:
    """What two labels share if and only if they mean the same tokens in every pair."""
    if label == WHOLE:
        return label
    if label.isdecimal():
        return tuple(int(label) for _ in pairs)
    if all(label in pair.positions for pair in pairs):
        return tuple(pair.positions[label][0] for pair in pairs)
    return label


def check_expectations(
    expectations: Iterable[Expectation],
    sets: tuple[NodeSet, ...],
    shape: ModelShape,
    pairs: Pairs,
) -> tuple[Problem, ...]:
    """Problems with nodes in expectations: those that the model or the result will not have."""
    asked = (one for e in expectations for one in questions(e.condition) if one.nodes)
    found = (problem for one in asked for problem in _problems(one, sets, shape, pairs))
    return tuple(dict.fromkeys(found))


def _problems(
    asked: Asked, sets: tuple[NodeSet, ...], shape: ModelShape, pairs: Pairs
) -> Iterator[Problem]:
    chosen, problems = select_nodes(asked.nodes, shape, pairs)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    # Without any pair or node of the spec there are other problems that say why.
    if errors or not chosen or not sets:
        yield from errors
        return
    targets = find_targets(asked, sets, shape, pairs)
    several = sum(map(len, chosen)) > 1
    if not targets:
        which = "none of these nodes is" if several else "this node is not"
        yield Problem(
            code="ATP277",
            message=f"{which} among the nodes of this spec",
            at=Label(asked.nodes[0].span),
            help=_why_not(chosen, sets),
        )
    elif asked.function in OF_ONE_NODE and sum(map(len, targets)) > 1:
        yield Problem(
            code="ATP278",
            message=f"`{asked.function}` is that of one node, and these are"
            f" {sum(map(len, targets)):,}",
            at=Label(asked.nodes[0].span),
            help="name a single one, as `L9H6 at last`",
        )


def _why_not(chosen: tuple[NodeSet, ...], sets: tuple[NodeSet, ...]) -> str:
    """What can be done so that the result has the nodes."""
    same = tuple(nodes for nodes in sets if nodes.kind == chosen[0].kind)
    counted = any(label.isdecimal() for nodes in same for label in nodes.positions)
    named = [label for label in chosen[0].positions if not label.isdecimal() and label != WHOLE]
    if counted and named:
        return (
            f"add it to `nodes`; those of the spec are at numbers of tokens, and `{named[0]}`"
            " is not at the same one in every pair"
        )
    return "add it to `nodes { ... }`"
