"""How two results differ: what was asked for, what it was run with, the nodes' scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.problems import Problem, RunError
from atpdsl.results.method_difference import MethodDifference, compare_method
from atpdsl.results.record import Provenance, Record
from atpdsl.results.spec_difference import SpecChange, spec_changes

if TYPE_CHECKING:
    import pandas as pd

    from atpdsl.results.result import Result

# Relative change of a score up to which two runs count as the same.
TOLERANCE = 1e-6
TOP = 20
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far two results may be apart.

    Attributes:
        change: the largest relative change of a node (`MethodDifference.largest`); None for
            no limit. It also refuses nodes and methods that only one of the results has.
        overlap: the least share of the top nodes that both must have (Jaccard, 0 to 1).
        correlation: the least rank correlation.
    """

    change: float | None = TOLERANCE
    overlap: float | None = None
    correlation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something else that two results do not have alike; None where one has it not."""

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Difference:
    """How two results differ.

    Attributes:
        first, second: the results.
        spec: what the specs ask for differently.
        facts: what else is not alike: model, prompts, unpatched metric, versions, device.
        methods: the methods that were compared.
        only_first, only_second: labels of methods that were not, for the other has none.
        tolerance: how far apart they may be.
        outside: why they are further apart than that, in words; empty where they are not.
    """

    first: Result
    second: Result
    spec: tuple[SpecChange, ...]
    facts: tuple[Fact, ...]
    methods: tuple[MethodDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    tolerance: Tolerance
    outside: tuple[str, ...]

    def __repr__(self) -> str:
        how = "identical" if self.identical else "alike" if self.within else "different"
        names = f"`{self.first.record.spec.name}` and `{self.second.record.spec.name}`"
        return f"<Difference of {names}: {how}, {len(self.methods)} methods compared>"

    @property
    def identical(self) -> bool:
        """Whether all numbers of all nodes and methods are the same, bit for bit."""
        return not (self.only_first or self.only_second) and all(
            method.identical for method in self.methods
        )

    @property
    def within(self) -> bool:
        """Whether the results are within the tolerance."""
        return not self.outside

    def method(self, label: str | None = None) -> MethodDifference:
        """The comparison of one method; the first one for None.

        Raises:
            KeyError: when there is none.
        """
        for method in self.methods:
            if label is None or label in (method.label, method.first, method.second):
                return method
        raise KeyError(f"no method {label!r} was compared")

    @property
    def nodes(self) -> pd.DataFrame:
        """One row per method and node, with the scores and ranks of both results."""
        import pandas as pd

        frames = [method.frame.assign(method=method.label) for method in self.methods]
        if not frames:
            return pd.DataFrame()
        whole = pd.concat(frames, ignore_index=True)
        return whole[["method", *(name for name in whole.columns if name != "method")]]


def diff(
    first: Result,
    second: Result,
    *,
    top: int = TOP,
    tolerance: Tolerance | None = None,
    methods: Sequence[tuple[str, str]] = (),
) -> Difference:
    """Compare two results.

    Args:
        first, second: the results.
        top: how many of the best nodes to compare.
        tolerance: how far apart they may be; relative changes of 1e-6 for None.
        methods: pairs of labels, one of each result; for none, labels that both have, or the
            only method of each.

    Raises:
        RunError: when a result has no such method, or the two have none in common.
    """
    tolerance = tolerance or Tolerance()
    pairs = _pairs(first, second, methods)
    compared = tuple(
        compare_method((first.table, second.table), pair, top=top) for pair in pairs
    )
    only = _only(first, second, pairs, chosen=bool(methods))
    spec = spec_changes(first.record.spec.resolved, second.record.spec.resolved)
    return Difference(
        first=first,
        second=second,
        spec=spec,
        facts=tuple(_facts(first.record, second.record, spec)),
        methods=compared,
        only_first=only[0],
        only_second=only[1],
        tolerance=tolerance,
        outside=tuple(_outside(compared, only, tolerance)),
    )


def _pairs(
    first: Result, second: Result, methods: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Which method is compared with which."""
    if methods:
        return tuple((first.label(one), second.label(other)) for one, other in methods)
    labels = [[m.label for m in result.record.methods] for result in (first, second)]
    both = tuple((label, label) for label in labels[0] if label in labels[1])
    if both or len(labels[0]) == len(labels[1]) == 1:
        return both or ((labels[0][0], labels[1][0]),)
    known = ["; ".join(f"`{label}`" for label in side) for side in labels]
    message = f"the two results have no method in common: {known[0]} and {known[1]}"
    advice = f"choose one of each, as with `--method '{labels[0][0]}={labels[1][0]}'`"
    raise RunError([Problem(code="ATP460", message=message, help=advice)])


