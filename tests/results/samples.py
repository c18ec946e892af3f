"""A small run made by hand: two layers, four query and two key-value heads, three pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.models.shape import ModelShape
from atpdsl.planning.outcome import (
    AT_RANDOM,
    Counts,
    MethodOutcome,
    Outcome,
    Stage,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.results.assemble import Finished, assemble
from atpdsl.results.record import ModelRecord
from atpdsl.results.result import Result
from atpdsl.semantics.experiment import (
    Align,
    Direction,
    Experiment,
    ExportCall,
    MethodCall,
    MetricCall,
    ModelRef,
    NodeSelection,
    Placement,
    Prompts,
    RunSettings,
    Text,
    VerifyCall,
)

NOWHERE = Span(0, 0)
SPEC = 'atp 1\nmodel "tiny"\n'
WORDS = ("<s>", " When", " Mary", " and", " John", " gave", " to", " Kate", " Sue")

SHAPE = ModelShape(
    architecture="LlamaForCausalLM",
    family="llama",
    n_layers=2,
    n_heads=4,
    n_kv_heads=2,
    d_model=16,
    d_head=4,
    d_mlp=8,
    d_vocab=9,
    n_context=32,
)

MODEL = ModelRecord(
    name="tiny",
    kind="embedded",
    revision=None,
    dtype="float32",
    weights_sha256="ab" * 32,
    tokenizer_sha256="cd" * 32,
    shape=SHAPE,
)

HEADS = NodeSet(
    kind="heads.z",
    layers=(0, 1),
    indices=(0, 1, 2, 3),
    positions=("0", "1", "2", "3", "4", "5"),
)
KEYS = NodeSet(kind="heads.k", layers=(1,), indices=(0, 1), positions=("2", "4"))
MLPS = NodeSet(kind="mlp", layers=(0, 1), indices=(0,), positions=("S2", "last"))
EMBED = NodeSet(kind="embed", layers=(0,), indices=(0,), positions=("sequence",))


def call(label: str = "atp", method: str = "atp", direction: str = "noising") -> MethodCall:
    return MethodCall(
        label=label, method=method, direction=Direction(direction), settings={}, span=NOWHERE
    )


def statistics(values: np.ndarray, pairs: int = 3) -> Statistics:
    """Every pair has the same absolute value; the first pair's sign counts twice."""
    values = np.asarray(values, np.float64)
    return Statistics(
        pairs=np.where(np.isnan(values), 0, pairs),
        mean=values / 3,
        mean_abs=np.abs(values),
        mean_square=values**2,
    )


def outcome(
    sets: Sequence[NodeSet] = (HEADS, KEYS, MLPS),
    *,
    exact: bool = False,
    verified: Sequence[VerifiedOutcome] | None = None,
    seed: int = 0,
) -> Outcome:
    draw = np.random.default_rng(seed)
    values = tuple(draw.normal(size=nodes.shape) for nodes in sets)
    methods = [
        MethodOutcome(
            call=call(),
            exact=False,
            sets=tuple(sets),
            statistics=tuple(statistics(v) for v in values),
        )
    ]
    if exact:
        methods.append(
            MethodOutcome(
                call=call("ap", "ap"),
                exact=True,
                sets=tuple(sets),
                statistics=tuple(statistics(v * 1.1 + 0.02) for v in values),
            )
        )
    return Outcome(
        methods=tuple(methods),
        verified=(some_verified(),) if verified is None else tuple(verified),
        clean_metric=np.array([3.0, 2.5, 3.5]),
        corrupted_metric=np.array([-3.0, -2.0, -1.0]),
        stages=(
            Stage(
                name="activations",
                counts=Counts(forward_calls=2, forward_sequences=6),
                seconds=0.5,
            ),
            Stage(
                name="gradients",
                counts=Counts(backward_calls=1, backward_sequences=3),
                seconds=0.25,
            ),
        ),
    )


def some_verified() -> VerifiedOutcome:
    """The four best heads of `outcome()` and two nodes drawn at random."""
    return VerifiedOutcome(
        labels=("atp",),
        nodes=np.array([[0, 22], [0, 8], [0, 5], [0, 17], [1, 0], [2, 1]]),
        chosen_by=("atp", "atp", "atp", "atp", AT_RANDOM, AT_RANDOM),
        statistics=statistics(np.array([-2.2, 1.3, -1.1, 0.3, 0.9, -0.05])),
        population=54,
    )


def text(words: str) -> Text:
    return Text(text=words, span=NOWHERE)


def experiment(
    *, verify: VerifyCall | None = None, exports: Sequence[str] = (), text: str = SPEC
) -> Experiment:
    return Experiment(
        name="ioi",
        source=Source("specs/ioi.atp", text),
        doc="Who carries the name?",
        model=ModelRef(name="tiny", span=Span(12, 18)),
        prompts=Prompts(
            name="ioi", parts=(), positions=(), align=Align.STRICT, bos=True, span=NOWHERE
        ),
        metric=MetricCall(name="logit_diff", position="last", span=NOWHERE),
        nodes=(
            NodeSelection(
                kind="heads.z",
                layers=None,
                indices=None,
                placement=Placement.EVERY,
                positions=(),
                filters=(),
                span=NOWHERE,
            ),
        ),
        methods=(call(),),
        verify=verify,
        run=RunSettings(),
        exports=tuple(
            ExportCall(path=path, format=path.rsplit(".", 1)[-1], span=NOWHERE)
            for path in exports
        ),
    )


def pair(clean: Sequence[int], corrupted: Sequence[int], second: int) -> TokenPair:
    spelt = TextPair(
        clean="".join(WORDS[i] for i in clean),
        corrupted="".join(WORDS[i] for i in corrupted),
        answers=(" Mary",),
        foils=(" John",),
        marks={},
        align="strict",
        origin=NOWHERE,
        row=0,
    )
    last = len(clean) - 1
    return TokenPair(
        text=spelt,
        clean=tuple(clean),
        corrupted=tuple(corrupted),
        answers=(2,),
        foils=(4,),
        positions={"S2": (second, second), "last": (last, last)},
        partner=tuple(range(len(clean))),
    )


def pairs() -> TokenPairs:
    return TokenPairs(
        pairs=(
            pair((0, 1, 2, 3, 4, 6), (0, 1, 2, 3, 2, 6), 4),
            pair((0, 1, 4, 3, 2, 6), (0, 1, 4, 3, 4, 6), 4),
            pair((0, 1, 7, 5, 3, 8), (0, 1, 7, 5, 8, 8), 3),
        ),
        pad_id=0,
        bos_id=0,
    )


WARNING = Problem(
    code="ATP422",
    message="1 of 3 pairs have no metric gap",
    at=Label(Span(6, 11)),
    help="corrupt something that the metric depends on",
    severity=Severity.WARNING,
)


def finished(computed: Outcome | None = None, **changes: object) -> Finished:
    verify = VerifyCall(top=4, random=2, methods=("atp",), span=NOWHERE)
    values: dict[str, object] = {
        "experiment": experiment(verify=verify),
        "pairs": pairs(),
        "outcome": outcome() if computed is None else computed,
        "model": MODEL,
        "spell": WORDS.__getitem__,
        "device": "cpu",
        "threads": 1,
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "warnings": (WARNING,),
        **changes,
    }
    return Finished(**values)  # type: ignore[arg-type]


def result(computed: Outcome | None = None, **changes: object) -> Result:
    return assemble(finished(computed, **changes))
