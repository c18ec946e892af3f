"""Plans: counts, schedule, merging, the law."""

from __future__ import annotations

import dataclasses

import networkx
import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts, plan_rows
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Forward,
    PatchChosen,
    PatchSweep,
    Reduce,
    Select,
    Side,
    Take,
    operands,
)
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.planning.rewrite import rewrite
from atpdsl.planning.verify import BrokenPlanError, verify_plan
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, make_plan, token_pair

HEADS = NodeSet(
    kind="heads.z", layers=(0, 1, 2), indices=(0, 1, 2, 3), positions=("0", "1", "2", "3")
)
MLPS = NodeSet(kind="mlp", layers=(0, 1, 2), indices=(0,), positions=("last",))
NOISING, DENOISING = Direction.NOISING, Direction.DENOISING
VERIFY = VerifyCall(top=3, random=2, methods=("atp",), span=NOWHERE)
PAIRS = [token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8) for _ in range(5)]


def planned(*methods: tuple[str, Direction], verify: VerifyCall | None = None) -> Plan:
    asked = experiment(methods=methods, verify=verify, run=RunSettings(batch=2))
    return make_plan(PAIRS, (HEADS, MLPS), asked)


def total(plan: Plan) -> Counts:
    result = Counts()
    for op in schedule(plan):
        result += counts(op, plan)
    return result


def test_atp_costs_two_forwards_and_one_backward_per_batch():
    plan = optimize(planned(("atp", NOISING)))

    assert total(plan) == Counts(
        forward_calls=6,
        forward_sequences=10,
        backward_calls=3,
        backward_sequences=5,
        layer_backwards=15,
        # Two runs of five prompts of four tokens through three layers, and one way back.
        forward_layers=2 * 5 * 4 * 3,
        backward_layers=5 * 4 * 3,
    )


def test_methods_and_node_kinds_share_the_unpatched_runs():
    plan = optimize(planned(("atp", NOISING), ("ap", NOISING), ("ap", DENOISING)))

    forwards = [op for op in walk(plan) if isinstance(op, Forward)]
    assert len(forwards) == 6
    assert len({(op.batch, op.side) for op in forwards}) == 6


def test_without_passes_each_node_kind_asks_for_runs_of_its_own():
    plan = planned(("atp", NOISING))

    assert sum(isinstance(op, Backward) for op in walk(plan)) == 6
    assert sum(isinstance(op, Backward) for op in walk(optimize(plan))) == 3


def test_estimates_in_both_directions_take_one_backward_each():
    plan = optimize(planned(("atp", NOISING), ("atp", DENOISING)))

    assert total(plan).backward_calls == 6
    assert total(plan).forward_calls == 6


def test_a_sweep_costs_one_row_for_every_node_that_can_matter():
    plan = optimize(planned(("ap", NOISING)))

    sweeps = [op for op in walk(plan) if isinstance(op, PatchSweep)]
    rows = sum(counts(op, plan).forward_sequences for op in sweeps)
    # Positions 0 and 1 come before the difference: 2 of 4 remain for heads, `last` for MLPs.
    # In the last layer only the position that is read matters.
    assert rows == 5 * (2 * 4 * 2 + 4 * 1 + 3 * 1)


def test_verification_takes_its_numbers_from_an_exhaustive_method_over_the_same_nodes():
    plan = optimize(planned(("atp", NOISING), ("ap", NOISING), verify=VERIFY))

    assert not any(isinstance(op, PatchChosen) for op in walk(plan))
    assert any(isinstance(op, Take) for op in walk(plan))


def test_an_exhaustive_method_in_the_other_direction_does_not_verify():
    plan = optimize(planned(("atp", NOISING), ("ap", DENOISING), verify=VERIFY))

    assert any(isinstance(op, PatchChosen) for op in walk(plan))


def test_the_schedule_puts_operands_first_and_the_choice_after_all_estimates():
    plan = optimize(planned(("atp", NOISING), verify=VERIFY))
    order = schedule(plan)
    place = {op: i for i, op in enumerate(order)}

    assert all(place[operand] < place[op] for op in order for operand in operands(op))
    select = next(i for i, op in enumerate(order) if isinstance(op, Select))
    assert all(place[op] < select for op in order if isinstance(op, Contract))


def test_the_schedule_finishes_a_batch_before_the_next():
    plan = optimize(planned(("atp", NOISING), ("ap", NOISING)))

    batches = [op.batch for op in schedule(plan) if isinstance(op, Forward)]
    assert batches == sorted(batches)


def test_a_plan_is_a_networkx_graph_without_cycles():
    plan = optimize(planned(("atp", NOISING), verify=VERIFY))
    graph = plan.to_networkx()

    assert networkx.is_directed_acyclic_graph(graph)
    assert graph.number_of_nodes() == len(schedule(plan))
    kinds = {data["op"] for _, data in graph.nodes(data=True)}
    assert {"Forward", "Backward", "Contract", "PatchChosen", "Select", "Reduce"} <= kinds


def test_the_rows_of_a_plan_say_which_counts_are_bounds():
    rows = plan_rows(optimize(planned(("atp", NOISING), verify=VERIFY)))

    assert [row.stage for row in rows] == ["activations", "gradients", "verification"]
    assert [row.at_most for row in rows] == [False, False, True]
    assert rows[2].counts.forward_sequences == 5 * 5


def test_rewriting_with_the_identity_gives_an_equal_plan():
    plan = planned(("atp", NOISING), ("ap", DENOISING), verify=VERIFY)

    assert rewrite(plan, lambda op: op) == plan


def test_a_gradient_of_an_untracked_run_breaks_the_law():
    plan = planned(("atp", NOISING))

    def untrack(op):
        return dataclasses.replace(op, tracked=False) if isinstance(op, Forward) else op

    with pytest.raises(BrokenPlanError, match="does not track gradients"):
        verify_plan(rewrite(plan, untrack))


def test_a_run_that_does_not_capture_what_is_patched_breaks_the_law():
    plan = planned(("ap", NOISING))

    def forget(op):
        return dataclasses.replace(op, captures=()) if isinstance(op, Forward) else op

    with pytest.raises(BrokenPlanError, match="does not capture"):
        verify_plan(rewrite(plan, forget))


def test_patching_a_run_with_itself_breaks_the_law():
    plan = planned(("ap", NOISING))

    def confuse(op):
        return dataclasses.replace(op, side=Side.CLEAN) if isinstance(op, Forward) else op

    with pytest.raises(BrokenPlanError, match="same run"):
        verify_plan(rewrite(plan, confuse))


def test_reducing_nothing_breaks_the_law():
    plan = planned(("ap", NOISING))

    def empty(op):
        return dataclasses.replace(op, parts=()) if isinstance(op, Reduce) else op

    with pytest.raises(BrokenPlanError, match="nothing to reduce"):
        verify_plan(rewrite(plan, empty))
