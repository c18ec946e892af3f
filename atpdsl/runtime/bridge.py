"""The executor on TransformerBridge hooks: works on every supported model."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.planning.ops import Backward, Forward
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, needs_resuming
from atpdsl.runtime.attention import AttentionRule, attention_rule
from atpdsl.runtime.engine import PatchedRows
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.forward import Run, run, run_patched
from atpdsl.runtime.gradients import gradients_of
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.pullback import MOST_NUMBERS
from atpdsl.runtime.split import at_home, kept_at_home
from atpdsl.runtime.streams import LayerGradients


class BridgeExecutor:
    """Runs a plan through hooks on the model's modules."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`; one whose runs begin in the middle is made anew.

        Raises:
            RunError: as `interpret`.
        """
        if model is None:
            raise ValueError("the bridge executor needs a model")
        if needs_resuming(plan):
            plan = optimize(lower(plan.bound), BRIDGE, plan.passes)
        return interpret(plan, bridge_engines(model), progress)


def bridge_engines(model: LoadedModel) -> list[BridgeEngine]:
    """One for each device that has the model."""
    return [BridgeEngine(one) for one in model.everywhere]


class BridgeEngine:
    """A model in a `TransformerBridge`, run with hooks."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.passed = 0
        self.streams_at_once = MOST_NUMBERS

    def run(self, prompts: Prompts, op: Forward, past: Run | None) -> Run:
        """As in `Engine`."""
        if past is not None or op.start:
            raise ValueError("a bridge runs prompts from their beginning")
        self._count(prompts)
        made = run(self.model, prompts, op)
        return kept_at_home(made, self.model.device) if self.model.split else made

    def gradients(
        self,
        op: Backward,
        metric: Tensor,
        base: Run,
        *,
        more: bool,
        at_once: Halving | None = None,
    ) -> Iterator[LayerGradients]:
        """As in `Engine`."""
        found = gradients_of(op, metric, base, more=more, at_once=at_once)
        return map(self._home, found) if self.model.split else found

    def patched(self, rows: PatchedRows) -> Tensor:
        """As in `Engine`; every row is run from its beginning."""
        self._count(rows.prompts)
        logits = run_patched(self.model, rows.prompts, rows.patches).to(self.model.device)
        return logits if rows.tokens is None else logits[:, rows.tokens]

    def attention_rule(self, layer: int) -> AttentionRule:
        """As in `Engine`."""
        return attention_rule(self.model.bridge, layer)

    def _home(self, gradients: LayerGradients) -> LayerGradients:
        """Gradients of a model on several devices, where its prompts are."""
        return at_home(gradients, self.model.device)

    def _count(self, prompts: Prompts) -> None:
        self.passed += prompts.tokens.numel() * self.model.shape.n_layers
