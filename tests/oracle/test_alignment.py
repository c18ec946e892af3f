"""Pairs whose sides differ in length, and named positions that stand elsewhere on each side.

The oracle runs single prompts, takes a node's value at the donor's index and writes it at the
base's. Which index belongs to which is written out by hand here. Tolerances are those of
`test_engine_matches_oracle`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from atpdsl.binding.nodeset import WHOLE
from atpdsl.binding.pairs import TokenPair
from atpdsl.binding.tokens.align import partner_map
from atpdsl.passes import optimize
from atpdsl.semantics.experiment import Align, Direction, MetricCall, RunSettings
from tests.engine import NOWHERE, execute, experiment, make_plan, token_pair
from tests.oracle import metrics
from tests.oracle.cases import Floats, kinds_of, node_set
from tests.oracle.families import VECTOR_KINDS
from tests.oracle.float64 import in_float64
from tests.oracle.plain import STEP, capture, edited, run
from tests.small_models import small_model

NOISING, DENOISING = Direction.NOISING, Direction.DENOISING
TOLERANCE = {"ap": {"rtol": 0, "atol": 1e-9}, "atp": {"rtol": 1e-5, "atol": 1e-8}}
FAMILIES = ("gpt2", "llama", "gemma3")
# One neuron stands for all: they differ in nothing but their number.
NEURONS = (5,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pair of prompts and, by hand, where its nodes are.

    Attributes:
        places: label -> (clean, corrupted) indices that the node covers; none: it is missing.
        reads: where the metric reads, on each side.
    """

    pair: TokenPair
    places: dict[str, tuple[tuple[int, int], ...]]
    reads: tuple[int, int]
    answers: tuple[int, ...]
    foils: tuple[int, ...]


def case(
    clean: list[int],
    corrupted: list[int],
    align: Align,
    partners: dict[int, int],
    named: dict[str, tuple[int, int]],
    *,
    answers: tuple[int, ...],
    foils: tuple[int, ...],
    anchored: int = 0,
    reads: str = "last",
) -> Case:
    """`partners`: clean -> corrupted index of every token that has a partner."""
    partner = partner_map(len(clean), len(corrupted), align, anchored)
    pair = token_pair(clean, corrupted, positions=named, partner=partner)
    pair = replace(pair, answers=answers, foils=foils)
    named = {**named, "last": (len(clean) - 1, len(corrupted) - 1)}
    numbered = {str(i): ((i, partners[i]),) if i in partners else () for i in range(8)}
    places = {
        **numbered,
        **{name: (place,) for name, place in named.items()},
        WHOLE: tuple(sorted(partners.items())),
    }
    at = (int(reads), partners[int(reads)]) if reads.isdecimal() else named[reads]
    return Case(pair=pair, places=places, reads=at, answers=answers, foils=foils)


def cases(align: Align, reads: str = "last") -> list[Case]:
    """Corrupted prompts that are longer, shorter and as long; the first two begin with BOS."""
    more = {"reads": reads}
    if align is Align.END:
        partners = (
            {0: 0, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7},
            {0: 0, 3: 1, 4: 2, 5: 3, 6: 4},
            {0: 0, 1: 1, 2: 2, 3: 3, 4: 4},
        )
    else:
        partners = (
            {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5},
            {0: 0, 1: 1, 2: 2, 3: 3, 4: 4},
            {0: 0, 1: 1, 2: 2, 3: 3, 4: 4},
        )
    return [
        case(
            [0, 11, 23, 7, 42, 5],
            [0, 11, 23, 8, 9, 7, 42, 6],
            align,
            partners[0],
            # `S` is in the equal prefix of the clean prompt only, `T` in that of both sides.
            {"S": (1, 5), "T": (2, 2), "M": (4, 6)},
            answers=(4, 12, 9),
            foils=(30,),
            anchored=1,
            **more,
        ),
        case(
            [0, 19, 3, 3, 8, 51, 20],
            [0, 19, 30, 3, 51],
            align,
            partners[1],
            {"S": (3, 2), "M": (5, 3)},
            answers=(17,),
            foils=(33, 2),
            anchored=1,
            **more,
        ),
        case(
            [2, 2, 31, 8, 60],
            [2, 2, 9, 8, 60],
            align,
            partners[2],
            {"S": (2, 2), "T": (1, 3), "M": (4, 3)},
            answers=(25, 26),
            foils=(50, 51),
            **more,
        ),
    ]


