from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import atpdsl
from atpdsl.problems import RunError
from atpdsl.results.columns import SCHEMA, schema
from atpdsl.results.difference import Tolerance, diff
from atpdsl.results.joined_nodes import join
from atpdsl.results.method_difference import compare_method
from atpdsl.results.result import Result
from tests.results.raw import diagnosed_result
from tests.results.samples import EMBED, HEADS, MLPS, outcome, result


def table(
    rows: dict[tuple[str, int | None, int | None, str], float], **signs: float
) -> pa.Table:
    """Scores of a method `atp` by node; `signs` turns the signed value of a position."""
    order = sorted(rows.values(), reverse=True)
    columns = {name: pa.nulls(len(rows), field.type) for name, field in fields()}
    score = list(rows.values())
    columns |= {
        "method": pa.array(["atp"] * len(rows)).dictionary_encode(),
        "kind": pa.array([node[0] for node in rows]).dictionary_encode(),
        "layer": pa.array([node[1] for node in rows], pa.int32()),
        "index": pa.array([node[2] for node in rows], pa.int32()),
        "position": pa.array([node[3] for node in rows]).dictionary_encode(),
        "score": pa.array(score, pa.float64()),
        "signed": pa.array(
            [one * signs.get(node[3], 1.0) for node, one in rows.items()], pa.float64()
        ),
        "rank": pa.array([order.index(one) + 1 for one in score], pa.int32()),
        "verified": pa.array([False] * len(rows)),
    }
    return pa.table([columns[name] for name in SCHEMA.names], schema=schema())


def fields():
    return ((field.name, field) for field in SCHEMA)


def mlp(layer: int, position: str) -> tuple[str, int, None, str]:
    return ("mlp", layer, None, position)


FIRST = {mlp(0, "a"): 4.0, mlp(0, "b"): 3.0, mlp(1, "a"): 2.0, mlp(1, "b"): 1.0}


def compared(second: dict, top: int = 2, **signs: float):
    return compare_method((table(FIRST), table(second, **signs)), ("atp", "atp"), top=top)


def other(**changes: object) -> Result:
    """The sample with another draw of its numbers."""
    return result(outcome(seed=1), **changes)


# ---- one method ----


def test_a_method_is_identical_to_itself():
    found = compared(dict(FIRST))

    assert found.identical
    assert (found.common, found.largest, found.jaccard) == (4, 0.0, 1.0)
    assert found.correlation == pytest.approx(1.0)
    assert (found.entered, found.left, found.flips, found.changes) == ((), (), (), ())


def test_nodes_are_matched_by_name_whatever_their_order():
    turned = dict(reversed(FIRST.items()))

    found = compared(turned)
    assert found.identical
    assert found.largest == 0


def test_who_enters_and_leaves_the_top_is_told_with_ranks_and_scores():
    found = compared({**FIRST, mlp(1, "b"): 3.5})

    assert [node.node for node in found.entered] == ["mlp.L1@b"]
    assert [node.node for node in found.left] == ["mlp.L0@b"]
    assert (found.entered[0].first_rank, found.entered[0].second_rank) == (4, 2)
    assert (found.entered[0].first_score, found.entered[0].second_score) == (1.0, 3.5)
    assert (found.shared, found.jaccard) == (1, pytest.approx(1 / 3))


def test_nodes_of_one_result_only_have_no_numbers_in_the_other():
    found = compared({mlp(0, "a"): 4.0, ("embed", None, None, "a"): 9.0})

    assert (found.common, found.only_first, found.only_second) == (1, 3, 1)
    assert [node.node for node in found.entered] == ["embed@a"]
    assert found.entered[0].first_rank is None
    assert found.entered[0].first_score is None
    assert found.left[0].second_score is None
    assert not found.identical


def test_a_sign_flips_among_the_nodes_that_matter_only():
    found = compared(dict(FIRST), b=-1.0)

    assert [node.node for node in found.flips] == ["mlp.L0@b"]
    assert found.flips[0].flips
    assert (found.flips[0].first_signed, found.flips[0].second_signed) == (3.0, -3.0)
    # The scores are the same, but not what they stand for.
    assert found.largest == pytest.approx(2.0)
    assert found.differing == ("signed",)


def test_the_largest_changes_come_first():
    found = compared({**FIRST, mlp(1, "a"): 2.5, mlp(0, "a"): 4.1})

    assert [node.node for node in found.changes] == ["mlp.L1@a", "mlp.L0@a"]
    assert found.largest == pytest.approx(0.5 / 2.5)


