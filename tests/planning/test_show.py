"""A plan as text."""

from __future__ import annotations

import pytest

from atpdsl.passes import optimize
from atpdsl.planning.show import show_plan
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.semantics.diagnosis import Diagnosis, SubsetSampling
from tests.engine import NOWHERE
from tests.passes.plans import HEADS, LATER, PAIR, VERIFY, planned


def test_operations_stand_in_the_order_in_which_they_run():
    plan = optimize(planned("atp", pairs=[PAIR], sets=[HEADS]), BRIDGE)

    assert show_plan(plan).splitlines() == [
        "batch 0, 1 pair",
        "  f0  forward clean; tracked; keeps heads.z 0 2",
        "  m0  measure f0",
        "  f1  forward corrupted; keeps heads.z 0 2",
        "  m1  measure f1",
        "  b0  backward m0 f0; heads.z 0 2",
        "  c0  contract f0 f1 b0; heads.z 0 2 (2 x 2 x 4 nodes); skip equal prefix; skip",
        "        unreachable",
        "all batches",
        "  r0  reduce c0",
    ]


def test_batches_that_are_alike_stand_there_once():
    plan = optimize(planned("atp", pairs=[PAIR] * 6, verify=VERIFY, batch=2), BRIDGE)
    headings = [line for line in show_plan(plan).splitlines() if not line.startswith(" ")]

    assert headings == [
        "batch 0..2, 2 pairs each",
        "all batches",
        "batch 0..2, 2 pairs each",
        "all batches",
    ]
    assert "forward corrupted again" in show_plan(plan)


def test_batches_that_differ_stand_apart():
    plan = optimize(planned("atp", pairs=[LATER, PAIR, PAIR], batch=1), NATIVE)
    text = show_plan(plan)

    assert "batch 0..1, 1 pair each" in text
    assert "batch 2, 1 pair" in text
    assert "forward corrupted f0; from position 2 on" in text
    assert "forward corrupted f0; from position 3 on" in text


@pytest.mark.parametrize("passes", [None, ()])
def test_lines_fit_into_a_terminal(passes):
    plan = planned(
        "atp*",
        "ap",
        "hierarchical",
        settings={
            "qk_fix": True,
            "grad_drop": "every_layer",
            "levels": 2,
            "branching": 3,
            "most": None,
        },
        verify=VERIFY,
        diagnosis=Diagnosis(subset_sampling=SubsetSampling(span=NOWHERE)),
        batch=1,
    )
    text = show_plan(optimize(plan, NATIVE, passes))

    assert max(map(len, text.splitlines())) <= 80
    assert "by tree" in text
