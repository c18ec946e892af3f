"""Hierarchical: blocks of blocks, the one with the largest effect opened first."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from atpdsl.binding.bind import Bound
from atpdsl.methods.method import Method, Request
from atpdsl.methods.patched_sets import estimates, whole
from atpdsl.planning.ops import Estimate, Side
from atpdsl.planning.positions import live_labels, reach_of
from atpdsl.planning.schemes import Tree
from atpdsl.semantics.experiment import Direction, MethodCall
from atpdsl.semantics.signature import Param, Signature

LEVELS = 3


def lower(request: Request) -> tuple[Estimate, ...]:
    """Blocks are opened best first, down to single nodes; all in every pair."""
    most = request.call.settings.get("most")
    scheme = Tree(
        levels=whole(request.call, "levels"),
        branching=whole(request.call, "branching"),
        most=None if most is None else whole(request.call, "most"),
        seed=request.seed,
    )
    return estimates(request, scheme)


def settle(call: MethodCall, bound: Bound) -> tuple[MethodCall, str]:
    """`branching`, where it is left out: as many blocks on top as in every block."""
    if call.settings.get("branching") is not None:
        return call, ""
    levels, nodes = whole(call, "levels"), _drawn(call, bound)
    branching = even_branching(nodes, levels)
    settled = replace(
        call, settings=MappingProxyType({**call.settings, "branching": branching})
    )
    above = f"{levels} level{'s' if levels != 1 else ''} of blocks above {nodes:,} nodes"
    return settled, f"branching = {branching}, for {above}"


def _drawn(call: MethodCall, bound: Bound) -> int:
    """How many nodes there are to put into blocks: those that some patch can matter for."""
    base = Side.CLEAN if call.direction is Direction.NOISING else Side.CORRUPTED
    pairs, reach = bound.pairs.pairs, reach_of(bound)
    return sum(
        len(nodes.indices) * sum(map(sum, live_labels(pairs, nodes, base, reach)))
        for nodes in bound.nodes
    )


def even_branching(nodes: int, levels: int) -> int:
    """The smallest number, from 2 on, with branching ^ (levels + 1) >= nodes."""
    branching = 2
    while branching ** (levels + 1) < nodes:
        branching += 1
    return branching


HIERARCHICAL = Method(
    signature=Signature(
        name="hierarchical",
        summary="baseline: blocks of blocks, the one with the largest effect opened first",
        params=(
            Param(
                name="levels",
                type="int",
                default=LEVELS,
                minimum=1,
                maximum=16,
                doc="levels of blocks above the single nodes",
            ),
            Param(
                name="branching",
                type="int",
                default=None,
                minimum=2,
                doc="blocks in a block, and nodes in a lowest one; if left out, so many that"
                " the top has as many blocks",
            ),
            Param(
                name="most",
                type="amount",
                default=None,
                minimum=1,
                doc="stop after so many single nodes, or `5%` of all; if left out, open all",
            ),
        ),
        estimates=True,
    ),
    exact=False,
    baseline=True,
    paper="Kramar et al. 2024 (AtP*), the baseline Hierarchical",
    formula="(metric(base run with the smallest block patched that has the node, at the"
    " donor's values) - metric(base run)) / nodes in it",
    lower=lower,
    settle=settle,
)
