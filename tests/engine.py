"""The engine on bare token ids: what tests compare with the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.methods.lower import lower
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.problems import Source, Span
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.semantics.diagnosis import Diagnosis
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
from tests.metrics.formulas import sets_of
from tests.small_models import N_LAYERS, bridge

NOWHERE = Span(0, 0)

Ids = Sequence[Sequence[int]]


def token_pair(
    clean: Sequence[int],
    corrupted: Sequence[int],
    answer: int | None = None,
    foil: int | None = None,
    positions: Mapping[str, tuple[int, int]] | None = None,
    partner: Sequence[int] | None = None,
    sets: tuple[tuple[int, ...], ...] = (),
) -> TokenPair:
    text = TextPair(
        clean=" ".join(map(str, clean)),
        corrupted=" ".join(map(str, corrupted)),
        answers=(),
        foils=(),
        marks={},
        align="strict",
        origin=NOWHERE,
        row=0,
    )
    last = {"last": (len(clean) - 1, len(corrupted) - 1)}
    return TokenPair(
        text=text,
        clean=tuple(clean),
        corrupted=tuple(corrupted),
        answers=() if answer is None else (answer,),
        foils=() if foil is None else (foil,),
        positions={**(positions or {}), **last},
        partner=tuple(range(len(clean))) if partner is None else tuple(partner),
        sets=sets,
    )


def experiment(
    *,
    metric: str | MetricCall = "logit_diff",
    methods: Sequence[tuple[str, Direction]] = (("atp", Direction.NOISING),),
    settings: Mapping[str, Setting] | None = None,
    diagnosis: Diagnosis | None = None,
    verify: VerifyCall | None = None,
    run: RunSettings | None = None,
) -> Experiment:
    """`settings` are those of every method; methods are labelled `atp`, `atp1`, ..."""
    return Experiment(
        name="test",
        source=Source("test.atp", ""),
        doc="",
        model=ModelRef(name="test", span=NOWHERE),
        prompts=Prompts(
            name="", parts=(), positions=(), align=Align.STRICT, bos=False, span=NOWHERE
        ),
        metric=metric
        if isinstance(metric, MetricCall)
        else MetricCall(name=metric, position="last", span=NOWHERE),
        nodes=(),
        methods=tuple(
            MethodCall(
                label=f"{name}{i}" if i else name,
                method=name,
                direction=direction,
                settings=settings or {},
                span=NOWHERE,
            )
            for i, (name, direction) in enumerate(methods)
        ),
        verify=verify,
        run=run or RunSettings(per_pair=True),
        exports=(),
        diagnosis=diagnosis or Diagnosis(),
    )


def shape_of(config: Any) -> ModelShape:
    """Only what plans look at; the rest is not read by the executor."""
    return ModelShape(
        architecture="test",
        family="test",
        n_layers=config.num_hidden_layers,
        n_heads=config.num_attention_heads,
        n_kv_heads=getattr(config, "num_key_value_heads", config.num_attention_heads),
        d_model=config.hidden_size,
        d_head=config.hidden_size // config.num_attention_heads,
        d_mlp=1,
        d_vocab=config.vocab_size,
        n_context=1024,
    )


def make_plan(
    pairs: Sequence[TokenPair], nodes: Sequence[NodeSet], asked: Experiment, shape: Any = None
) -> Plan:
    """`shape` is that of the small models where it is not given, as far as plans look at it."""
    layers = max(N_LAYERS, *(1 + n.layers[-1] for n in nodes))
    bound = Bound(
        experiment=asked,
        shape=shape or SimpleNamespace(n_layers=layers, family="test"),
        pairs=TokenPairs(pairs=tuple(pairs), pad_id=0, bos_id=None),
        nodes=tuple(nodes),
    )
    return lower(bound)


def loaded(hf_model: Any) -> LoadedModel:
    """The model in a bridge, as a copy: the given one stays plain Hugging Face."""
    config = hf_model.config
    return LoadedModel(
        bridge=bridge(hf_model),
        shape=shape_of(config),
        files=None,  # type: ignore[arg-type]
        device="cpu",
        dtype="float64",
        n_parameters=0,
    )


def execute(hf_model: Any, plan: Plan, executor: str = "bridge") -> Outcome:
    return EXECUTORS[executor].make().execute(plan, loaded(hf_model), Silent())


def optimized(plan: Plan, executor: str = "bridge") -> Plan:
    """After all passes that an executor can use, whatever family the shape says."""
    return optimize(plan, NATIVE if executor == "native" else BRIDGE)


def run_engine(
    hf_model: Any,
    architecture: str,
    clean: Ids,
    corrupted: Ids,
    answers: Sequence[int],
    foils: Sequence[int],
    metric: str | MetricCall,
    nodes: Sequence[NodeSet],
    method: str,
    direction: Direction,
    batch: int | None = None,
    passes: bool = True,
    settings: Mapping[str, Setting] | None = None,
    executor: str = "bridge",
) -> list[NDArray[np.float64]]:
    """Per-pair signed values, [pair, *nodes.shape] for each node set, nan where missing.

    The token sets of a computed metric are numbers of tokens, the same in every pair.
    """
    sets = [
        sets_of(metric, [answer], [foil]) if isinstance(metric, MetricCall) else ()
        for answer, foil in zip(answers, foils, strict=True)
    ]
    pairs = [
        token_pair(*row, sets=one)
        for *row, one in zip(clean, corrupted, answers, foils, sets, strict=True)
    ]
    asked = experiment(
        metric=metric,
        methods=((method, direction),),
        settings=settings,
        run=RunSettings(per_pair=True, batch=batch),
    )
    plan = make_plan(pairs, nodes, asked, shape_of(hf_model.config))
    outcome = execute(hf_model, optimized(plan, executor) if passes else plan, executor)
    kept = outcome.methods[0].per_pair
    assert kept is not None
    return list(kept)
