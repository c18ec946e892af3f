from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.exports import export
from atpdsl.planning.outcome import VerifiedOutcome
from atpdsl.results.columns import schema
from atpdsl.results.names import node_id, set_member, short_name
from atpdsl.results.scores import best, encodable, ranks, rows, score_table
from tests.results.samples import EMBED, HEADS, KEYS, MLPS, call, outcome, result, statistics


def test_there_is_one_row_per_node_and_method():
    table = score_table(outcome(exact=True), {})

    assert len(table) == 2 * (len(HEADS) + len(KEYS) + len(MLPS))
    assert table.schema.equals(schema(["disagreement"]))


def test_rows_come_in_the_order_of_the_node_sets():
    frame = result().scores
    named = [
        (row.kind, row.layer, row.index, row.position)
        for row in rows(score_table(outcome(), {}))
    ]

    expected = [
        (nodes.kind, *set_member(nodes, flat))
        for nodes in (HEADS, KEYS, MLPS)
        for flat in range(len(nodes))
    ]
    assert named == expected
    assert list(frame["position"][:6]) == ["0", "1", "2", "3", "4", "5"]


def test_an_estimate_is_the_mean_of_absolutes_and_signed_is_the_mean():
    computed = outcome()
    row = next(rows(score_table(computed, {})))

    assert row.estimate == computed.methods[0].statistics[0].mean_abs[0, 0, 0]
    assert row.signed == computed.methods[0].statistics[0].mean[0, 0, 0]
    assert (row.effect, row.effect_abs, row.verified) == (None, None, False)


def test_an_exact_method_has_effects_and_no_estimates():
    computed = outcome(exact=True)
    row = list(rows(score_table(computed, {})))[56]

    assert row.method == "ap"
    assert (row.estimate, row.signed, row.verified) == (None, None, True)
    assert row.effect == computed.methods[1].statistics[0].mean[0, 0, 0]
    assert row.effect_abs == row.score == computed.methods[1].statistics[0].mean_abs[0, 0, 0]


def test_a_verified_node_is_scored_by_its_effect_and_keeps_its_estimate():
    named = {
        node_id(r.kind, r.layer, r.index, r.position): r
        for r in rows(score_table(outcome(), {}))
    }

    verified = named["heads.z.L0.H3@4"]
    assert verified.verified
    assert verified.effect == pytest.approx(-2.2 / 3)
    assert verified.effect_abs == verified.score == 2.2
    assert verified.estimate == pytest.approx(0.665, abs=1e-3)
    assert sum(row.verified for row in named.values()) == 6


def test_verification_reaches_nodes_of_every_set():
    verified = [r for r in rows(score_table(outcome(), {})) if r.verified]

    assert {(r.kind, r.position) for r in verified} >= {("heads.k", "2"), ("mlp", "last")}


def test_kinds_without_layers_or_units_have_nulls_there():
    table = score_table(outcome([EMBED, MLPS], verified=()), {})
    embedding, mlp = next(rows(table)), list(rows(table))[1]

    assert (embedding.layer, embedding.index, embedding.position) == (None, None, "sequence")
    assert (mlp.layer, mlp.index) == (0, None)


def test_a_node_that_no_pair_has_has_no_score_and_no_rank():
    values = np.full(MLPS.shape, np.nan)
    values[0, 0, 0] = 2.0
    computed = outcome([MLPS], verified=())
    method = computed.methods[0]
    holed = replace(computed, methods=(replace(method, statistics=(statistics(values),)),))
    first, second, *_ = rows(score_table(holed, {}))

    assert (first.score, first.rank, first.pairs) == (2.0, 1, 3)
    assert (second.score, second.rank, second.pairs) == (None, None, 0)


def test_ranks_begin_at_one_and_ties_keep_the_order_of_the_nodes():
    assert ranks(np.array([1.0, 3.0, np.nan, 3.0])).tolist() == [3, 1, -1, 2]


def test_ranks_count_within_each_method():
    frame = result(outcome(exact=True)).scores

    assert frame.groupby("method")["rank"].min().tolist() == [1, 1]
    assert frame.groupby("method")["rank"].max().tolist() == [56, 56]


def test_the_best_nodes_come_first_without_a_pass_through_python():
    table = score_table(outcome(), {})
    found = [row.rank for row in rows(best(table, "atp", 5))]

    assert found == [1, 2, 3, 4, 5]


def test_a_position_shows_the_clean_token_of_the_first_pair_that_has_it():
    frame = result().scores.set_index("position")

    assert frame.loc["2", "token"].iloc[0] == " Mary"
    assert frame.loc["S2", "token"].iloc[0] == " John"


def test_whole_prompts_have_no_token():
    assert result(outcome([EMBED], verified=())).scores["token"].isna().all()


