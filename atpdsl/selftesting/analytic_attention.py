"""Cases of the QK fix whose answers are known: single heads of bare tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, inf

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes.attention import ATTENDING
from atpdsl.runtime.attention import AttentionRule, AttentionValues
from atpdsl.runtime.qk_fix import QueryKeyFix
from atpdsl.runtime.spots import Spots
from atpdsl.selftesting.checks import Check, Compared, judged

QUERIES, KEYS = ATTENDING
EXACT = {torch.float64: 1e-12, torch.float32: 1e-6}
SPREAD = {torch.float64: 1e-10, torch.float32: 1e-4}
"""Of the largest effect: float32 scores of some hundreds are off by 1e-5 themselves."""
SPREADS = (1.0, 10.0, 200.0)
LENGTH, WIDTH = 12, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One causal attention head, scores = query . key.

    Attributes:
        query, key, value, gradient: [pos, d]; the gradient is that of the metric by z.
        patched: of `kind`, [pos, d]: the donor's queries or keys.
    """

    kind: str
    query: Tensor
    key: Tensor
    value: Tensor
    gradient: Tensor
    patched: Tensor


def attention_cases(dtype: torch.dtype, device: str) -> Iterator[Check]:
    """The QK fix in one precision, on one device."""
    exact = list(_saturated(dtype, device))
    for kind in ATTENDING:
        mine = [one for one in exact if one[0] == kind]
        compared = [Compared(name, found, expected) for _, name, found, expected in mine]
        allowed = EXACT[dtype]
        yield judged("QK fix, saturated", kind, compared, relative=allowed, rounding=0)
    for spread in SPREADS:
        for kind in ATTENDING:
            head = _random(kind, spread)
            found, expected = _fixed(head, dtype, device), _by_brute_force(head)
            compared = [
                Compared(f"position {at}", float(found[at]), float(expected[at]))
                for at in range(LENGTH)
            ]
            name = f"QK fix, scores of spread {spread:.0f}"
            yield judged(name, kind, compared, relative=SPREAD[dtype], rounding=0)


def _saturated(dtype: torch.dtype, device: str) -> Iterator[tuple[str, str, float, float]]:
    """(kind, name, found, expected) where a gradient sees nothing, or too much."""
    column = _column

    def query(before: float, after: float) -> float:
        head = Head(
            kind=QUERIES,
            query=column(0, before),
            key=column(1, 0),
            value=column(1, 0),
            gradient=column(0, 1),
            patched=column(0, after),
        )
        return float(_fixed(head, dtype, device)[1])

    yield QUERIES, "from 20 to -20", query(20, -20), _sigmoid(-20) - _sigmoid(20)
    yield QUERIES, "from 0 to 8", query(0, 8), _sigmoid(8) - 0.5
    three = Head(
        kind=KEYS,
        query=column(1, 1, 1),
        key=column(30, 0, 0),
        value=column(1, 0, 0),
        gradient=column(1, 1, 1),
        patched=column(-30, 0, 0),
    )
    # Row 0 sees key 0 alone, so nothing happens there.
    rows = sum(1 / (1 + n * exp(30)) - 1 / (1 + n * exp(-30)) for n in (1, 2))
    yield KEYS, "key 0 from 30 to -30", float(_fixed(three, dtype, device)[0]), rows
    two = Head(
        kind=KEYS,
        query=column(1, 1),
        key=column(30, 0),
        value=column(1, -1),
        gradient=column(0, 1),
        patched=column(-30, 0),
    )
    expected = 2 * (_sigmoid(-30) - _sigmoid(30))
    yield KEYS, "two opposite values", float(_fixed(two, dtype, device)[0]), expected


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def _column(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


def _random(kind: str, spread: float) -> Head:
    """Scores and their changes with a standard deviation of `spread`."""
    generator = torch.Generator().manual_seed(round(spread))

    def draw(scale: float = 1.0) -> Tensor:
        return scale * torch.randn(LENGTH, WIDTH, generator=generator, dtype=torch.float64)

    factor = (spread / WIDTH**0.5) ** 0.5
    return Head(
        kind=kind,
        query=draw(factor),
        key=draw(factor),
        value=draw(),
        gradient=draw(),
        patched=draw(factor),
    )


def _fixed(head: Head, dtype: torch.dtype, device: str) -> Tensor:
    """The engine's estimates, [pos]."""

    def as_run(tensor: Tensor) -> Tensor:
        return tensor.to(device, dtype)[None, :, None, :]

    length = len(head.query)
    base = AttentionValues(
        query=as_run(head.query),
        key=as_run(head.key),
        value=as_run(head.value),
        output=as_run(head.value),
        scores=(head.query @ head.key.T)
        .masked_fill(_later(length), -inf)[None, None]
        .to(device, dtype),
    )
    patched = as_run(head.patched)
    donor = AttentionValues(
        query=patched if head.kind == QUERIES else base.query,
        key=patched if head.kind == KEYS else base.key,
        value=base.value,
        output=base.output,
    )
    nodes = NodeSet(
        kind=head.kind, layers=(0,), indices=(0,), positions=tuple(map(str, range(length)))
    )
    fix = QueryKeyFix(base, donor, AttentionRule(scale=1.0), nodes, _every_spot(length))
    return fix.estimates(as_run(head.gradient)[None])[0, 0, 0].double().cpu()


def _every_spot(length: int) -> Spots:
    at = np.arange(length)[None, :, None]
    entries = np.ones_like(at, dtype=bool)
    labels = entries[..., 0]
    return Spots(
        base=at,
        donor=at,
        covers=entries,
        patched=entries,
        exists=labels,
        live=labels,
        live_last=labels,
    )


def _later(length: int) -> Tensor:
    """Which keys a query does not see."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


def _by_brute_force(head: Head) -> Tensor:
    """The sum over queries of (new output - output) . gradient, by a softmax per position."""

    def outputs(query: Tensor, key: Tensor) -> Tensor:
        scores = (query @ key.T).masked_fill(_later(len(query)), -inf)
        return scores.softmax(-1) @ head.value

    before = outputs(head.query, head.key)
    found = []
    for at in range(len(head.query)):
        query, key = head.query.clone(), head.key.clone()
        (query if head.kind == QUERIES else key)[at] = head.patched[at]
        found.append(((outputs(query, key) - before) * head.gradient).sum())
    return torch.stack(found)
