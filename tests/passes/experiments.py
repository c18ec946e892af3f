"""Random experiments for any family: plans before their passes, for executors to agree on."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.outcome import BY_BOUND, Outcome, Statistics, VerifiedOutcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.positions import MISSING
from atpdsl.runtime.load import LoadedModel
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Column,
    Diagnosis,
    Flag,
    Number,
    Saturation,
    StopWhen,
    SubsetSampling,
)
from atpdsl.semantics.diagnosis import Test as Condition
from atpdsl.semantics.experiment import Direction, MetricCall, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, token_pair
from tests.small_models import D_MLP, GROUPED, N_HEADS, N_KV_HEADS, N_LAYERS, PARALLEL
from tests.small_models import small_model as random_small_model

TOKENS = st.integers(min_value=1, max_value=60)
FLAG = Flag(
    condition=Condition(operator=">", left=Column(name="x"), right=Number(value=0.9)),
    text="x > 0.9",
)
DIRECTIONS = st.sampled_from(list(Direction))
DROPS = ("off", "every_layer", "every_sublayer", "first_reader")
# Kinds whose nodes may be one and the same: then rounding decides which is the larger.
TWINS = (("embed", "resid.pre"), ("resid.pre", "resid.post"), ("embed", "resid.post"))


@cache
def model_of(family: str) -> LoadedModel:
    """One small model per family, in float64; nobody changes it."""
    return loaded(random_small_model(family))


@st.composite
def pairs(draw: Any, *, unequal: bool = False) -> TokenPair:
    """Prompts that agree up to somewhere, maybe to their end; answers and a few names.

    Args:
        unequal: the corrupted prompt may be longer by a token that has no partner.
    """
    clean = draw(st.lists(TOKENS, min_size=2, max_size=8))
    same = draw(st.integers(0, len(clean)))
    changed = [
        draw(TOKENS) if i >= same and draw(st.booleans()) else token
        for i, token in enumerate(clean)
    ]
    length = len(clean) + 1
    partner = list(range(length))
    if unequal and draw(st.booleans()):
        at = draw(st.integers(1, length - 1))
        changed.insert(at - 1, draw(TOKENS))
        partner = [*range(at), *range(at + 1, length + 1)]
        if draw(st.booleans()):
            partner[draw(st.integers(at, length - 1))] = MISSING
    # A name may stand at another index on each side; the metric may read before the end.
    place = st.integers(0, length - 1)
    return token_pair(
        [0, *clean],
        [0, *changed],
        draw(TOKENS),
        draw(TOKENS),
        {"S": (draw(place), draw(place)), "read": (draw(place), draw(place))},
        partner,
    )


def units(kind: str, family: str) -> int:
    """How many indices a kind has in the small models."""
    return {
        Unit.HEAD: N_HEADS,
        Unit.KV_HEAD: N_KV_HEADS if family in GROUPED else N_HEADS,
        Unit.NEURON: D_MLP,
        Unit.VECTOR: 1,
    }[NODE_KINDS[kind].unit]


@st.composite
def node_sets(draw: Any, family: str) -> list[NodeSet]:
    """Up to three sets, none of whose nodes is surely the same as one of another set."""
    known = [k.name for k in NODE_KINDS if not (k.sequential_only and family in PARALLEL)]
    kinds = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    for one, other in TWINS:
        if {one, other} <= set(kinds):
            kinds.remove(one)
    return [_node_set(draw, kind, family) for kind in kinds]


def _node_set(draw: Any, kind: str, family: str) -> NodeSet:
    most = N_LAYERS if NODE_KINDS[kind].layered else 1
    layers = draw(st.sets(st.integers(0, most - 1), min_size=1))
    indices = draw(st.sets(st.integers(0, units(kind, family) - 1), min_size=1, max_size=3))
    every = tuple(map(str, range(9)))
    positions = st.sampled_from(
        [("last", "S"), ("0", "1", "2"), ("2", "3", "4", "5"), every, ("S", "1"), (WHOLE,)]
    )
    return NodeSet(
        kind=kind,
        layers=tuple(sorted(layers)),
        indices=tuple(sorted(indices)),
        positions=draw(positions),
    )


@st.composite
def plans(draw: Any, family: str) -> Plan:
    """Plans of up to three methods, with diagnostics and verifications."""
    names = st.sampled_from(["ap", "atp", "atp*"])
    methods = draw(st.lists(st.tuples(names, DIRECTIONS), min_size=1, max_size=3, unique=True))
    estimates = tuple(f"{m}{i}" if i else m for i, (m, _) in enumerate(methods) if m != "ap")
    # Where the clean run is patched the divergence from it is flat: estimates are rounding.
    flat = any(m != "ap" and d is Direction.NOISING for m, d in methods)
    reference = () if flat else ("kl",)
    unequal = draw(st.booleans())
    asked = experiment(
        metric=MetricCall(
            name=draw(st.sampled_from(["logit_diff", "prob_diff", "nll", *reference])),
            position=draw(st.sampled_from(["last", "read"])),
            span=NOWHERE,
        ),
        methods=methods,
        settings={"qk_fix": draw(st.booleans()), "grad_drop": draw(st.sampled_from(DROPS))},
        diagnosis=_diagnosis(draw, bounds=bool(estimates)),
        verify=_verification(draw, estimates),
        run=RunSettings(per_pair=True, batch=draw(st.sampled_from([None, 1, 2, 3]))),
    )
    given = draw(st.lists(pairs(unequal=unequal), min_size=1, max_size=4))
    return make_plan(given, draw(node_sets(family)), asked, model_of(family).shape)


def _diagnosis(draw: Any, *, bounds: bool) -> Diagnosis:
    direct = draw(st.booleans())
    sampling = SubsetSampling(samples=12, inclusion=0.3, span=NOWHERE)
    return Diagnosis(
        cancellation=draw(
            st.sampled_from([None, Cancellation(flag=FLAG, direct_effect=direct)])
        ),
        saturation=draw(st.sampled_from([None, Saturation(flag=FLAG)])),
        subset_sampling=sampling if bounds and draw(st.integers(0, 3)) == 0 else None,
    )


def _verification(draw: Any, estimates: tuple[str, ...]) -> VerifyCall | None:
    if not estimates or not draw(st.booleans()):
        return None
    stop = StopWhen(top=2, alpha=0.05, text="misses(top = 2) < 5%", span=NOWHERE)
    return VerifyCall(
        top=draw(st.integers(0, 3)),
        random=draw(st.integers(1, 4)),
        methods=estimates,
        stop=stop if draw(st.integers(0, 3)) == 0 else None,
        most=6,
        span=NOWHERE,
    )


def assert_same(one: Outcome, other: Outcome, atol: float = 1e-9) -> None:
    """Every number of two outcomes agrees, and so does what was chosen by them."""
    np.testing.assert_allclose(one.clean_metric, other.clean_metric, atol=atol)
    np.testing.assert_allclose(one.corrupted_metric, other.corrupted_metric, atol=atol)
    for a, b in zip(one.methods, other.methods, strict=True):
        _assert_close(a.per_pair, b.per_pair, atol)
        _assert_close(a.magnitudes, b.magnitudes, atol)
        for x, y in zip(a.statistics, b.statistics, strict=True):
            _assert_same_statistics(x, y, atol)
    for a, b in zip(one.verified, other.verified, strict=True):
        if not _differ_by_rounding(a, b, one, atol):
            _assert_same_verified(a, b, atol)
    for a, b in zip(one.bounds, other.bounds, strict=True):
        np.testing.assert_array_equal(a.arms.candidates, b.arms.candidates)
        np.testing.assert_array_equal(a.arms.with_count, b.arms.with_count)
        for name in ("with_mean", "with_variance", "without_mean", "without_variance"):
            found = getattr(a.arms, name), getattr(b.arms, name)
            np.testing.assert_allclose(*found, atol=atol, err_msg=name)


def _differ_by_rounding(
    a: VerifiedOutcome, b: VerifiedOutcome, of: Outcome, atol: float
) -> bool:
    """Whether other nodes were chosen because estimates are equal but for rounding."""
    both = list(zip(_by_estimate(a), _by_estimate(b), strict=False))
    estimates = [m.statistics for m in of.methods if m.call.label in a.labels]
    return any(
        abs(found[i].mean_abs.flat[one] - found[j].mean_abs.flat[other]) < atol
        for found in estimates
        for (i, one), (j, other) in both
        if (i, one) != (j, other)
    )


def _by_estimate(verified: VerifiedOutcome) -> list[tuple[int, int]]:
    """The nodes but those that a sequential verification goes on with."""
    chosen = zip(verified.nodes, verified.chosen_by, strict=True)
    return [(int(i), int(flat)) for (i, flat), by in chosen if by != BY_BOUND]


def _assert_same_verified(a: VerifiedOutcome, b: VerifiedOutcome, atol: float) -> None:
    """The same of all nodes that both measured; bounds are often equal but for rounding."""
    assert _by_estimate(a) == _by_estimate(b)
    assert (a.labels, a.population) == (b.labels, b.population)
    assert (a.direct is None, a.per_pair is None) == (b.direct is None, b.per_pair is None)
    where = [{tuple(node): n for n, node in enumerate(v.nodes.tolist())} for v in (a, b)]
    common = sorted(where[0].keys() & where[1].keys())
    here, there = ([table[node] for node in common] for table in where)
    pairs = [(a.statistics, b.statistics), (a.direct, b.direct)]
    for one, other in pairs:
        if one is None or other is None:
            continue
        np.testing.assert_array_equal(one.pairs[here], other.pairs[there])
        for name in ("mean", "mean_abs", "mean_square"):
            found = getattr(one, name)[here], getattr(other, name)[there]
            np.testing.assert_allclose(*found, atol=atol, err_msg=name)
    if a.per_pair is not None and b.per_pair is not None:
        np.testing.assert_allclose(a.per_pair[:, here], b.per_pair[:, there], atol=atol)


def _assert_same_statistics(one: Statistics, other: Statistics, atol: float) -> None:
    np.testing.assert_array_equal(one.pairs, other.pairs)
    for name in ("mean", "mean_abs", "mean_square"):
        found = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(*found, atol=atol, err_msg=name)
    assert set(one.extra) == set(other.extra)
    # A node without an effect has the sign of its rounding.
    for name in set(one.extra) - {"positive", "negative"}:
        np.testing.assert_allclose(one.extra[name], other.extra[name], atol=atol, err_msg=name)


def _assert_close(one: Any, other: Any, atol: float) -> None:
    assert (one is None) == (other is None)
    for x, y in zip(one or (), other or (), strict=True):
        if x is not None:
            np.testing.assert_allclose(x, y, atol=atol)
