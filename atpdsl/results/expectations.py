"""Whether a result fulfils the `expect` of its spec, and what it has instead.

A line that asks for a number that does not exist cannot be decided; that counts as not
fulfilled, unless the rest of the line decides it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.results.columns import upper_column
from atpdsl.results.kept import is_kept
from atpdsl.results.operators import CALCULATE, COMPARE
from atpdsl.results.rank_statistics import spearman
from atpdsl.results.record import ExpectationRecord, Record
from atpdsl.results.scores import ranks
from atpdsl.results.trust import BoundRecord, Verification
from atpdsl.results.verification import recall
from atpdsl.semantics.claims import (
    Amount,
    Asked,
    Calculated,
    Claim,
    Compared,
    Denied,
    Joined,
    Quantity,
)
from atpdsl.semantics.experiment import Expectation
from atpdsl.semantics.numbers import part_of, percentage

Targets = Callable[[Asked], tuple[NodeSet, ...]]
Column = NDArray[Any]


class UnknownError(Exception):
    """The result does not say; the message is why."""


def judge(
    expectations: Iterable[Expectation], record: Record, table: pa.Table, targets: Targets
) -> tuple[ExpectationRecord, ...]:
    """Each expectation with whether it holds; none where nothing was computed.

    Args:
        expectations: those of the spec.
        record: everything about the run but its scores.
        table: the scores.
        targets: the nodes that a question is about.
    """
    if table["score"].null_count == len(table):
        return ()
    return tuple(_Judge(record, table, targets).judge(one) for one in expectations)


class _Judge:
    """Looks up what one expectation asks, and remembers what was found."""

    def __init__(self, record: Record, table: pa.Table, targets: Targets) -> None:
        self.record = record
        self.table = table
        self.targets = targets
        self.found: dict[str, str] = {}
        self.unknown: list[str] = []

    def judge(self, expectation: Expectation) -> ExpectationRecord:
        """An expectation and whether it holds."""
        holds = self._claim(expectation.condition)
        return ExpectationRecord(
            text=expectation.text,
            holds=holds is True,
            found=tuple(f"{text} {answer}" for text, answer in self.found.items()),
            undecided="" if holds is not None else "; ".join(dict.fromkeys(self.unknown)),
        )

    # ---- claims: True, False, or None where it cannot be decided ----

    def _claim(self, claim: Claim) -> bool | None:
        match claim:
            case Joined(operator=joint, operands=operands):
                return _joined(joint, [self._claim(one) for one in operands])
            case Denied(operand=operand):
                held = self._claim(operand)
                return None if held is None else not held
            case Compared(operator=sign, left=left, right=right):
                sides = self._value(left), self._value(right)
                known = [side for side in sides if side is not None]
                return bool(COMPARE[sign](*known)) if len(known) == 2 else None
            case Asked():
                number = self._asked(claim)
                return None if number is None else bool(number)
            case _:
                assert_never(claim)

    # ---- numbers, None where there is none ----

    def _value(self, quantity: Quantity) -> float | None:
        match quantity:
            case Amount(value=value):
                return value
            case Calculated(operator=sign, left=left, right=right):
                first, second = self._value(left), self._value(right)
                if first is None or second is None:
                    return None
                return self._calculated(sign, first, second)
            case Asked():
                return self._asked(quantity)
            case _:
                assert_never(quantity)

    def _calculated(self, sign: str, first: float, second: float) -> float | None:
        try:
            value = float(CALCULATE[sign](first, second))
        except ZeroDivisionError:
            self.unknown.append("it divides by 0")
            return None
        if not math.isfinite(value):
            self.unknown.append("the number is too large")
            return None
        return value

    def _asked(self, asked: Asked) -> float | None:
        try:
            number, words = _ANSWERS[asked.function](self, asked)
        except UnknownError as error:
            self.unknown.append(f"{asked.text} is not known: {error}")
            return None
        self.found[asked.text] = words
        return number

    # ---- answers: a number, and how it is said ----

    def recall(self, asked: Asked) -> tuple[float, str]:
        """As in the record, for any length of the top list."""
        mine = self._of(asked.methods[0])
        measured = _flags(mine, "verified")
        rank = ranks(_numbers(mine, "estimate"))[measured]
        truth = _numbers(mine, "effect_abs")[measured]
        found = recall(rank, truth, self._top(asked, len(mine)))
        if found is None:
            raise UnknownError("no node outside the estimate's own top was measured")
        if not found.of:
            raise UnknownError("every measured effect is 0")
        share = found.hits / found.of
        return share, f"is {share:.3g} ({found.hits} of {found.of})"

    def _top(self, asked: Asked, nodes: int) -> int:
        if asked.top_share is not None:
            return part_of(asked.top_share, nodes)
        return self._verification(asked).top if asked.top is None else asked.top

    def spearman(self, asked: Asked) -> tuple[float, str]:
        """Over the nodes that both sides know; those that are zero for both say nothing."""
        labels = [label for label in asked.methods if label is not None]
        sides = [self._own_numbers(label) for label in labels]
        if len(sides) == 1:
            sides.append(_numbers(self._of(labels[0]), "effect_abs"))
        first, second = sides
        alive = ~np.isnan(first) & ~np.isnan(second) & ((first != 0) | (second != 0))
        value = spearman(first[alive], second[alive])
        if value is None:
            raise UnknownError("there are too few different values")
        return value, f"is {value:.3g} (over {int(alive.sum()):,} nodes)"

    def _own_numbers(self, label: str) -> Column:
        """What a method itself says of each node, whether or not that was verified."""
        described = self.record.method(label)
        exact = described is not None and described.exact
        return _numbers(self._of(label), "effect_abs" if exact else "estimate")

    def misses(self, asked: Asked) -> tuple[float, str]:
        """Nodes drawn at random that turned out large."""
        verification = self._verification(asked)
        if not verification.random:
            raise UnknownError("no node was left to draw at random")
        return len(verification.missed), f"is {len(verification.missed)}"

    def _verification(self, asked: Asked) -> Verification:
        for one in self.record.verification:
            if one.label in asked.methods:
                return one
        raise UnknownError("nothing was verified")

    def upper_bound(self, asked: Asked) -> tuple[float, str]:
        """What no node that was not measured exceeds."""
        for bound in self.record.bounds:
            if set(bound.labels) & set(asked.methods):
                wanted = asked.confidence
                return _bound(bound, bound.confidence if wanted is None else wanted)
        for found in self.record.verification:
            if found.label in asked.methods and found.unseen is None:
                return 0.0, "is 0 (every node was measured)"
        raise UnknownError("no sets of nodes were patched; `subset_sampling` does that")

    def flagged(self, asked: Asked) -> tuple[float, str]:
        """Nodes that a diagnostic warns of."""
        labels = [label for label in asked.methods if label is not None]
        asked_for = [flag for flag in self.record.flags if flag.name == asked.word]
        for flag in asked_for:
            for label in labels:
                if label in flag.nodes:
                    return flag.nodes[label], f"is {flag.nodes[label]:,}"
        why = "the method says nothing of it" if asked_for else "`diagnose` does not ask for it"
        raise UnknownError(why)

    def has(self, asked: Asked) -> tuple[float, str]:
        """Whether the circuit has one of the nodes."""
        if self.record.circuit is None:
            raise UnknownError("the spec has no `circuit`")
        kept = self.table.filter(is_kept(self.record.circuit, self.table))
        number = sum(len(kept.filter(_is_in(kept, nodes))) for nodes in self.targets(asked))
        return number, f"finds {number or 'nothing'} in the circuit"

    def effect(self, asked: Asked) -> tuple[float, str]:
        """The measured effect of a node."""
        for label in asked.methods:
            row = self._row(label, asked)
            if row["verified"]:
                return float(row["effect"]), f"is {row['effect']:.4g}"
        raise UnknownError("it was not measured; `verify` measures the best and some others")

    def score(self, asked: Asked) -> tuple[float, str]:
        """The score of a node."""
        row = self._row(asked.methods[0], asked)
        how = "measured" if row["verified"] else "estimated"
        return float(row["score"]), f"is {row['score']:.4g} ({how})"

    def _row(self, label: str | None, asked: Asked) -> dict[str, Any]:
        mine = self._of(label)
        for nodes in self.targets(asked):
            for row in mine.filter(_is_in(mine, nodes)).to_pylist():
                if row["score"] is None:
                    raise UnknownError("no pair has the node")
                return dict(row)
        raise UnknownError("the run has no such node")

    def gap(self, asked: Asked) -> tuple[float, str]:  # noqa: ARG002 (it is about all nodes)
        """Clean minus corrupted metric."""
        clean, corrupted = self.record.metric.clean, self.record.metric.corrupted
        return _metric(None if clean is None or corrupted is None else clean - corrupted)

    def clean_metric(self, asked: Asked) -> tuple[float, str]:  # noqa: ARG002
        """The metric on the clean prompts."""
        return _metric(self.record.metric.clean)

    def corrupted_metric(self, asked: Asked) -> tuple[float, str]:  # noqa: ARG002
        """The metric on the corrupted prompts."""
        return _metric(self.record.metric.corrupted)

    def _of(self, label: str | None) -> pa.Table:
        """The rows of a method, in the order of the nodes."""
        return self.table.filter(pc.equal(self.table["method"], label))


def _bound(bound: BoundRecord, confidence: float) -> tuple[float, str]:
    """The largest effect that is not ruled out at a confidence."""
    wanted = upper_column(confidence)
    at = next((at for at in bound.at if upper_column(at.confidence) == wanted), None)
    if at is None:
        raise UnknownError(f"there is no bound at a confidence of {percentage(confidence)}")
    if at.upper is None:
        raise UnknownError(f"{at.node} was in too few sets; more `samples` are needed")
    return at.upper, f"is {at.upper:.4g} (for {bound.nodes:,} nodes)"


def _joined(joint: str, held: list[bool | None]) -> bool | None:
    """`and` and `or`: one that decides is enough, whatever is unknown of the others."""
    decides = joint == "or"
    if decides in held:
        return decides
    return None if None in held else not decides


def _metric(value: float | None) -> tuple[float, str]:
    if value is None:
        raise UnknownError("the metric is no number")
    return value, f"is {value:.4g}"


def _numbers(table: pa.Table, column: str) -> Column:
    return np.asarray(table[column].to_numpy(), np.float64)


def _flags(table: pa.Table, column: str) -> Column:
    return np.asarray(table[column].to_numpy(), np.bool_)


def _is_in(table: pa.Table, nodes: NodeSet) -> pa.ChunkedArray:
    """For every row whether its node is in a set."""
    kind = NODE_KINDS[nodes.kind]
    found = pc.equal(table["kind"], nodes.kind)
    positions = pa.array(nodes.positions, pa.string())
    found = pc.and_(found, pc.is_in(table["position"].cast(pa.string()), positions))
    if kind.layered:
        layers = pa.array(nodes.layers, pa.int32())
        found = pc.and_(found, pc.is_in(table["layer"], layers))
    if kind.unit is not Unit.VECTOR:
        indices = pa.array(nodes.indices, pa.int32())
        found = pc.and_(found, pc.is_in(table["index"], indices))
    return found


_ANSWERS: Mapping[str, Callable[[_Judge, Asked], tuple[float, str]]] = {
    "recall": _Judge.recall,
    "spearman": _Judge.spearman,
    "misses": _Judge.misses,
    "upper_bound": _Judge.upper_bound,
    "flagged": _Judge.flagged,
    "has": _Judge.has,
    "effect": _Judge.effect,
    "score": _Judge.score,
    "gap": _Judge.gap,
    "clean_metric": _Judge.clean_metric,
    "corrupted_metric": _Judge.corrupted_metric,
}
