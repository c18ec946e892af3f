"""Runs and backwards that several methods ask for are one."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.passes.merge_backwards import merge_backwards
from atpdsl.passes.merge_forwards import merge_forwards
from atpdsl.planning.ops import Backward, Forward, Op
from atpdsl.planning.plan import Plan
from atpdsl.planning.rewrite import rewrite
from tests.passes.plans import PAIR, of_kind, planned


def merged(*methods: str) -> Plan:
    return merge_forwards(planned(*methods, pairs=[PAIR]))


def test_forwards_become_one_per_side_with_all_captures():
    clean, corrupted = of_kind(merged("ap", "atp"), Forward)

    assert len(of_kind(planned("ap", "atp", pairs=[PAIR]), Forward)) > 2
    assert [(place.kind, place.layer) for place in clean.captures] == [
        ("heads.z", 0),
        ("heads.z", 2),
        ("mlp", 1),
        ("mlp", 3),
    ]
    assert clean.captures == corrupted.captures


def test_gradients_are_tracked_where_anyone_needs_them():
    tracked = {op.side.value: op.tracked for op in of_kind(merged("ap", "atp"), Forward)}

    assert tracked == {"clean": True, "corrupted": False}


def test_a_merged_run_is_resumable_if_one_of_them_is():
    def resumable(op: Op) -> Op:
        return replace(op, resumable=True) if isinstance(op, Forward) and op.tracked else op

    found = merge_forwards(rewrite(planned("ap", "atp", pairs=[PAIR]), resumable))

    assert [op.resumable for op in of_kind(found, Forward)] == [True, False]


def test_a_repeated_run_is_not_merged_with_the_first():
    def again(op: Op) -> Op:
        return replace(op, again=1) if isinstance(op, Forward) and op.tracked else op

    found = merge_forwards(rewrite(planned("ap", "atp", pairs=[PAIR]), again))

    assert [(op.side.value, op.again) for op in of_kind(found, Forward)] == [
        ("clean", 0),
        ("corrupted", 0),
        ("clean", 1),
    ]


def test_backwards_become_one_that_reaches_all_places():
    (backward,) = of_kind(merge_backwards(merged("atp")), Backward)

    assert [(place.kind, place.layer) for place in backward.places] == [
        ("heads.z", 0),
        ("heads.z", 2),
        ("mlp", 1),
        ("mlp", 3),
    ]


def test_a_merged_backward_begins_where_the_first_of_them_does():
    starts = iter((2, 1))

    def begin(op: Op) -> Op:
        return replace(op, start=next(starts)) if isinstance(op, Backward) else op

    (backward,) = of_kind(merge_backwards(rewrite(merged("atp"), begin)), Backward)

    assert backward.start == 1
