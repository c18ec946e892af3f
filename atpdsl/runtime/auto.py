"""The executor that takes the native one where it can, and the bridge otherwise."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.memory import out_of_memory
from atpdsl.runtime.native.agreement import checked_engine
from atpdsl.runtime.native.engine import NativeEngine, native_engines


class AutoExecutor:
    """Runs a plan natively if the model's numbers are the bridge's, else through the bridge."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`; the outcome says who did, and why.

        Raises:
            RunError: as `interpret`.
        """
        if model is None:
            raise ValueError("the executor needs a model")
        engine, reason = _checked(model)
        if engine is not None:
            return replace(interpret(plan, native_engines(model), progress), executor="native")
        outcome = BridgeExecutor().execute(plan, model, progress)
        return replace(outcome, executor="bridge", executor_note=reason)


def _checked(model: LoadedModel) -> tuple[NativeEngine | None, str]:
    try:
        return checked_engine(model)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
    return None, "there is not enough memory to compare the native executor with it"
