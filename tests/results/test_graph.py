from __future__ import annotations

from dataclasses import replace

import networkx
import pyarrow.compute as pc
import pytest

from atpdsl.problems import RunError
from atpdsl.results.names import node_id
from atpdsl.results.scores import rows
from tests.results.raw import diagnosed_result
from tests.results.samples import EMBED, HEADS, KEYS, MLPS, experiment, outcome, result


def test_all_measured_nodes_are_drawn_and_the_best_others():
    graph = result().circuit(keep=10)
    verified = [n for n, facts in graph.nodes(data=True) if facts["verified"]]

    assert len(graph) == 10 + 2
    assert len(verified) == 6
    assert "mlp.L0@last" in verified


def test_nodes_are_filled_up_in_the_order_of_their_scores():
    top = result().top(10)
    graph = result().circuit(keep=8)
    others = [n for n, facts in graph.nodes(data=True) if facts["verified"] is False]

    unmeasured = top[~top["verified"]].head(2)
    assert sorted(
        graph.nodes[n]["rank"] for n in others if n not in ("input", "logits")
    ) == list(unmeasured["rank"])


def test_all_measured_nodes_are_kept_even_if_they_are_more_than_wanted():
    assert len(result().circuit(keep=2)) == 6 + 2


def test_of_an_exact_method_the_best_are_drawn():
    graph = result(outcome(exact=True)).circuit(method="ap", keep=5)

    assert len(graph) == 5 + 2
    assert sorted(
        facts["rank"] for n, facts in graph.nodes(data=True) if n not in ("input", "logits")
    ) == [1, 2, 3, 4, 5]


def test_nodes_have_the_columns_of_the_scores():
    facts = result().graph.nodes["heads.z.L0.H3@4"]

    assert facts["kind"] == "heads.z"
    assert (facts["layer"], facts["index"], facts["position"]) == (0, 3, "4")
    assert facts["effect"] == pytest.approx(-2.2 / 3)
    assert facts["effect_abs"] == facts["score"] == 2.2
    assert facts["verified"] is True
    assert (facts["token"], facts["token_index"]) == (" John", 4)
    assert facts["method"] == "atp"


def test_flags_say_what_to_be_careful_about():
    graph = result().circuit(keep=100)

    assert "missed" in graph.nodes["heads.k.L1.KV0@2"]["flags"]
    assert "signs-cancel" in graph.nodes["heads.z.L0.H3@4"]["flags"]
    assert "index-varies" in graph.nodes["mlp.L0@S2"]["flags"]
    assert "index-varies" not in graph.nodes["mlp.L0@last"]["flags"]
    assert "token-varies" in graph.nodes["mlp.L0@last"]["flags"]
    assert graph.nodes["heads.z.L0.H2@0"]["flags"] == []


def test_named_positions_meet_indices_where_the_first_pair_has_them():
    graph = result().circuit(keep=100)

    assert graph.has_edge("heads.z.L0.H0@4", "mlp.L0@S2")
    assert not graph.has_edge("heads.z.L0.H0@3", "mlp.L0@S2")
    assert graph.has_edge("heads.z.L0.H0@5", "mlp.L1@last")


def test_edges_say_how():
    graph = result().circuit(keep=100)

    assert graph.edges["heads.k.L1.KV0@2", "heads.z.L1.H1@4", "k"]["via"] == "attention"
    assert not graph.has_edge("heads.k.L1.KV0@2", "heads.z.L1.H2@4")
    assert graph.edges["heads.z.L0.H0@5", "mlp.L1@last", "mlp"]["via"] == "stream"


def ways(graph, source, target):
    return {key: facts["through"] for key, facts in graph[source][target].items()}


def test_edges_say_what_of_the_target_reads_the_source():
    graph = result().circuit(keep=100)

    assert ways(graph, "heads.k.L1.KV0@2", "heads.z.L1.H1@4") == {"k": "k"}
    assert ways(graph, "heads.z.L0.H0@5", "mlp.L1@last") == {"mlp": "mlp"}
    assert ways(graph, "heads.z.L1.H0@5", "logits") == {"logits": "logits"}


def test_a_head_reads_the_stream_in_every_way_that_the_run_has_no_nodes_for():
    graph = result().circuit(keep=100)

    # There are key nodes, but neither queries nor values.
    assert set(ways(graph, "heads.z.L0.H0@5", "heads.z.L1.H1@5")) == {"q", "v"}
    assert set(ways(graph, "heads.z.L0.H0@3", "heads.z.L1.H1@5")) == {"v"}
    assert set(ways(graph, "heads.z.L0.H0@2", "heads.k.L1.KV0@2")) == {"k"}


