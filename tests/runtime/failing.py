"""Engines that run out of memory when a test wants them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch import Tensor

from atpdsl.planning.ops import Backward, Forward
from atpdsl.planning.outcome import Outcome
from atpdsl.runtime.attention import AttentionRule
from atpdsl.runtime.engine import Engine, PatchedRows
from atpdsl.runtime.forward import Run
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.streams import LayerGradients

Fails = Callable[[str, int], bool]
"""(what is run, on how many rows) -> whether memory runs out."""


class Failing:
    """An engine with little memory.

    Attributes:
        failed: what has failed, with how many rows, in order.
        called: how often the engine was called.
    """

    def __init__(self, engine: Engine, fails: Fails) -> None:
        self._engine, self._fails = engine, fails
        self.model, self.streams_at_once = engine.model, engine.streams_at_once
        self.failed: list[tuple[str, int]] = []
        self.called = 0

    @property
    def passed(self) -> int:
        return self._engine.passed

    def run(self, prompts: Prompts, op: Forward, past: Run | None) -> Run:
        self._tried("run", len(prompts.tokens))
        return self._engine.run(prompts, op, past)

    def gradients(
        self,
        op: Backward,
        metric: Tensor,
        base: Run,
        *,
        more: bool,
        at_once: Halving | None = None,
    ) -> Iterator[LayerGradients]:
        for found in self._engine.gradients(op, metric, base, more=more, at_once=at_once):
            # In the middle of a walk.
            self._tried("gradients", len(metric))
            yield found

    def patched(self, rows: PatchedRows) -> Tensor:
        self._tried("patched", len(rows.pair))
        return self._engine.patched(rows)

    def attention_rule(self, layer: int) -> AttentionRule:
        return self._engine.attention_rule(layer)

    def _tried(self, what: str, rows: int) -> None:
        self.called += 1
        if self._fails(what, rows):
            self.failed.append((what, rows))
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")


def at_call(number: int) -> Fails:
    """Once, at the call of that number."""
    count = iter(range(1_000_000))
    return lambda _what, _rows: next(count) == number


def above(most: int, *kinds: str) -> Fails:
    """Always, with more rows than so many."""
    return lambda what, rows: what in kinds and rows > most


def assert_same(one: Outcome, other: Outcome, *, atol: float = 1e-11) -> None:
    """Two outcomes have the same numbers."""

    def close(found: Any, expected: Any) -> None:
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)

    close(one.clean_metric, other.clean_metric)
    close(one.corrupted_metric, other.corrupted_metric)
    for mine, theirs in zip(one.methods, other.methods, strict=True):
        for a, b in zip(mine.per_pair or (), theirs.per_pair or (), strict=True):
            close(a, b)
        for a, b in zip(mine.statistics, theirs.statistics, strict=True):
            np.testing.assert_array_equal(a.pairs, b.pairs)
            close(a.mean, b.mean)
            close(a.mean_abs, b.mean_abs)
            assert set(a.extra) == set(b.extra)
            # A node without an effect has the sign of its rounding.
            for name in set(a.extra) - {"positive", "negative"}:
                close(a.extra[name], b.extra[name])
    for mine, theirs in zip(one.verified, other.verified, strict=True):
        np.testing.assert_array_equal(mine.nodes, theirs.nodes)
        close(mine.statistics.mean, theirs.statistics.mean)
        if mine.direct is not None and theirs.direct is not None:
            close(mine.direct.mean, theirs.direct.mean)
    for mine, theirs in zip(one.bounds, other.bounds, strict=True):
        close(mine.arms.with_mean, theirs.arms.with_mean)
        close(mine.arms.without_mean, theirs.arms.without_mean)
