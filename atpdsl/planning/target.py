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


def target_of(bound: Bound, executor: str | None = None) -> Target:
    """What runs an experiment; `executor` is a name instead of the experiment's."""
    asked = bound.experiment.run.executor if executor is None else executor
    native = bound.shape.family in NATIVE_FAMILIES and asked in _NATIVE_EXECUTORS
    return NATIVE if native else BRIDGE


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
