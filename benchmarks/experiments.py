"""Plans for benchmarks: some methods on all nodes of some kinds, at every position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.methods.lower import lower
from atpdsl.models.shape import ModelShape
from atpdsl.passes import PIPELINE, optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import target_of
from atpdsl.problems import Source, Span
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Column,
    Diagnosis,
    Flag,
    Number,
    Saturation,
    Test,
)
from atpdsl.semantics.experiment import (
    Align,
    Direction,
    Experiment,
    MethodCall,
    MetricCall,
    ModelRef,
    Prompts,
    RunSettings,
    Setting,
    VerifyCall,
)
from benchmarks.prompts import ANSWER, FOIL, Pairs

NOWHERE = Span(0, 0)
HEADS = "heads.q heads.k heads.v heads.z"
NODES = f"{HEADS} mlp"
WITH_NEURONS = f"{NODES} neurons"
PATCHED = "heads.z mlp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a model.

    Attributes:
        methods: each a name, and for AtP its corrections: `atp qk_fix every_layer`.
        kinds: node kinds, all nodes of which are measured at every position.
        diagnosed: with `cancellation` and `saturation`.
        verified: so many nodes are patched exactly after the estimates.
        without: passes that are left out.
    """

    methods: tuple[str, ...]
    kinds: str = NODES
    diagnosed: bool = False
    verified: int = 0
    run: RunSettings = field(default_factory=RunSettings)
    dtype: str = "float32"
    without: tuple[str, ...] = ()


STAR = "atp qk_fix every_layer"
ATP = "AtP, heads + MLPs + neurons"
ATP_STAR = "AtP*, heads + MLPs + neurons"
EXACT = "exact, all heads z + MLPs"
QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "AtP, heads q/k/v/z + MLPs": Question(methods=("atp",)),
        ATP: Question(methods=("atp",), kinds=WITH_NEURONS),
        "AtP + QK fix, heads + MLPs + neurons": Question(
            methods=("atp qk_fix",), kinds=WITH_NEURONS
        ),
        "AtP*, heads + MLPs": Question(methods=(STAR,)),
        ATP_STAR: Question(methods=(STAR,), kinds=WITH_NEURONS),
        "AtP* and diagnostics, heads + MLPs + neurons": Question(
            methods=(STAR,), kinds=WITH_NEURONS, diagnosed=True
        ),
        "AtP, AtP*, diagnostics and neurons in one spec": Question(
            methods=("atp", STAR), kinds=WITH_NEURONS, diagnosed=True
        ),
        "AtP, 64 nodes verified": Question(methods=("atp",), verified=64),
        EXACT: Question(methods=("ap",), kinds=PATCHED),
    }
)
"""What benchmarks ask, by the name that tables call it."""


def make_plan(asked: Question, pairs: Pairs, shape: ModelShape, executor: str) -> Plan:
    """The plan as that executor gets it."""
    mine = replace(asked, run=replace(asked.run, executor=executor))
    return optimized(unoptimized(mine, pairs, shape), executor, asked.without)


def optimized(plan: Plan, executor: str, without: Sequence[str] = ()) -> Plan:
    """After all passes but those left out."""
    kept = [one.name for one in PIPELINE if one.name not in without]
    return optimize(plan, target_of(plan.bound, executor), kept)


def unoptimized(asked: Question, pairs: Pairs, shape: ModelShape) -> Plan:
    """The plan before any pass."""
    rows = zip(pairs.clean.tolist(), pairs.corrupted.tolist(), strict=True)
    units = {
        "mlp": 1,
        "neurons": shape.d_mlp,
        "heads.k": shape.n_kv_heads,
        "heads.v": shape.n_kv_heads,
    }
    nodes = tuple(
        NodeSet(
            kind=kind,
            layers=tuple(range(shape.n_layers)),
            indices=tuple(range(units.get(kind, shape.n_heads))),
            positions=tuple(map(str, range(pairs.length))),
        )
        for kind in asked.kinds.split()
    )
    token_pairs = TokenPairs(
        pairs=tuple(token_pair(*row) for row in rows), pad_id=0, bos_id=None
    )
    bound = Bound(experiment=experiment(asked), shape=shape, pairs=token_pairs, nodes=nodes)
    return lower(bound)


def work(
    asked: Question, pairs: Pairs, model: LoadedModel, executor: str
) -> Callable[[], Outcome]:
    """The run of a plan that is made beforehand."""
    plan = make_plan(replace(asked, dtype=model.dtype), pairs, model.shape, executor)
    engine = EXECUTORS[executor].make()
    return lambda: engine.execute(plan, model, Silent())


def present(names: Sequence[str]) -> tuple[str, ...]:
    """Those of the executors that there are."""
    there = {entry.name for entry in EXECUTORS}
    return tuple(name for name in names if name in there)


def token_pair(clean: Sequence[int], corrupted: Sequence[int]) -> TokenPair:
    """A pair without text."""
    text = TextPair(
        clean="",
        corrupted="",
        answers=(),
        foils=(),
        marks={},
        align="strict",
        origin=NOWHERE,
        row=0,
    )
    return TokenPair(
        text=text,
        clean=tuple(clean),
        corrupted=tuple(corrupted),
        answers=(ANSWER,),
        foils=(FOIL,),
        positions={"last": (len(clean) - 1, len(corrupted) - 1)},
        partner=tuple(range(len(clean))),
    )


def experiment(asked: Question) -> Experiment:
    """The experiment, as `semantics` would have made it of a spec."""
    calls = tuple(_call(number, text) for number, text in enumerate(asked.methods))
    labels = tuple(call.label for call in calls)
    verify = VerifyCall(top=asked.verified, random=0, methods=labels, span=NOWHERE)
    return Experiment(
        name="benchmark",
        source=Source("benchmark", ""),
        doc="",
        model=ModelRef(name="random", dtype=asked.dtype, span=NOWHERE),
        prompts=Prompts(
            name="", parts=(), positions=(), align=Align.STRICT, bos=False, span=NOWHERE
        ),
        metric=MetricCall(name="logit_diff", position="last", span=NOWHERE),
        nodes=(),
        methods=calls,
        verify=verify if asked.verified else None,
        run=asked.run,
        exports=(),
        diagnosis=_diagnosis() if asked.diagnosed else Diagnosis(),
    )


def _call(number: int, text: str) -> MethodCall:
    method, *corrections = text.split()
    drops = [one for one in corrections if one != "qk_fix"]
    settings: dict[str, Setting] = {
        "qk_fix": "qk_fix" in corrections,
        "grad_drop": drops[0] if drops else "off",
    }
    return MethodCall(
        label=f"{method}{number or ''}",
        method=method,
        direction=Direction.NOISING,
        settings=MappingProxyType(settings if method == "atp" else {}),
        span=NOWHERE,
    )


def _diagnosis() -> Diagnosis:
    """Cancellation and saturation; what they flag is of no interest here."""
    never = Flag(
        condition=Test(operator="<", left=Column(name="score"), right=Number(value=0)),
        text="score < 0",
    )
    return Diagnosis(cancellation=Cancellation(flag=never), saturation=Saturation(flag=never))
