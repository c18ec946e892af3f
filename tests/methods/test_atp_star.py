"""AtP* as operations: what it asks for, what that costs, and what it settles by itself."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods.atp import FEW_PAIRS
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Drop,
    Forward,
    PatchChosen,
    PatchOn,
    PatchSets,
    Side,
    Take,
)
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.planning.schemes import Inclusions, Partitions
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Column,
    Diagnosis,
    Flag,
    Number,
    Partition,
    Saturation,
    StopWhen,
    SubsetSampling,
)
from atpdsl.semantics.diagnosis import Test as Comparison
from atpdsl.semantics.experiment import Direction, RunSettings, Setting, VerifyCall
from tests.engine import NOWHERE, experiment, make_plan, token_pair

N_LAYERS = 4
LAYERS = tuple(range(N_LAYERS))
POSITIONS = ("0", "1", "2", "3")
QUERIES = NodeSet(kind="heads.q", layers=LAYERS, indices=(0, 1), positions=POSITIONS)
OUTPUTS = NodeSet(kind="heads.z", layers=LAYERS, indices=(0, 1), positions=POSITIONS)
NEURONS = NodeSet(kind="neurons", layers=LAYERS, indices=(0, 1, 2), positions=POSITIONS)
FLAG = Flag(
    condition=Comparison(operator=">", left=Column(name="index"), right=Number(value=5.0)),
    text="index > 5",
)


def planned(
    method: str = "atp*",
    settings: Mapping[str, Setting] | None = None,
    *,
    pairs: int = 1,
    batch: int | None = None,
    verify: VerifyCall | None = None,
    diagnosis: Diagnosis | None = None,
    others: tuple[str, ...] = (),
) -> Plan:
    asked = experiment(
        methods=[(name, Direction.NOISING) for name in (method, *others)],
        settings=settings,
        diagnosis=diagnosis,
        verify=verify,
        run=RunSettings(batch=batch),
    )
    tokens = [token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8) for _ in range(pairs)]
    return optimize(make_plan(tokens, (QUERIES, OUTPUTS, NEURONS), asked))


def total(plan: Plan) -> Counts:
    return sum((counts(op, plan) for op in schedule(plan)), Counts())


STAR = {"qk_fix": True, "grad_drop": "every_layer"}
FIX = {"qk_fix": True, "grad_drop": "off"}
PLAIN = {"qk_fix": False, "grad_drop": "off"}


def test_atp_costs_two_forwards_and_one_backward_and_the_qk_fix_no_more():
    plain, fixed = (total(planned("atp", settings)) for settings in (PLAIN, FIX))

    assert plain == fixed
    assert plain == Counts(
        forward_calls=2,
        forward_sequences=2,
        backward_calls=1,
        backward_sequences=1,
        layer_backwards=N_LAYERS,
        # Two runs of four tokens, and the way back.
        forward_layers=2 * 4 * N_LAYERS,
        backward_layers=4 * N_LAYERS,
    )


@pytest.mark.parametrize(("pairs", "batch"), [(1, None), (3, 1), (3, 2)])
def test_grad_drop_costs_layer_backwards_alone(pairs, batch):
    found = total(planned(settings=STAR, pairs=pairs, batch=batch))
    plain = total(planned(settings=PLAIN, pairs=pairs, batch=batch))

    assert found.layer_backwards == pairs * N_LAYERS * (N_LAYERS + 1) // 2
    assert found.forward_sequences == plain.forward_sequences == 2 * pairs
    assert found.backward_calls == plain.backward_calls


def test_first_readers_and_the_cancellation_index_cost_no_backward():
    first = {"qk_fix": True, "grad_drop": "first_reader"}
    diagnosis = Diagnosis(cancellation=Cancellation(flag=FLAG))

    assert total(planned(settings=first)) == total(planned(settings=PLAIN))
    assert total(planned("atp", PLAIN, diagnosis=diagnosis)) == total(planned("atp", PLAIN))


def test_atp_and_atp_star_share_one_walk():
    plan = planned(settings=STAR, others=("atp",))

    backwards = [op for op in walk(plan) if isinstance(op, Backward)]
    assert len(backwards) == 1
    assert backwards[0].drops == (Drop.EVERY_LAYER,)
    assert sum(isinstance(op, Forward) for op in walk(plan)) == 2


def test_only_runs_that_need_it_are_cut_or_keep_attention():
    plain = {op.side: op for op in walk(planned("atp", PLAIN)) if isinstance(op, Forward)}
    star = {op.side: op for op in walk(planned(settings=STAR)) if isinstance(op, Forward)}

    assert not plain[Side.CLEAN].segmented
    assert plain[Side.CLEAN].attention == plain[Side.CORRUPTED].attention == ()
    assert star[Side.CLEAN].segmented
    assert not star[Side.CORRUPTED].segmented
    assert star[Side.CLEAN].attention == star[Side.CORRUPTED].attention == LAYERS


@pytest.mark.parametrize("pairs", [1, FEW_PAIRS])
def test_auto_drops_every_layer_for_few_pairs(pairs):
    plan = planned(settings={"qk_fix": True, "grad_drop": "auto"}, pairs=pairs)

    (method,) = plan.methods
    assert method.call.settings == STAR
    assert method.note.startswith("grad_drop = every_layer, because there")
    contracts = [op for op in walk(plan) if isinstance(op, Contract)]
    assert {op.drop for op in contracts} == {Drop.EVERY_LAYER}
    assert {op.nodes.kind for op in contracts if op.qk_fix} == {"heads.q"}


def test_auto_leaves_grad_drop_out_over_many_pairs_and_says_so():
    plan = planned(settings={"qk_fix": True, "grad_drop": "auto"}, pairs=FEW_PAIRS + 1)

    (method,) = plan.methods
    assert method.call.settings == FIX
    assert method.note.startswith("grad_drop = off, because 9 pairs are more than 8")


def test_auto_drops_nothing_in_a_shallow_model():
    nodes = NodeSet(kind="heads.z", layers=(0, 1, 2), indices=(0,), positions=("2",))
    asked = experiment(
        methods=[("atp*", Direction.NOISING)], settings={"qk_fix": True, "grad_drop": "auto"}
    )
    (method,) = make_plan([token_pair([0, 1, 2], [0, 1, 3], 7, 8)], (nodes,), asked).methods

    assert method.call.settings == FIX
    assert method.note.startswith("grad_drop = off, because the model has only 3 layers")


def test_what_is_written_is_not_settled_by_itself():
    (method,) = planned(settings={"qk_fix": True, "grad_drop": "on"}, pairs=20).methods

    assert method.call.settings == STAR
    assert method.note == ""


def test_saturation_is_asked_of_queries_and_keys_alone():
    diagnosis = Diagnosis(saturation=Saturation(flag=FLAG))
    contracts = [
        op
        for op in walk(planned("atp", PLAIN, diagnosis=diagnosis))
        if isinstance(op, Contract)
    ]

    assert {op.nodes.kind for op in contracts if op.saturation} == {"heads.q"}


# ---- verification and bounds ----

VERIFY = VerifyCall(top=3, random=2, methods=("atp*",), span=NOWHERE)
STOP = StopWhen(top=3, alpha=0.05, text="misses(top = 3) < 5%", span=NOWHERE)


def ops_of(plan: Plan, kind: type) -> list:
    return [op for op in walk(plan) if isinstance(op, kind)]


def test_subset_sampling_leaves_out_what_is_verified():
    diagnosis = Diagnosis(subset_sampling=SubsetSampling(samples=250, span=NOWHERE))
    plan = planned(settings=STAR, verify=VERIFY, diagnosis=diagnosis)

    (sets,) = ops_of(plan, PatchSets)
    (verification,) = plan.verifications
    assert sets.excluded == verification.chosen
    assert sets.scheme == Partitions(repetitions=3, blocks=100, seed=0)
    assert sets.predicted == plan.methods[0].reductions
    assert all(reduction.keep_pairs for reduction in plan.methods[0].reductions)


def test_independent_inclusion():
    sampling = SubsetSampling(
        samples=70, inclusion=0.03, partition=Partition.INDEPENDENT, span=NOWHERE
    )
    plan = planned(verify=VERIFY, diagnosis=Diagnosis(subset_sampling=sampling))

    (sets,) = ops_of(plan, PatchSets)
    assert sets.scheme == Inclusions(samples=70, probability=0.03, seed=0)


def test_a_sequential_verification_brings_its_bound():
    verify = VerifyCall(top=3, random=0, methods=("atp*",), stop=STOP, most=7, span=NOWHERE)
    plan = planned(verify=verify, pairs=2)

    (sets,), (more,) = ops_of(plan, PatchSets), ops_of(plan, PatchOn)
    assert more.bound == sets
    assert (more.top, more.alpha, more.most) == (3, 0.05, 7)
    assert counts(more, plan).forward_sequences == 7 * 2
    order = schedule(plan)
    chosen = plan.verifications[0].chosen
    places = [order.index(op) for op in (chosen, plan.verifications[0].effects, sets, more)]
    assert places == sorted(places)


def test_bounds_alone_measure_no_node_by_itself():
    diagnosis = Diagnosis(subset_sampling=SubsetSampling(span=NOWHERE))
    plan = planned(diagnosis=diagnosis)

    (verification,) = plan.verifications
    assert (verification.chosen.top, verification.chosen.random) == (0, 0)
    assert verification.bound is not None


def test_what_an_exact_method_measured_needs_no_bound():
    diagnosis = Diagnosis(subset_sampling=SubsetSampling(span=NOWHERE))
    plan = planned(settings=STAR, verify=VERIFY, diagnosis=diagnosis, others=("ap",))

    assert ops_of(plan, PatchSets) == []
    assert len(ops_of(plan, Take)) == 1
    assert ops_of(plan, PatchChosen) == []


def test_direct_effects_are_measured_beside_an_exact_method_too():
    diagnosis = Diagnosis(cancellation=Cancellation(flag=FLAG, direct_effect=True))
    plan = planned(settings=STAR, verify=VERIFY, diagnosis=diagnosis, others=("ap",))

    assert len(ops_of(plan, Take)) == 1
    assert all(op.frozen for op in ops_of(plan, PatchChosen))
    assert plan.verifications[0].direct is not None


def test_exact_direct_effects_hold_what_comes_after():
    diagnosis = Diagnosis(cancellation=Cancellation(flag=FLAG, direct_effect=True))
    plan = planned(settings=STAR, verify=VERIFY, diagnosis=diagnosis)

    frozen = [op for op in ops_of(plan, PatchChosen) if op.frozen]
    assert len(frozen) == 1
    kinds = {place.kind for place in frozen[0].base.forward.captures}
    assert {"attn", "mlp"} <= kinds
