"""The tasks of the library on SmolLM2-135M: does a real model know them?"""

from __future__ import annotations

import pytest

import atpdsl
from tests.task_files.test_tasks import SETS, TWO_DIGITS, spec

TASKS = [one for one in SETS if one != TWO_DIGITS]
# In these the corrupted prompt only takes away what tells the answer: which side of `vs` the
# model then prefers is not said.
UNTOLD = {("ioi", "abc"), ("induction", "unseen"), ("docstring", "random_doc")}

# A model of this size expects "a" whatever comes; the fruit moves it, but not across.
BIASED = {("a_an", "a_an")}


@pytest.mark.real_model
@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("task", TASKS, ids="-".join)
def test_a_real_model_knows_the_task(tmp_path, task):
    result = atpdsl.run(spec(tmp_path, "smollm2", task), out=tmp_path / "out")
    metric = result.record.metric

    assert metric.clean is not None
    assert metric.corrupted is not None
    assert metric.clean > 0 or task in BIASED
    one_sided = task in UNTOLD | BIASED
    assert metric.corrupted < (metric.clean if one_sided else 0.5 * metric.clean)