def _only(
    first: Result, second: Result, pairs: Sequence[tuple[str, str]], *, chosen: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels that were not compared; none where the methods were chosen."""
    if chosen:
        return (), ()
    seen = [{pair[side] for pair in pairs} for side in (0, 1)]
    one, other = (
        tuple(m.label for m in result.record.methods if m.label not in done)
        for result, done in zip((first, second), seen, strict=True)
    )
    return one, other


# ---- whether it is too much ----


def _outside(
    methods: Sequence[MethodDifference],
    only: tuple[tuple[str, ...], tuple[str, ...]],
    tolerance: Tolerance,
) -> Iterator[str]:
    if tolerance.change is not None:
        for side, labels in zip(("first", "second"), only, strict=True):
            if labels:
                yield f"only the {side} has {', '.join(labels)}"
    for method in methods:
        for reason in _too_far(method, tolerance):
            yield reason if len(methods) == 1 else f"{method.label}: {reason}"


def _too_far(method: MethodDifference, tolerance: Tolerance) -> Iterator[str]:
    """Why a method's numbers are outside the tolerance."""
    if tolerance.change is not None:
        lonely = method.only_first + method.only_second
        if lonely:
            yield f"{lonely:,} node{'s are' if lonely > 1 else ' is'} in one of the two only"
        if method.largest > tolerance.change:
            yield (
                f"the largest relative change is {method.largest:.3g}, above"
                f" {tolerance.change:g}"
            )
    if tolerance.overlap is not None and method.jaccard < tolerance.overlap:
        yield (
            f"the top {method.top} overlap by {method.jaccard:.2f}, below {tolerance.overlap:g}"
        )
    least = tolerance.correlation
    if least is not None and not method.identical:
        if method.correlation is None:
            yield "there is no rank correlation: too few different scores"
        elif method.correlation < least:
            yield f"the rank correlation is {method.correlation:.3f}, below {least:g}"


# ---- what else is not alike ----


def _facts(first: Record, second: Record, spec: Sequence[SpecChange]) -> Iterator[Fact]:
    """What differs beside the spec; what the spec says differently is not said again."""
    said = {change.name for change in spec}
    for name, one, other in _values(first, second):
        if one != other and name not in said:
            yield Fact(name=name, first=one, second=other)
    yield from _prompts(first, second)


def _values(first: Record, second: Record) -> Iterator[tuple[str, str | None, str | None]]:
    sides = [
        {**_made_with(record.provenance), **_point(record), **_unpatched(record)}
        for record in (first, second)
    ]
    for name in dict.fromkeys(name for side in sides for name in side):
        yield name, sides[0].get(name), sides[1].get(name)


def _made_with(provenance: Provenance) -> dict[str, str | None]:
    model, shape = provenance.model, provenance.model.shape
    size = f"{shape.n_layers} layers of {shape.n_heads} heads, {shape.architecture}"
    return {
        "model: name": model.name,
        "model: from": model.kind,
        "model: revision": model.revision,
        "model: shape": size,
        "model: weights": model.weights_sha256[:_DIGITS],
        "model: tokenizer": model.tokenizer_sha256[:_DIGITS],
        "model: dtype": provenance.dtype,
        "run: executor": provenance.executor,
        "run: device": provenance.device,
        "run: seed": str(provenance.seed),
        "run: deterministic": "on" if provenance.deterministic else "off",
        **{f"version: {name}": value for name, value in provenance.versions.items()},
    }


def _point(record: Record) -> dict[str, str | None]:
    return {f"sweep: {name}": value for name, value in record.spec.point.items()}


def _unpatched(record: Record) -> dict[str, str | None]:
    metric = record.metric
    sides = {"clean": metric.clean, "corrupted": metric.corrupted}
    means = {
        f"metric: {side}": None if value is None else f"{value:.6g}"
        for side, value in sides.items()
    }
    return {**means, "metric: unit of effects": metric.effect_unit}


def _prompts(first: Record, second: Record) -> Iterator[Fact]:
    """How many pairs are not the same tokens."""
    sides = [[(p.clean.ids, p.corrupted.ids) for p in r.pairs] for r in (first, second)]
    if len(sides[0]) != len(sides[1]):
        one, other = (str(len(side)) for side in sides)
        yield Fact(name="prompts: pairs", first=one, second=other)
        return
    others = sum(one != other for one, other in zip(*sides, strict=True))
    if others:
        changed = f"{others} of them are others"
        yield Fact(name="prompts: pairs", first=str(len(sides[0])), second=changed)
