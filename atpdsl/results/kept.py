"""The nodes that a spec's `circuit` keeps."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from atpdsl.problems import Label, Problem, Severity
from atpdsl.results.record import CircuitRecord
from atpdsl.semantics.circuit import MOST_NODES
from atpdsl.semantics.experiment import CircuitCall, Keep
from atpdsl.semantics.numbers import part_of


def describe_circuit(
    call: CircuitCall | None, first: str, table: pa.Table
) -> CircuitRecord | None:
    """The circuit of a run; None where the spec does not say what it is.

    Args:
        call: the rule.
        first: the label of the first method.
        table: the scores.
    """
    if call is None:
        return None
    circuit = CircuitRecord(
        method=call.method or first, keep=call.keep.value, amount=call.amount, nodes=0
    )
    fitting = len(table.filter(_fits(circuit, table)))
    nodes = min(fitting, MOST_NODES)
    return replace(circuit, nodes=nodes, left_out=fitting - nodes)


def kept(circuit: CircuitRecord, table: pa.Table) -> pa.Table:
    """The rows of the circuit's nodes, best first."""
    return table.filter(is_kept(circuit, table)).sort_by("rank")


def is_kept(circuit: CircuitRecord, table: pa.Table) -> pa.ChunkedArray:
    """For every row of the scores whether its node is in the circuit, by its method."""
    small = pc.less_equal(table["rank"], MOST_NODES)
    return pc.fill_null(pc.and_(_fits(circuit, table), small), False)


def _fits(circuit: CircuitRecord, table: pa.Table) -> pa.ChunkedArray:
    mine = pc.equal(table["method"], circuit.method)
    match Keep(circuit.keep):
        case Keep.THRESHOLD:
            good = pc.greater_equal(table["score"], circuit.amount)
        case Keep.TOP:
            good = pc.less_equal(table["rank"], int(circuit.amount))
        case Keep.SHARE:
            number = part_of(circuit.amount, pc.sum(mine).as_py() or 0)
            good = pc.less_equal(table["rank"], number)
    return pc.fill_null(pc.and_(mine, good), False)


def cut_short(circuit: CircuitRecord | None, call: CircuitCall | None) -> tuple[Problem, ...]:
    """A warning where more nodes have a score above the threshold than a circuit can have."""
    if circuit is None or call is None or not circuit.left_out:
        return ()
    problem = Problem(
        code="ATP429",
        message=f"{circuit.nodes + circuit.left_out:,} nodes have a score of"
        f" {circuit.amount:g} or above; the circuit has the best {circuit.nodes:,} of them",
        at=Label(call.span),
        help="choose a larger threshold",
        severity=Severity.WARNING,
    )
    return (problem,)
