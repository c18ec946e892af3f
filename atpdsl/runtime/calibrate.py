"""How fast this machine runs a model, measured by running small plans of random tokens.

The plans go through the executor itself, so that everything it does beside multiplying
matrices is in the numbers. `planning/rates.py` says how they are used.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.planning.cost import stage_of
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rates import ELEMENT, Curve, Rates
from atpdsl.planning.work import Kind, Works
from atpdsl.problems import Source, Span
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.semantics.experiment import (
    Align,
    Direction,
    Experiment,
    MethodCall,
    MetricCall,
    ModelRef,
    Prompts,
    RunSettings,
)

if TYPE_CHECKING:
    from atpdsl.planning.rate_cache import Setup
    from atpdsl.runtime.load import LoadedModel

TOKENS = 16
"""Tokens of each prompt."""
PAIRS = (1, 4, 16, 64)
"""Pairs of each plan: 16, 64, 256 and 1024 rows of the matrix products."""
MOST_SECONDS = 8.0
"""No plan is run that would make the whole longer than this, beyond the first."""
REPEATED_BELOW = 0.1
"""Plans that take less seconds than this are run three times, and the fastest counts."""
_STAGE = {Kind.FORWARD: "activations", Kind.BACKWARD: "gradients", Kind.PATCHED: "patching"}
_NOWHERE = Span(0, 0)


def calibrate(model: LoadedModel, setup: Setup) -> Rates:
    """Measure how fast an executor runs a model; takes about eight seconds at most.

    Larger models are measured with fewer rows: their first plan may take longer than that.
    """
    points: dict[Kind, list[tuple[float, float]]] = {kind: [] for kind in Kind}
    began = time.perf_counter()
    # The first run of a process pays for what all others find ready.
    _seconds(_plan(setup, 1), setup, model)
    for pairs in PAIRS:
        plan = _plan(setup, pairs)
        before = time.perf_counter()
        measured = _fastest(plan, setup, model)
        for kind, point in _points(plan, measured):
            points[kind].append(point)
        now = time.perf_counter()
        if now - began + 4 * (now - before) > MOST_SECONDS:
            break
    return Rates(
        curves={kind: _rising(found) for kind, found in points.items()},
        measured=True,
        device=model.device,
    )


def _fastest(plan: Plan, setup: Setup, model: LoadedModel) -> dict[str, float]:
    """Seconds of each stage, the least of several runs where these are short."""
    found = _seconds(plan, setup, model)
    if sum(found.values()) < REPEATED_BELOW:
        for _ in range(2):
            again = _seconds(plan, setup, model)
            found = {stage: min(found[stage], again[stage]) for stage in found}
    return found


def _seconds(plan: Plan, setup: Setup, model: LoadedModel) -> dict[str, float]:
    outcome = EXECUTORS[setup.executor].make().execute(plan, model, Silent())
    return {stage.name: stage.seconds for stage in outcome.stages}


def _points(
    plan: Plan, seconds: dict[str, float]
) -> Iterator[tuple[Kind, tuple[float, float]]]:
    """For each kind of work: operations of a call through one layer, and its seconds."""
    works = Works(plan)
    for kind, stage in _STAGE.items():
        mine = [works.of(op) for op in schedule(plan) if stage_of(op) == stage]
        done = [work for work in mine if work is not None]
        calls = sum(work.calls for work in done)
        load = sum(work.flops + ELEMENT * work.elements for work in done)
        yield kind, (load / calls, seconds[stage] / calls)


def _rising(points: list[tuple[float, float]]) -> Curve:
    """Points whose seconds never fall: more work that took less time was noise."""
    found: list[tuple[float, float]] = []
    for load, seconds in sorted(points):
        found.append((load, max(seconds, found[-1][1] if found else 0.0)))
    return tuple(found)


def _plan(setup: Setup, pairs: int) -> Plan:
    """AtP and exact patching of one early node, on pairs of random tokens in one batch."""
    shape = setup.shape
    length = min(TOKENS, shape.n_context)
    draw = random.Random(pairs)  # noqa: S311 - tokens, not secrets

    def tokens() -> tuple[int, ...]:
        return tuple(draw.randrange(shape.d_vocab) for _ in range(length))

    return optimize(
        lower(
            Bound(
                experiment=_experiment(setup, pairs),
                shape=shape,
                pairs=TokenPairs(
                    pairs=tuple(_pair(tokens(), tokens(), shape.d_vocab) for _ in range(pairs)),
                    pad_id=0,
                    bos_id=None,
                ),
                # Every layer and position comes after it.
                nodes=(NodeSet(kind="resid.pre", layers=(0,), indices=(0,), positions=("0",)),),
            )
        )
    )


def _pair(clean: tuple[int, ...], corrupted: tuple[int, ...], d_vocab: int) -> TokenPair:
    last = len(clean) - 1
    # Different from the first token on, so that nothing is skipped.
    first = (clean[0] + 1) % d_vocab
    return TokenPair(
        text=TextPair(
            clean="",
            corrupted="",
            answers=(),
            foils=(),
            marks={},
            align="strict",
            origin=_NOWHERE,
            row=0,
        ),
        clean=clean,
        corrupted=(first, *corrupted[1:]),
        answers=(0,),
        foils=(1 % d_vocab,),
        positions={"last": (last, last)},
        partner=tuple(range(len(clean))),
    )


def _experiment(setup: Setup, pairs: int) -> Experiment:
    return Experiment(
        name="calibration",
        source=Source("calibration", ""),
        doc="",
        model=ModelRef(name="calibration", dtype=setup.dtype, span=_NOWHERE),
        prompts=Prompts(
            name="", parts=(), positions=(), align=Align.STRICT, bos=False, span=_NOWHERE
        ),
        metric=MetricCall(name="logit_diff", position="last", span=_NOWHERE),
        nodes=(),
        methods=tuple(
            MethodCall(label=name, method=name, direction=Direction.NOISING, span=_NOWHERE)
            for name in ("atp", "ap")
        ),
        verify=None,
        run=RunSettings(batch=pairs, executor=setup.executor),
        exports=(),
    )