LABELS = (*map(str, range(8)), "S", "T", "last")


def by_hand(name: str, one: Case, model: nn.Module, side: int) -> metrics.Metric:
    """A metric that reads its own position of one side."""
    make = {
        "logit_diff": lambda: metrics.logit_diff([one.answers], [one.foils]),
        "prob_diff": lambda: metrics.prob_diff([one.answers], [one.foils]),
        "nll": lambda: metrics.nll([one.answers]),
        "kl": lambda: metrics.kl(
            run(model, torch.tensor([one.pair.clean]))[:, : one.reads[0] + 1]
        ),
    }[name]()
    return lambda logits: make(logits[..., : one.reads[side] + 1, :])


def expected(
    model: nn.Module,
    one: Case,
    kind: str,
    labels: tuple[str, ...],
    *,
    method: str,
    direction: Direction,
    metric: str,
) -> Floats:
    """[layer, index, label], nan where the pair lacks the node."""
    noising = direction is NOISING
    clean, corrupted = (torch.tensor([t]) for t in (one.pair.clean, one.pair.corrupted))
    base, donor = (clean, corrupted) if noising else (corrupted, clean)
    measure = by_hand(metric, one, model, 0 if noising else 1)
    start, given = capture(model, base), capture(model, donor)
    plain = measure(run(model, base))
    layers = sorted(layer for name, layer in start if name == kind)
    indices = indices_of(kind, start[kind, 0])
    found = np.full((len(layers), len(indices), len(labels)), np.nan)
    sides = (0, 1) if noising else (1, 0)
    # One row of the run for each node that there is.
    rows = [
        (index, n, [(place[sides[0]], place[sides[1]]) for place in one.places[label]])
        for index in range(len(indices))
        for n, label in enumerate(labels)
        if one.places.get(label)
    ]
    for layer in layers:
        before, after = (a[kind, layer][0] for a in (start, given))

        def at(t: float, layer: int = layer, before: Tensor = before, after: Tensor = after):
            """The metric with each row's node on its way from base (0) to donor (1)."""

            def edit(activation: Tensor) -> None:
                for row, (index, _, places) in enumerate(rows):
                    unit = () if kind in VECTOR_KINDS else (indices[index],)
                    for to, source in places:
                        step = after[(source, *unit)] - before[(to, *unit)]
                        activation[(row, to, *unit)] = before[(to, *unit)] + t * step

            with edited(model, kind, layer, edit):
                logits = run(model, base.repeat(len(rows), 1))
            return measure(logits[:, None])[:, 0]

        values = at(1.0) - plain if method == "ap" else derivative(at)
        for (index, n, _), value in zip(rows, values.tolist(), strict=True):
            found[layers.index(layer), index, n] = value
    return found


def derivative(at: Callable[[float], Tensor], h: float = STEP) -> Tensor:
    """At 0, by the central rule of five points."""
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def indices_of(kind: str, activation: Tensor) -> tuple[int, ...]:
    if kind == "neurons":
        return NEURONS
    return (0,) if kind in VECTOR_KINDS else tuple(range(activation.shape[2]))


@cache
def the_model(family: str) -> nn.Module:
    return small_model(family)


def engine(
    model: nn.Module,
    some: list[Case],
    kinds: list[str],
    labels: tuple[str, ...],
    *,
    method: str,
    direction: Direction,
    metric: str,
    reads: str = "last",
    batch: int | None = None,
) -> dict[str, Floats]:
    """Kind -> [pair, layer, index, label]."""
    sets = [node_set(model, kind, labels) for kind in kinds]
    sets = [replace(s, indices=NEURONS) if s.kind == "neurons" else s for s in sets]
    asked = experiment(
        methods=((method, direction),), run=RunSettings(per_pair=True, batch=batch)
    )
    asked = replace(asked, metric=MetricCall(name=metric, position=reads, span=NOWHERE))
    outcome = execute(model, optimize(make_plan([one.pair for one in some], sets, asked)))
    kept = outcome.methods[0].per_pair
    assert kept is not None
    return dict(zip(kinds, kept, strict=True))