def test_a_change_of_next_to_nothing_is_seen_beside_the_largest_score():
    tiny = {**FIRST, mlp(1, "b"): 1e-9}
    found = compare_method(
        (table(tiny), table({**tiny, mlp(1, "b"): 2e-9})), ("atp", "atp"), top=2
    )

    assert found.largest == pytest.approx(1e-9 / 4e-3)


def test_the_rank_correlation_is_spearmans_with_ties_and_without_common_zeros():
    draw = np.random.default_rng(3)
    nodes = [mlp(layer, "a") for layer in range(60)]
    sides = [draw.integers(0, 4, 60).astype(float) for _ in range(2)]
    tables = [table(dict(zip(nodes, side, strict=True))) for side in sides]
    found = compare_method((tables[0], tables[1]), ("atp", "atp"), top=5)
    alive = (sides[0] != 0) | (sides[1] != 0)

    assert 0 < (~alive).sum() < 60
    assert found.compared == alive.sum()
    ranked = pd.DataFrame({"a": sides[0][alive], "b": sides[1][alive]}).rank()
    assert found.correlation == pytest.approx(ranked.corr().loc["a", "b"])


def test_a_score_of_zero_is_in_no_top_list():
    nothing = dict.fromkeys(FIRST, 0.0)
    found = compare_method((table(nothing), table(nothing)), ("atp", "atp"), top=3)

    assert (found.shared, found.jaccard, found.correlation) == (0, 1.0, None)
    assert found.identical


def test_nodes_without_a_score_are_nodes_of_neither():
    scores = {**FIRST, mlp(2, "a"): None}
    half = table(FIRST)
    whole = pa.concat_tables([half, half.slice(0, 1).set_column(*_no_score(half))])

    assert len(whole) == len(scores)
    assert compare_method((whole, half), ("atp", "atp"), top=2).common == 4


def _no_score(like: pa.Table):
    number = like.column_names.index("score")
    return number, like.schema.field("score"), pa.nulls(1, pa.float64())


def test_an_empty_side_has_nothing_in_common():
    found = compared({})

    assert (found.common, found.only_first, found.only_second) == (0, 4, 0)
    assert len(found.left) == 2


def test_numbers_out_of_all_proportion_do_not_collide():
    far = {
        ("neurons", layer, index, "a"): 1.0
        for layer in (0, 2**31 - 1)
        for index in (0, 2**31 - 1)
    }
    joined = join(table(far), table(dict(list(far.items())[1:])))

    assert joined.first.tolist() == [1, 2, 3]
    assert joined.second.tolist() == [0, 1, 2]
    assert joined.only_first.tolist() == [0]


