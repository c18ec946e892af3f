"""What an executor is, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.registry import Registry

if TYPE_CHECKING:
    from atpdsl.runtime.load import LoadedModel


class Step(Protocol):
    """A stage under way."""

    def advance(self, count: int) -> None:
        """Say that `count` more units are done."""
        ...


class Progress(Protocol):
    """Where an executor says how far it is."""

    def stage(self, name: str, total: int | None, unit: str) -> AbstractContextManager[Step]:
        """A stage of `total` units (None: not known), over when the context is left."""
        ...


class _Silence:
    def advance(self, count: int) -> None:
        """Say nothing."""


class Silent:
    """Progress for those who do not want to know."""

    @contextmanager
    def stage(self, name: str, total: int | None, unit: str) -> Iterator[Step]:  # noqa: ARG002
        """A stage that nobody sees."""
        yield _Silence()


class Executor(Protocol):
    """Runs plans."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`.

        Raises:
            RunError: when the model cannot do what the plan asks.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorEntry:
    """An executor by name, imported when it is chosen.

    Attributes:
        location: `module:class`; the class takes no arguments.
        needs_model: whether `execute` must be given a model.
    """

    name: str
    summary: str
    location: str
    needs_model: bool

    def make(self) -> Executor:
        """Import and make it."""
        module, _, attribute = self.location.partition(":")
        return cast(Executor, getattr(importlib.import_module(module), attribute)())


EXECUTORS = Registry(
    "executor",
    (
        ExecutorEntry(
            name="auto",
            summary="native where it agrees with the bridge on a sample, else bridge",
            location="atpdsl.runtime.auto:AutoExecutor",
            needs_model=True,
        ),
        ExecutorEntry(
            name="native",
            summary="our own forward and backward on the model's weights; the fastest",
            location="atpdsl.runtime.native.executor:NativeExecutor",
            needs_model=True,
        ),
        ExecutorEntry(
            name="bridge",
            summary="TransformerBridge hooks; works on every supported model",
            location="atpdsl.runtime.bridge:BridgeExecutor",
            needs_model=True,
        ),
        ExecutorEntry(
            name="null",
            summary="counts forwards and backwards, runs nothing",
            location="atpdsl.runtime.null:NullExecutor",
            needs_model=False,
        ),
    ),
)
