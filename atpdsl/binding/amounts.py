"""Shares of all nodes as numbers of nodes, once it is known how many there are."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.problems import Label, Problem
from atpdsl.semantics.circuit import MOST_NODES
from atpdsl.semantics.experiment import Experiment, Keep
from atpdsl.semantics.numbers import part_of


def counted(experiment: Experiment, nodes: int) -> Experiment:
    """The experiment with `verify { top = 5% }` as a number of nodes."""
    verify = experiment.verify
    if verify is None:
        return experiment
    top, random = verify.top_share, verify.random_share
    verify = replace(
        verify,
        top=verify.top if top is None else part_of(top, nodes),
        random=verify.random if random is None else part_of(random, nodes),
    )
    return replace(experiment, verify=verify)


def check_circuit(experiment: Experiment, nodes: int) -> tuple[Problem, ...]:
    """A problem if a share of the nodes is too large a circuit."""
    circuit = experiment.circuit
    if circuit is None or circuit.keep is not Keep.SHARE:
        return ()
    kept = part_of(circuit.amount, nodes)
    if kept <= MOST_NODES:
        return ()
    problem = Problem(
        code="ATP279",
        message=f"this keeps {kept:,} of {nodes:,} nodes, and a circuit has at most"
        f" {MOST_NODES:,}",
        at=Label(circuit.span),
        help="keep a smaller share, or `top(100)`",
    )
    return (problem,)
