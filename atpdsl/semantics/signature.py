"""What a named thing takes: the settings of a method or metric, with types and defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ParamType = Literal["int", "float", "bool", "word", "amount", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One setting.

    Attributes:
        type: `amount` is a number of nodes: a count (an int) or a percentage of all of them,
            which is a count once the nodes are known (`MethodCall.node_shares`). `share` is a
            part of something else, `3%` or 0.03, always a float.
        choices: the words allowed, for type `word`; empty is any.
        minimum, maximum: the smallest and largest number allowed; of an `amount`, as a count.
    """

    name: str
    type: ParamType
    default: bool | int | float | str | None
    doc: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A name with its settings, as the resolver needs it.

    Attributes:
        needs_answer, needs_foil: for metrics: whether `answer` must give a right, a wrong side.
        estimates: for methods: whether the result is an estimate, that `verify` can check.
        needs_gradient: for methods: whether the metric must have a gradient.
        differentiable: for metrics and their readings: whether there is a gradient, from which
            effects can be estimated.
    """

    name: str
    summary: str
    params: tuple[Param, ...] = ()
    needs_answer: bool = False
    needs_foil: bool = False
    estimates: bool = False
    needs_gradient: bool = False
    differentiable: bool = True

    def param(self, name: str) -> Param | None:
        """The setting called `name`, None if there is none."""
        return next((p for p in self.params if p.name == name), None)


def _no_others() -> tuple[tuple[str, str], ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every name that a spec may use, handed to the resolver by the driver.

    Attributes:
        nodes: node kind -> what its index counts (`head`, `kv_head`, `neuron`, `vector`).
        attending: the kinds that act through the softmax of attention.
        exports: file suffix (with the dot) -> format name.
        more_exports: the same of other packages, looked up where `exports` lacks one.
        executors: names allowed in `run { executor = ... }`.
        readings: what a computed metric may read of some tokens, `prob(...)`.
    """

    methods: tuple[Signature, ...]
    metrics: tuple[Signature, ...]
    nodes: tuple[tuple[str, str], ...]
    exports: tuple[tuple[str, str], ...]
    executors: tuple[str, ...]
    readings: tuple[Signature, ...] = ()
    attending: tuple[str, ...] = ()
    more_exports: Callable[[], tuple[tuple[str, str], ...]] = _no_others
