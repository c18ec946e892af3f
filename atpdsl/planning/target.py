"""What the executor of a plan can do, as far as passes have to know it."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.bind import Bound
from atpdsl.planning.ops import Forward, PatchChosen, PatchOn, PatchSets, PatchSweep
from atpdsl.planning.plan import Plan, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An executor, as passes see it.

    Attributes:
        resumes: runs can begin in the middle, at a layer and a position, with the residual
            stream, keys and values of another run.
    """

    name: str
    resumes: bool


BRIDGE = Target(name="bridge", resumes=False)
NATIVE = Target(name="native", resumes=True)

NATIVE_FAMILIES = ("gpt2", "neox", "llama", "gemma3")
"""Families of models (`ModelShape.family`) that the native executor runs."""
_NATIVE_EXECUTORS = ("auto", "native", "null")
NATIVE_BY_DEFAULT = True
"""Whether plans that name no target are made for the executor that would run them."""


def target_of(plan: Plan, executor: str | None = None) -> Target:
    """The target that a plan is run on; `executor` is a name instead of the experiment's."""
    return _target(plan.bound, executor)


def _target(bound: Bound, executor: str | None) -> Target:
    asked = bound.experiment.run.executor if executor is None else executor
    native = bound.shape.family in NATIVE_FAMILIES and asked in _NATIVE_EXECUTORS
    return NATIVE if native else BRIDGE


def default_target(plan: Plan, executor: str | None = None) -> Target:
    """The target of a plan where none is named."""
    return default_target_of(plan.bound, executor)


def default_target_of(bound: Bound, executor: str | None = None) -> Target:
    """The target of an experiment's plans where none is named."""
    return _target(bound, executor) if NATIVE_BY_DEFAULT else BRIDGE


def needs_resuming(plan: Plan) -> bool:
    """Whether only an executor that resumes runs can run the plan."""
    for op in walk(plan):
        match op:
            case Forward(past=past):
                resumed = past is not None
            case PatchSweep() | PatchChosen() | PatchSets() | PatchOn():
                resumed = op.incremental
            case _:
                resumed = False
        if resumed:
            return True
    return False
