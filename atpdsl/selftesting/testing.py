"""The self-test of a spec's model: which checks are made, with which pairs and nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from atpdsl.binding.pairs import TokenPair
from atpdsl.checked import Planned, settled
from atpdsl.execution import Shelf
from atpdsl.metrics import metric_of
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.memory import check_activations
from atpdsl.runtime.native.agreement import checked_engine
from atpdsl.runtime.threads import choose_threads, using_threads
from atpdsl.selftesting.against_twins import (
    Bench,
    exact,
    first_order,
    graddrop,
    places_needed,
    qk_fix,
)
from atpdsl.selftesting.alone import Alone
from atpdsl.selftesting.checks import Check, Part
from atpdsl.selftesting.executors import executors
from atpdsl.selftesting.identities import WHOLE_KINDS, identities
from atpdsl.selftesting.precision import precision_of
from atpdsl.selftesting.selftest import Amount
from atpdsl.selftesting.state import state_checks, state_of
from atpdsl.selftesting.subject import MAKE, Subject, sample

if TYPE_CHECKING:
    from atpdsl.runtime.executor import Progress


def model_part(planned: Planned, amount: Amount, progress: Progress) -> Part:
    """Every check on the model of a spec, in its dtype and on its device.

    Raises:
        RunError: when the model cannot be loaded, or cannot do what the spec asks.
    """
    experiment, files = settled(planned.checked)
    check_activations(planned.plan)
    model = Shelf().model(planned, progress)
    choice = choose_threads(files.n_parameters(), requested=experiment.run.threads)
    bound = planned.plan.bound
    chosen = _few(bound.pairs.pairs, amount.pairs)
    executor, reason = _executor(experiment.run.executor, model)
    subject = Subject(
        bound=replace(bound, pairs=replace(bound.pairs, pairs=chosen)),
        model=model,
        direction=experiment.methods[0].direction,
        executor=executor,
    )
    with using_threads(choice), torch.inference_mode(mode=False), torch.no_grad():
        checks = checks_of(subject, amount, progress)
    return Part(
        title=files.name,
        dtype=model.dtype,
        device=model.device,
        checks=checks,
        executor=executor,
        skipped=(*([reason] if reason else []), *_skipped(subject)),
    )


def _executor(asked: str, model: LoadedModel) -> tuple[str, str]:
    """The executor that runs the spec, and what has to be said of that."""
    if asked in MAKE:
        return asked, ""
    engine, reason = checked_engine(model)
    return ("bridge", f"not run natively: {reason}") if engine is None else ("native", "")


def _skipped(subject: Subject) -> Iterator[str]:
    """What could not be checked, and why."""
    metric = metric_of(subject.bound.experiment.metric)
    if not metric.differentiable:
        yield f"`{metric.name}` has no gradient: estimates were not checked"
    positions = {label for nodes in subject.bound.nodes for label in nodes.positions}
    if not any(subject.matters(pair, one) for pair in subject.pairs for one in positions):
        yield "the prompts do not differ up to these nodes: no node could be checked"


def _few(pairs: Sequence[TokenPair], number: int) -> tuple[TokenPair, ...]:
    """Some pairs, of different lengths where there are such: then padding is tested too."""
    first = {len(pair.clean): pair for pair in reversed(pairs)}
    different = sorted(first.values(), key=pairs.index)
    others = [pair for pair in pairs if pair not in different]
    return tuple([*different, *others][:number])


def checks_of(subject: Subject, amount: Amount, progress: Progress) -> tuple[Check, ...]:
    """Every check on a model with some pairs.

    Raises:
        RunError: when the model cannot do what the metric or the nodes ask.
    """
    estimated = metric_of(subject.bound.experiment.metric).differentiable
    nodes = sample(subject, amount.nodes, amount.seed, estimated=estimated)
    kinds = dict.fromkeys(node.kind for node in nodes)
    places = places_needed(subject.bound.shape.n_layers, (*kinds, *WHOLE_KINDS))
    alones = [Alone(subject, number, places) for number in range(len(subject.pairs))]
    before = state_of(subject.model, alones)
    with progress.stage("testing", None, "nodes") as step:
        bench = Bench(
            subject=subject,
            nodes=nodes,
            alones=tuple(alones),
            precision=precision_of(subject.model.dtype, alones),
            tick=lambda: step.advance(1),
        )
        checks = list(_checks(bench, amount, estimated=estimated)) if nodes else []
    return (*checks, *state_checks(before, state_of(subject.model, alones)))


def _checks(bench: Bench, amount: Amount, *, estimated: bool) -> Iterator[Check]:
    if estimated:
        yield from first_order(bench)
    yield from exact(bench)
    if estimated:
        yield from qk_fix(bench)
        yield from graddrop(bench, amount.dropped)
    yield from identities(bench, estimated=estimated)
    if bench.subject.executor != "bridge":
        yield from executors(bench, estimated=estimated)
