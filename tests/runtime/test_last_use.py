"""What runs keep is let go of as gradients are walked back, if nobody looks at it again."""

from __future__ import annotations

import pytest
import torch

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import Place
from atpdsl.runtime import execution
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.forward import Run
from atpdsl.runtime.last_use import LastUse
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, optimized, token_pair
from tests.small_models import small_model

LAYERS = (0, 1, 2)
POSITIONS = tuple(map(str, range(4)))
QUERIES = NodeSet(kind="heads.q", layers=LAYERS, indices=(0, 1), positions=POSITIONS)
MLPS = NodeSet(kind="mlp", layers=LAYERS, indices=(0,), positions=POSITIONS)
PAIRS = [token_pair([0, 2 + i, 3, 4], [0, 12 + i, 3, 14], 20 + i, 30) for i in range(3)]


class Some:
    """A contraction with places that are still to come."""

    def __init__(self, *places: Place) -> None:
        self.places = places

    def left(self) -> tuple[Place, ...]:
        return self.places


def test_what_one_contraction_still_needs_is_kept():
    low, high = Place("mlp", 0), Place("mlp", 1)
    run = Run(logits=torch.zeros(1), values={low: torch.ones(1), high: torch.ones(1)})
    run.attention = {0: None, 1: None}  # type: ignore[dict-item]

    LastUse([run], [Some(low), Some()]).release()  # type: ignore[list-item]

    assert set(run.values) == {low}
    assert set(run.attention) == {0}


@pytest.mark.parametrize("executor", ["bridge", "native"])
@pytest.mark.parametrize("verified", [0, 3])
def test_runs_end_empty_unless_they_are_patched_from_later(monkeypatch, executor, verified):
    """With the QK fix, which looks at the attention; and the numbers are the same."""
    runs: list[Run] = []
    whole = execution.Execution._last_use

    def watched(self, op, contractions):
        found = whole(self, op, contractions)
        runs.extend(found._runs)
        return found

    verify = VerifyCall(top=3, random=0, methods=("atp*",), span=NOWHERE) if verified else None
    asked = experiment(
        methods=(("atp*", Direction.NOISING),),
        settings={"qk_fix": True, "grad_drop": "every_layer"},
        verify=verify,
        run=RunSettings(batch=2, executor=executor),
    )
    model = loaded(small_model("gpt2", torch.float64))
    plan = make_plan(PAIRS, (QUERIES, MLPS), asked, model.shape)

    def results(plan):
        return EXECUTORS[executor].make().execute(plan, model, Silent()).methods[0].statistics

    kept = results(plan)  # without passes, by one batch after the other
    runs.clear()
    monkeypatch.setattr(execution.Execution, "_last_use", watched)
    found = results(optimized(plan, executor))

    assert runs
    assert all(not run.values and not run.attention for run in runs)
    for one, other in zip(found, kept, strict=True):
        assert one.mean == pytest.approx(other.mean, abs=1e-12)
        assert one.mean_abs == pytest.approx(other.mean_abs, abs=1e-12)