def test_lone_surrogates_do_not_stop_the_table():
    assert encodable("a\ud800b") == "a�b"
    assert (
        score_table(outcome([MLPS], verified=()), {"S2": "\udfff"})["token"][0].as_py() == "�"
    )


def test_half_a_million_nodes_are_flattened_without_an_object_for_each():
    positions = tuple(str(i) for i in range(15))
    nodes = NodeSet(
        kind="neurons", layers=tuple(range(12)), indices=tuple(range(3072)), positions=positions
    )
    computed = outcome([nodes], verified=())
    calls = []
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    table = score_table(computed, dict.fromkeys(positions, " a"))
    sys.setprofile(None)

    assert len(table) == 552_960
    assert len(calls) < 10_000


def test_an_estimate_has_the_effects_that_an_exhaustive_method_measured():
    table = score_table(outcome(exact=True, verified=()), {})
    estimates, truth = (table.filter(pc.field("method") == name) for name in ("atp", "ap"))

    assert estimates["effect"] == truth["effect"]
    assert estimates["effect_abs"] == truth["effect_abs"]
    assert estimates["verified"].to_pylist() == [True] * len(estimates)
    assert estimates["estimate"].null_count == 0


def test_an_exhaustive_method_in_the_other_direction_measures_nothing_for_an_estimate():
    computed = outcome(exact=True, verified=())
    estimating, exact = computed.methods
    other = replace(exact, call=call("ap", "ap", "denoising"))
    table = score_table(replace(computed, methods=(estimating, other)), {})

    assert table.filter(pc.field("method") == "atp")["effect"].null_count == len(table) // 2


def test_the_frame_has_plain_strings_and_whole_numbers():
    frame = result().scores

    assert str(frame["layer"].dtype) == "Int32"
    assert frame["kind"].iloc[0] == "heads.z"
    assert pa.Table.from_pandas(frame).num_rows == 56


@pytest.mark.parametrize(
    ("kind", "layer", "index", "position", "expected"),
    [
        ("heads.z", 9, 6, "14", "heads.z.L9.H6@14"),
        ("mlp", 3, None, "S2", "mlp.L3@S2"),
        ("heads.k", 2, 1, "5", "heads.k.L2.KV1@5"),
        ("neurons", 0, 513, "last", "neurons.L0.N513@last"),
        ("embed", None, None, "sequence", "embed@sequence"),
    ],
)
def test_names_of_nodes_are_stable(kind, layer, index, position, expected):
    assert node_id(kind, layer, index, position) == expected


def test_names_for_people_have_no_position():
    assert short_name("heads.z", 9, 6) == "heads.z L9H6"
    assert short_name("embed", None, None) == "embed"


def by_pair(exact: bool) -> pa.Table:
    computed = outcome([MLPS, EMBED], exact=exact, verified=())
    values = np.arange(3 * 5, dtype=np.float64).reshape(3, 5)
    values[2, 1] = np.nan
    parts = (values[:, :4].reshape(3, *MLPS.shape), values[:, 4:].reshape(3, *EMBED.shape))
    verified = VerifiedOutcome(
        labels=("atp",),
        nodes=np.array([[1, 0]]),
        chosen_by=("atp",),
        statistics=statistics(np.array([2.0])),
        population=5,
        per_pair=np.array([[7.0], [8.0], [np.nan]]),
    )
    methods = tuple(replace(method, per_pair=parts) for method in computed.methods)
    return score_table(replace(computed, methods=methods, verified=(verified,)), {})


def test_single_pairs_are_kept_where_the_run_kept_them():
    table = by_pair(exact=False)

    assert table.schema.equals(schema(["disagreement"], 3))
    assert table["signed_by_pair"].to_pylist()[:2] == [[0.0, 5.0, 10.0], [1.0, 6.0, None]]
    assert table["effect_by_pair"].to_pylist() == [*[None] * 4, [7.0, 8.0, None]]


def test_single_pairs_of_exact_methods_are_effects():
    table = by_pair(exact=True)

    assert table["signed_by_pair"].to_pylist()[5:] == [None] * 5
    assert table["effect_by_pair"].to_pylist()[5] == [0.0, 5.0, 10.0]


def test_single_pairs_survive_saving_and_are_left_out_of_csv(tmp_path):
    kept = replace(result(), table=by_pair(exact=False))
    kept = replace(kept, record=result(outcome([MLPS, EMBED], verified=())).record)
    kept.save(tmp_path / "ioi")
    loaded = type(kept).load(tmp_path / "ioi")
    export(loaded, tmp_path / "ioi.csv")

    assert loaded.table.equals(kept.table)
    assert loaded.scores["signed_by_pair"][0].tolist() == [0.0, 5.0, 10.0]
    assert "by_pair" not in (tmp_path / "ioi.csv").read_text()
