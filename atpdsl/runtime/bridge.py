"""The executor on TransformerBridge hooks: works on every supported model."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from atpdsl.planning.ops import Backward, Forward
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.runtime.attention import AttentionRule, attention_rule
from atpdsl.runtime.engine import PatchedRows
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.forward import Run, run, run_patched
from atpdsl.runtime.gradients import gradients_of
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.streams import LayerGradients


class BridgeExecutor:
    """Runs a plan through hooks on the model's modules."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`.

        Raises:
            RunError: as `interpret`.
        """
        if model is None:
            raise ValueError("the bridge executor needs a model")
        return interpret(plan, BridgeEngine(model), progress)


class BridgeEngine:
    """A model in a `TransformerBridge`, run with hooks."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.passed = 0

    def run(self, prompts: Prompts, op: Forward, past: Run | None) -> Run:
        """As in `Engine`."""
        if past is not None or op.start:
            raise ValueError("a bridge runs prompts from their beginning")
        self._count(prompts)
        return run(self.model, prompts, op)

    def gradients(
        self, op: Backward, metric: Tensor, base: Run, *, more: bool
    ) -> Iterator[LayerGradients]:
        """As in `Engine`."""
        return gradients_of(op, metric, base, more=more)

    def patched(self, rows: PatchedRows) -> Tensor:
        """As in `Engine`; every row is run from its beginning."""
        self._count(rows.prompts)
        logits = run_patched(self.model, rows.prompts, rows.patches)
        return logits if rows.tokens is None else logits[:, rows.tokens]

    def attention_rule(self, layer: int) -> AttentionRule:
        """As in `Engine`."""
        return attention_rule(self.model.bridge, layer)

    def _count(self, prompts: Prompts) -> None:
        self.passed += prompts.tokens.numel() * self.model.shape.n_layers
