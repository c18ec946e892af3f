"""A run with every diagnostic, by the numbers of its single pairs: what columns are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import (
    AT_RANDOM,
    BY_BOUND,
    Arms,
    BoundOutcome,
    MethodOutcome,
    Outcome,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.results.result import Result
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Column,
    Diagnosis,
    Flag,
    Number,
    Saturation,
    SubsetSampling,
    Test,
    Uncertainty,
)
from atpdsl.semantics.experiment import Direction, Experiment, MethodCall, VerifyCall
from tests.results.samples import (
    HEADS,
    KEYS,
    MLPS,
    NOWHERE,
    call,
    experiment,
    outcome,
    result,
)

SETS: tuple[NodeSet, ...] = (HEADS, KEYS, MLPS)
PAIRS = 3
NODES = sum(len(nodes) for nodes in SETS)
# Rows of the table that are queries or keys.
ATTENDING = range(len(HEADS), len(HEADS) + len(KEYS))
# The rows that were measured, why, and the two that no pair has, and one pair only.
VERIFIED = (22, 8, 5, 17, 48, 53, 30)
CHOSEN_BY = ("star", "star", "star", "star", AT_RANDOM, AT_RANDOM, BY_BOUND)
NOWHERE_AT_ALL, IN_ONE_PAIR = 3, 4


class Raw:
    """Numbers of every node in every pair, [pair, node]; nan where a pair lacks the node."""

    def __init__(self, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        shape = (PAIRS, NODES)
        self.plain = draw.normal(size=shape)
        self.fixed = self.plain.copy()
        self.fixed[:, ATTENDING] += draw.normal(size=(PAIRS, len(ATTENDING)))
        self.magnitude = np.abs(self.fixed) * draw.uniform(0.5, 2, size=shape)
        parts = draw.normal(size=(4, *shape))
        self.parts = parts + (self.fixed - parts.sum(axis=0)) / 4
        self.attention = draw.uniform(size=shape)
        self.change = draw.uniform(size=shape)
        self.exact = draw.uniform(size=shape)
        self.linear = draw.uniform(size=shape)
        self.effect = self.fixed * draw.uniform(0.2, 1.5, size=shape)
        self.effect[:, VERIFIED[:4]] *= 5
        self.direct = draw.normal(size=shape)
        self.exists = np.ones(shape, np.bool_)
        self.exists[:, NOWHERE_AT_ALL] = False
        self.exists[1:, IN_ONE_PAIR] = False

    def pairs_of(self, node: int) -> list[int]:
        return [pair for pair in range(PAIRS) if self.exists[pair, node]]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Over the pairs that have the node, node by node."""
        return np.array(
            [
                np.mean([v for v, there in zip(column, here, strict=True) if there] or [np.nan])
                for column, here in zip(values.T, self.exists.T, strict=True)
            ]
        )

    def statistics(
        self, signed: np.ndarray, magnitude: np.ndarray, extra: dict[str, np.ndarray]
    ) -> Statistics:
        """Of all nodes, as one vector."""
        more = {
            "abs_square": magnitude**2,
            "positive": (signed > 0).astype(np.float64),
            "negative": (signed < 0).astype(np.float64),
            **extra,
        }
        return Statistics(
            pairs=self.exists.sum(axis=0),
            mean=self.mean(signed),
            mean_abs=self.mean(magnitude),
            mean_square=self.mean(signed**2),
            extra={name: self.mean(values) for name, values in more.items()},
        )

    def estimates(self) -> Statistics:
        """With every number that AtP* can have beside its estimates."""
        extra = {
            "atp": np.abs(self.plain),
            "qk_fix": np.abs(self.fixed),
            "fix_change": np.abs(self.fixed - self.plain),
            "terms": np.abs(self.parts).sum(axis=0),
            "direct": self.parts[0],
            "attention": self.attention,
            "change": self.change,
            "exact": self.exact,
            "linear": self.linear,
        }
        return self.statistics(self.fixed, self.magnitude, extra)

    def kept(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.exists, values, np.nan)


def split(values: Statistics) -> tuple[Statistics, ...]:
    """Per node set; saturation is of queries and keys only."""
    parts, start = [], 0
    for nodes in SETS:
        rows = slice(start, start + len(nodes))
        start += len(nodes)
        names = set(values.extra)
        if nodes.kind != "heads.k":
            names -= {"attention", "change", "exact", "linear"}
        parts.append(
            Statistics(
                pairs=values.pairs[rows].reshape(nodes.shape),
                mean=values.mean[rows].reshape(nodes.shape),
                mean_abs=values.mean_abs[rows].reshape(nodes.shape),
                mean_square=values.mean_square[rows].reshape(nodes.shape),
                extra={n: values.extra[n][rows].reshape(nodes.shape) for n in names},
            )
        )
    return tuple(parts)


