"""Shares of all nodes as numbers of nodes, once it is known how many there are."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from atpdsl.problems import Label, Problem, Severity
from atpdsl.semantics.circuit import MOST_NODES
from atpdsl.semantics.experiment import Experiment, Keep, MethodCall, VerifyCall
from atpdsl.semantics.flags import columns_of
from atpdsl.semantics.numbers import part_of
from atpdsl.semantics.stopping import too_few_first


def counted(experiment: Experiment, nodes: int) -> Experiment:
    """The experiment with shares of all nodes, as in `verify { top = 5% }`, as numbers."""
    methods = tuple(_method(call, nodes) for call in experiment.methods)
    verify = None if experiment.verify is None else _verify(experiment.verify, nodes)
    return replace(experiment, methods=methods, verify=verify)


def _method(call: MethodCall, nodes: int) -> MethodCall:
    counts = {
        name: part_of(share, nodes)
        for name, share in call.settings.items()
        if name in call.node_shares and isinstance(share, float)
    }
    settings = MappingProxyType({**call.settings, **counts})
    return replace(call, settings=settings, node_shares=()) if counts else call


def _verify(verify: VerifyCall, nodes: int) -> VerifyCall:
    top, random, most = verify.top_share, verify.random_share, verify.most_share
    return replace(
        verify,
        top=verify.top if top is None else part_of(top, nodes),
        random=verify.random if random is None else part_of(random, nodes),
        most=verify.most if most is None else part_of(most, nodes),
    )


def check_stop(experiment: Experiment, nodes: int) -> tuple[Problem, ...]:
    """A problem if `top` is a share, and too small for the condition of `stop_when`."""
    verify = experiment.verify
    if verify is None or verify.stop is None or verify.top_share is None:
        return ()
    problem = too_few_first(verify.stop, part_of(verify.top_share, nodes))
    return () if problem is None else (problem,)


def check_pairs(experiment: Experiment, pairs: int) -> tuple[Problem, ...]:
    """A problem if there is one pair only, and how pairs differ is asked."""
    uncertainty = experiment.diagnosis.uncertainty
    if uncertainty is None or pairs > 1:
        return ()
    resampled = uncertainty.bootstrap > 0
    asks = columns_of(uncertainty.flag.condition) & {"sign_flips", "standard_error"}
    if not resampled and not asks:
        return ()
    what = "`bootstrap` draws pairs" if resampled else "`uncertainty` compares pairs"
    problem = Problem(
        code="ATP287",
        message=f"{what}, and there is one only",
        at=None if uncertainty.span is None else Label(uncertainty.span),
        help="add pairs, or leave it out",
        severity=Severity.ERROR if resampled else Severity.WARNING,
    )
    return (problem,)


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