def test_an_edge_weighs_as_much_as_its_lighter_end_and_says_so():
    graph = result().circuit(keep=100)

    for source, target, facts in graph.edges(data=True):
        scores = [graph.nodes[n]["score"] for n in (source, target)]
        known = [score for score in scores if score is not None]
        assert facts["weight"] == (min(known) if known else None)
        assert facts["weight_from"] == "nodes"


def test_nodes_on_no_way_from_the_input_to_the_logits_can_be_pruned():
    whole = result().circuit(keep=100)
    pruned = result().circuit(keep=100, prune=True)

    dangling = {n for n in whole if not networkx.has_path(whole, n, "logits")}
    dangling |= {n for n in whole if not networkx.has_path(whole, "input", n)}
    assert dangling
    assert set(whole) - set(pruned) == dangling
    assert (whole.graph["pruned"], pruned.graph["pruned"]) == (0, len(dangling))


def test_the_graph_has_no_cycles():
    sets = (HEADS, KEYS, MLPS, EMBED)

    assert networkx.is_directed_acyclic_graph(
        result(outcome(sets, verified=())).circuit(keep=100)
    )


def test_everything_begins_at_the_input_and_ends_at_the_logits():
    graph = result().circuit(keep=100)

    assert graph.in_degree("input") == graph.out_degree("logits") == 0
    assert graph.has_edge("input", "heads.z.L0.H0@0")
    assert graph.has_edge("heads.z.L1.H0@5", "logits")
    assert not graph.has_edge("heads.z.L1.H0@4", "logits")
    assert not graph.has_edge("heads.k.L1.KV0@4", "logits")
    assert networkx.has_path(graph, "input", "logits")


def test_with_embedding_nodes_the_input_is_read_through_them():
    graph = result(outcome([HEADS, EMBED], verified=())).circuit(keep=100)

    assert list(graph.successors("input")) == ["embed@sequence"]


def test_the_graph_says_what_it_is_of():
    facts = result().graph.graph

    assert facts["schema"] == "atpdsl/graph/3"
    assert (facts["method"], facts["model"], facts["metric"]) == ("atp", "tiny", "logit_diff")
    assert facts["weights_sha256"] == result().record.provenance.model.weights_sha256
    assert facts["seed"] == result().record.provenance.seed


def test_an_unknown_method_is_a_problem():
    with pytest.raises(RunError, match="no method `aptp`") as error:
        result().circuit(method="aptp")

    assert error.value.problems[0].code == "ATP446"
    assert error.value.problems[0].help == "it has `atp`"


def test_a_metric_may_stand_at_a_numbered_position():
    asked = experiment(verify=None)
    asked = replace(asked, metric=replace(asked.metric, position="4"))
    graph = result(experiment=asked).graph

    assert graph.nodes["logits"]["token_index"] == 4
    assert graph.has_edge("heads.z.L0.H3@4", "logits")
    assert not graph.has_edge("heads.z.L1.H0@5", "logits")


# ---- diagnostics ----


def test_nodes_have_every_column_of_the_scores():
    found = diagnosed_result()
    drawn = {n: facts for n, facts in found.graph.nodes(data=True) if facts["rank"]}
    lists = {"signed_by_pair", "effect_by_pair", "flags"}

    for facts in drawn.values():
        (row,) = found.table.filter(pc.equal(found.table["rank"], facts["rank"])).to_pylist()
        assert {name: facts[name] for name in row if name not in lists} == {
            name: value for name, value in row.items() if name not in lists
        }


def test_the_ends_have_the_same_attributes_as_the_nodes():
    graph = diagnosed_result().graph

    assert len({frozenset(facts) for _, facts in graph.nodes(data=True)}) == 1


def test_flags_of_the_scores_are_flags_of_the_graph():
    found = diagnosed_result()
    said = {
        node_id(row.kind, row.layer, row.index, row.position): row.flags
        for row in rows(found.table)
    }
    for node, facts in found.graph.nodes(data=True):
        words = [
            f for f in facts["flags"] if f in ("cancellation", "saturation", "uncertainty")
        ]
        assert words == list(said.get(node, ()))
    assert any(said.values())


def test_nodes_that_were_not_measured_have_their_bound():
    found = diagnosed_result()
    graph = found.circuit(keep=100)
    (bound,) = found.record.bounds

    assert bound.confidence == 0.95
    for facts in (facts for _, facts in graph.nodes(data=True) if facts["rank"]):
        assert facts["upper"] == facts["upper_95"]
        assert (facts["upper"] is None) is facts["verified"]
        large = facts["upper"] is not None and facts["upper"] >= bound.min_effect
        assert ("not-excluded" in facts["flags"]) is large
    assert bound.asked.not_excluded == len(
        [1 for _, facts in graph.nodes(data=True) if "not-excluded" in facts["flags"]]
    )


def test_without_bounds_there_is_no_attribute_for_them():
    assert "upper" not in result().graph.nodes["heads.z.L0.H3@4"]