def by_set(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """[pair, node] per node set, with its shape."""
    starts = np.cumsum([len(nodes) for nodes in SETS])[:-1]
    parts = zip(np.split(values, starts, axis=1), SETS, strict=True)
    return tuple(part.reshape(PAIRS, *nodes.shape) for part, nodes in parts)


def place(row: int) -> tuple[int, int]:
    """The node set and the number in it of a row of the table."""
    for number, nodes in enumerate(SETS):
        if row < len(nodes):
            return number, row
        row -= len(nodes)
    raise IndexError(row)


def star(settings: dict[str, object] | None = None) -> MethodCall:
    return MethodCall(
        label="star",
        method="atp*",
        direction=Direction.NOISING,
        settings=settings or {"qk_fix": True, "grad_drop": "every_layer"},
        span=NOWHERE,
    )


def some_arms(seed: int = 1) -> Arms:
    """Sets of nodes without those that were verified first."""
    draw = np.random.default_rng(seed)
    candidates = np.ones(NODES, np.bool_)
    candidates[[*VERIFIED[:-1], NOWHERE_AT_ALL]] = False
    return Arms(
        with_count=np.full(NODES, 20),
        with_mean=draw.normal(size=NODES) / 10,
        with_variance=draw.uniform(0.5, 1, size=NODES),
        without_count=np.full(NODES, 980),
        without_mean=draw.normal(size=NODES) / 100,
        without_variance=draw.uniform(0.5, 1, size=NODES),
        scheme="balanced partitions",
        blocks=50,
        samples=1000,
        share=0.02,
        candidates=candidates,
        r2=0.71,
        correlation=0.86,
    )


def diagnosed(raw: Raw | None = None) -> Outcome:
    """AtP* with every diagnostic, verified with direct effects, bounded."""
    raw = raw or Raw()
    rows = list(VERIFIED)
    effects = raw.statistics(raw.effect, np.abs(raw.effect), {})
    direct = raw.statistics(raw.direct, np.abs(raw.direct), {})
    method = MethodOutcome(
        call=star(),
        exact=False,
        sets=SETS,
        statistics=split(raw.estimates()),
        per_pair=by_set(raw.kept(raw.fixed)),
        magnitudes=by_set(raw.kept(raw.magnitude)),
        note="grad_drop = every_layer, because there are only 3 pairs",
    )
    verified = VerifiedOutcome(
        labels=("star",),
        nodes=np.array([place(row) for row in rows]),
        chosen_by=CHOSEN_BY,
        statistics=chosen(effects, rows),
        population=NODES - 2,
        per_pair=raw.kept(raw.effect)[:, rows],
        direct=chosen(direct, rows),
        stopped=True,
    )
    bound = BoundOutcome(labels=("star",), direction=Direction.NOISING, arms=some_arms())
    return replace(outcome(), methods=(method,), verified=(verified,), bounds=(bound,))


def chosen(values: Statistics, rows: list[int]) -> Statistics:
    return Statistics(
        pairs=values.pairs[rows],
        mean=values.mean[rows],
        mean_abs=values.mean_abs[rows],
        mean_square=values.mean_square[rows],
        extra={name: array[rows] for name, array in values.extra.items()},
    )


def beside(computed: Outcome) -> Outcome:
    """The same with plain AtP before it, which has none of these numbers."""
    plain = outcome(SETS).methods[0]
    return replace(computed, methods=(replace(plain, call=call()), *computed.methods))


def above(quantity: str, limit: float) -> Flag:
    test = Test(operator=">", left=Column(name=quantity), right=Number(value=limit))
    return Flag(condition=test, text=f"{quantity} > {limit:g}")


EVERYTHING = Diagnosis(
    cancellation=Cancellation(flag=above("index", 5.0), direct_effect=True),
    saturation=Saturation(flag=above("disagreement", 0.5)),
    uncertainty=Uncertainty(flag=above("sign_flips", 0.25), bootstrap=200),
    subset_sampling=SubsetSampling(confidence=0.95, min_effect=0.4, span=NOWHERE),
)


def spec(diagnosis: Diagnosis = EVERYTHING) -> Experiment:
    verify = VerifyCall(top=4, random=2, methods=("star",), span=NOWHERE)
    return replace(experiment(verify=verify), methods=(star(),), diagnosis=diagnosis)


def diagnosed_result(computed: Outcome | None = None) -> Result:
    """The result of `diagnosed`."""
    return result(diagnosed() if computed is None else computed, experiment=spec())
