"""Runs keep only what is read of them."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.passes import optimize
from atpdsl.passes.drop_unused_captures import drop_unused_captures
from atpdsl.planning.ops import Contract, Forward, Op, Place
from atpdsl.planning.rewrite import rewrite
from atpdsl.planning.target import BRIDGE
from atpdsl.planning.verify import verify_plan
from tests.passes.plans import PAIR, QUERIES, VERIFY, of_kind, planned


def test_captures_and_graphs_that_nobody_reads_are_dropped():
    def keep_all(op: Op) -> Op:
        if not isinstance(op, Forward):
            return op
        places = tuple(sorted({*op.captures, Place("embed", 0), Place("resid.pre", 1)}))
        return replace(
            op, captures=places, attention=(0, 1), tracked=True, segmented=True, resumable=True
        )

    plan = planned("atp", "ap", pairs=[PAIR])
    found = drop_unused_captures(rewrite(plan, keep_all))

    verify_plan(found)
    assert found == plan


def test_what_the_qk_fix_reads_is_kept():
    plan = planned(
        "atp*", settings={"qk_fix": True, "grad_drop": "every_layer"}, sets=[QUERIES]
    )
    (found, *_) = of_kind(drop_unused_captures(plan), Contract)

    assert drop_unused_captures(plan) == plan
    assert found.base.attention == found.donor.attention == (1,)
    assert found.base.segmented


def test_a_clean_run_that_nothing_patches_from_keeps_nothing():
    merged = optimize(planned("ap", pairs=[PAIR]), BRIDGE, ("merge_forwards",))
    clean, corrupted = of_kind(drop_unused_captures(merged), Forward)

    assert clean.captures == ()
    assert corrupted.captures == merged.methods[0].reductions[0].parts[0].donor.captures


def test_repeated_runs_keep_what_the_verification_reads():
    plan = optimize(planned("atp", pairs=[PAIR] * 2, verify=VERIFY, batch=1), BRIDGE)

    for run in of_kind(plan, Forward):
        if run.again:
            assert not run.tracked
            assert run.captures