def large(size: int) -> tuple[pa.Table, pa.Table]:
    """So many neurons, twice: with a little noise, and in another order."""
    parts, draw = 15, np.random.default_rng(0)
    layers, indices = np.divmod(np.arange(size) // parts, 3072)
    nothing = np.zeros(size, np.int32)
    score = np.abs(draw.normal(size=size))

    def made(scores: np.ndarray, order: np.ndarray) -> pa.Table:
        rank = np.empty(size, np.int32)
        rank[np.argsort(-scores, kind="stable")] = np.arange(1, size + 1)
        values = {
            **{name: pa.nulls(size, field.type) for name, field in fields()},
            "method": pa.DictionaryArray.from_arrays(nothing, ["atp"]),
            "kind": pa.DictionaryArray.from_arrays(nothing, ["neurons"]),
            "layer": pa.array(layers.astype(np.int32)),
            "index": pa.array(indices.astype(np.int32)),
            "position": pa.DictionaryArray.from_arrays(
                (np.arange(size) % parts).astype(np.int32), [str(n) for n in range(parts)]
            ),
            "score": pa.array(scores),
            "signed": pa.array(scores),
            "rank": pa.array(rank),
        }
        whole = pa.table([values[name] for name in SCHEMA.names], schema=schema())
        return whole.take(pa.array(order))

    noisy = np.abs(score + draw.normal(size=size) * 1e-3)
    return made(score, np.arange(size)), made(noisy, draw.permutation(size))


def test_half_a_million_nodes_are_compared_quickly():
    tables = large(550_000)
    began = time.perf_counter()
    found = compare_method(tables, ("atp", "atp"), top=20)
    took = time.perf_counter() - began

    # Some two seconds on a slow core; a loop over nodes would take minutes.
    assert took < 20
    assert found.common == 550_000
    assert 0 < found.largest < 10
    assert found.correlation is not None
    assert found.correlation > 0.99
    assert len(found.frame) == 550_000


# ---- two results ----


def test_a_result_is_identical_to_itself():
    for made in (result(), diagnosed_result(), result(outcome(exact=True, verified=()))):
        found = diff(made, made)

        assert found.identical
        assert found.within
        assert (found.spec, found.facts, found.outside) == ((), (), ())
        assert "identical" in repr(found)
        assert "identical" in repr(found.methods[0])


def test_other_numbers_are_outside_the_tolerance():
    found = diff(result(), other())

    assert not found.identical
    assert not found.within
    assert found.outside[0].startswith("the largest relative change is ")
    assert diff(result(), other(), tolerance=Tolerance(change=None)).within


def test_overlap_and_correlation_have_least_values():
    kept = diff(result(), other(), top=10).methods[0]
    assert 0 < kept.jaccard < 1

    def outside(**limits: float) -> tuple[str, ...]:
        asked = Tolerance(change=None, **limits)
        return diff(result(), other(), top=10, tolerance=asked).outside

    assert outside(overlap=kept.jaccard) == ()
    assert "overlap by" in outside(overlap=kept.jaccard + 0.01)[0]
    assert kept.correlation is not None
    assert outside(correlation=kept.correlation) == ()
    assert "rank correlation is" in outside(correlation=kept.correlation + 0.01)[0]


def test_a_method_of_one_result_only_is_not_tolerated():
    both = result(outcome(exact=True, verified=()))
    found = diff(both, result(outcome(verified=())))

    assert found.only_first == ("ap",)
    assert [method.label for method in found.methods] == ["atp"]
    assert "only the first has ap" in found.outside
    assert not found.identical


def test_the_only_methods_are_compared_and_others_can_be_chosen():
    both = result(outcome(exact=True, verified=()))
    found = diff(both, both, methods=[("atp", "ap")])

    assert found.methods[0].label == "atp / ap"
    assert found.method("ap") is found.methods[0]
    with pytest.raises(KeyError):
        found.method("nothing")
    with pytest.raises(RunError, match="ATP446"):
        diff(both, both, methods=[("atp", "app")])


def test_results_without_a_common_method_need_a_choice():
    both, star = result(outcome(exact=True, verified=())), diagnosed_result()
    labels = {m.label for m in star.record.methods}

    assert "atp" not in labels
    with pytest.raises(RunError, match="ATP460"):
        diff(both, star)
    assert diff(result(), star).methods[0].label == f"atp / {star.label()}"


def test_what_a_run_was_made_with_is_compared():
    first = result()
    provenance = first.record.provenance
    changed = replace(
        provenance,
        device="cuda:0",
        seed=7,
        versions={**provenance.versions, "torch": "9.9", "strange": "1"},
        model=replace(provenance.model, revision="abc", weights_sha256="ef" * 32),
    )
    second = replace(first, record=replace(first.record, provenance=changed))
    facts = {fact.name: (fact.first, fact.second) for fact in diff(first, second).facts}

    assert facts == {
        "model: revision": (None, "abc"),
        "model: weights": ("ab" * 6, "ef" * 6),
        "run: device": ("cpu", "cuda:0"),
        "run: seed": ("0", "7"),
        "version: torch": (provenance.versions["torch"], "9.9"),
        "version: strange": (None, "1"),
    }


def test_pairs_are_compared_token_by_token():
    first = result()
    pairs = first.record.pairs
    changed = replace(pairs[0], clean=replace(pairs[0].clean, ids=(0, 1, 2, 3, 4, 5)))

    def facts(others) -> list[tuple[str | None, str | None]]:
        second = replace(first, record=replace(first.record, pairs=others))
        return [(fact.first, fact.second) for fact in diff(first, second).facts]

    assert facts((changed, *pairs[1:])) == [("3", "1 of them are others")]
    assert facts(pairs[:2]) == [("3", "2")]


def test_from_python_with_folders_and_frames(tmp_path):
    result().save(tmp_path / "a")
    other().save(tmp_path / "b")
    found = atpdsl.diff(tmp_path / "a", str(tmp_path / "b"), top=5, methods="atp")
    nodes = found.nodes

    assert len(nodes) == found.methods[0].common
    assert list(nodes.columns[:5]) == ["method", "kind", "layer", "index", "position"]
    change = (nodes["second_score"] - nodes["first_score"]).abs()
    assert (nodes["change"] >= change - 1e-12).all()
    assert atpdsl.diff(found.first, found.first, tolerance=None).identical


def test_the_frame_has_the_nodes_of_both():
    first, second = (
        result(outcome([HEADS, MLPS], verified=())),
        result(outcome([MLPS, EMBED], verified=())),
    )
    frame = diff(first, second).nodes

    assert set(frame["kind"]) == {"heads.z", "mlp", "embed"}
    assert frame.loc[frame["kind"] == "heads.z", "second_score"].isna().all()
    assert frame.loc[frame["kind"] == "embed", "first_rank"].isna().all()
    assert frame.loc[frame["kind"] == "embed", "second_rank"].notna().all()
