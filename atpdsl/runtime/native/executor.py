"""The executor on our own forward and backward: the fastest, for families that we know."""

from __future__ import annotations

from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native.engine import native_engines


class NativeExecutor:
    """Runs a plan on a model's weights, without its modules."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`.

        Raises:
            RunError: as `interpret`.
            UnknownModelError: for a model that there is no native code for.
        """
        if model is None:
            raise ValueError("the native executor needs a model")
        return interpret(plan, native_engines(model), progress)