def check(family: str, kinds: list[str] | None, labels: tuple[str, ...], align: Align, **how):
    model = the_model(family)
    with in_float64(model):
        some = cases(align, how.get("reads", "last"))
        kinds = kinds or kinds_of(model)
        found = engine(model, some, kinds, labels, **how)
        how.pop("reads", None)
        how.pop("batch", None)
        for kind in kinds:
            for number, one in enumerate(some):
                by_oracle = expected(model, one, kind, labels, **how)
                np.testing.assert_allclose(
                    found[kind][number],
                    by_oracle,
                    **TOLERANCE[how["method"]],
                    err_msg=f"{kind}, pair {number}",
                )
            assert np.nanmax(np.abs(found[kind])) > 1e-3, kind


ALIGNMENTS = pytest.mark.parametrize("align", [Align.END, Align.START], ids=str)
DIRECTIONS = pytest.mark.parametrize("direction", [NOISING, DENOISING], ids=str)
METHODS = pytest.mark.parametrize("method", ["ap", "atp"])


@pytest.mark.slow
@METHODS
@DIRECTIONS
@ALIGNMENTS
@pytest.mark.parametrize("family", FAMILIES)
def test_every_node_of_a_pair_of_unequal_lengths_agrees(family, align, direction, method):
    check(family, None, LABELS, align, method=method, direction=direction, metric="logit_diff")


@METHODS
@DIRECTIONS
@ALIGNMENTS
@pytest.mark.parametrize("family", FAMILIES)
def test_a_whole_sequence_covers_the_positions_with_partners(family, align, direction, method):
    check(family, None, (WHOLE,), align, method=method, direction=direction, metric="nll")


@METHODS
@DIRECTIONS
@pytest.mark.parametrize("metric", ["logit_diff", "prob_diff", "nll", "kl"])
@pytest.mark.parametrize("reads", ["M", "3"])
def test_a_metric_in_the_middle_reads_each_sides_own_index(reads, metric, direction, method):
    """With several answers, at a named position and at a numbered one."""
    if metric == "kl" and (method, direction) == ("atp", NOISING):
        pytest.skip("the derivative is zero by definition")
    how = {"method": method, "direction": direction, "metric": metric, "reads": reads}
    check("llama", ["heads.k", "heads.q", "resid.mid", "mlp"], LABELS, Align.END, **how)


@METHODS
@DIRECTIONS
@pytest.mark.parametrize("reads", ["M", "3"])
def test_nodes_after_the_metric_have_no_effect(reads, direction, method):
    model = the_model("gpt2")
    some = cases(Align.END, reads)
    how = {"method": method, "direction": direction, "metric": "logit_diff", "reads": reads}
    with in_float64(model):
        found = engine(model, some, ["resid.pre", "heads.v"], LABELS, **how)
    side = 0 if direction is NOISING else 1
    for table in found.values():
        for number, one in enumerate(some):
            for n, label in enumerate(LABELS):
                places = one.places.get(label, ())
                if places and places[0][side] > one.reads[side]:
                    assert np.abs(table[number, :, :, n]).max() < 1e-12


@METHODS
@DIRECTIONS
@ALIGNMENTS
def test_the_batch_does_not_matter_for_pairs_of_unequal_lengths(align, direction, method):
    model, some = the_model("gemma3"), cases(align)
    how = {"method": method, "direction": direction, "metric": "kl"}
    with in_float64(model):
        runs = [
            engine(model, some, ["heads.v", "resid.post"], LABELS, batch=batch, **how)
            for batch in (1, 2, 3)
        ]
    for other in runs[1:]:
        for kind, table in runs[0].items():
            np.testing.assert_allclose(other[kind], table, rtol=0, atol=1e-12)
