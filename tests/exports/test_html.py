"""The report's text and data, without a browser."""

from __future__ import annotations

import base64
import gzip
import json
import re

import numpy as np
import pyarrow as pa
import pytest

from atpdsl.exports.html import text
from atpdsl.exports.report_page.assemble import bundle, packed
from atpdsl.exports.report_page.payload import payload
from atpdsl.exports.report_page.payload_nodes import MOST
from atpdsl.exports.report_page.payload_prompts import _differences, prompts
from atpdsl.exports.report_page.payload_run import highlighted
from atpdsl.results.result import Result
from tests.exports.cases import hostile
from tests.results.raw import diagnosed_result
from tests.results.samples import SPEC, outcome, result


def unpacked(page: str) -> dict:
    found = re.search(r'id="data">([A-Za-z0-9+/=]+)</script>', page)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_the_same_result_is_the_same_page():
    assert text(result()) == text(result())


def test_a_page_names_nothing_outside_itself():
    page = text(result())
    code = page.replace("http://www.w3.org/2000/svg", "")

    assert "http://" not in code
    assert "https://" not in code
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,"]


def test_hostile_texts_are_only_in_the_data():
    page = text(hostile())
    data = re.sub(r'id="data">[^<]*<', "", page)

    assert "<img" not in data
    assert "\x1b" not in page
    assert page.lower().count("</script") == 2
    assert "<img src=x onerror=alert(1)>" in unpacked(page)["title"]


def test_the_policy_allows_the_script_and_the_style_by_their_digests():
    page = text(result())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)

    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]
    assert policy[1].count("sha256-") == 2


@pytest.mark.parametrize("entry", ["main", "trust", "table"])
def test_modules_come_after_those_that_they_import(entry):
    script = bundle(entry)
    made = re.findall(r"^const module_(\w+) = ", script, re.MULTILINE)

    assert made[-1] == entry
    assert len(made) == len(set(made))
    for needed in re.findall(r"= module_(\w+);", script):
        assert needed in made
    assert not re.search(r"^(?:import|export)\b", script, re.MULTILINE)


def test_data_that_json_has_no_word_for_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        packed({"a": float("nan")})


def test_nodes_and_their_order_are_those_of_the_scores():
    mine = diagnosed_result()
    (label,) = {method.label for method in mine.record.methods}
    table = payload(mine)["tables"][label]
    ranks = [table["columns"]["rank"][row] for row in table["order"]]

    assert ranks == list(range(1, len(ranks) + 1))
    assert table["total"] == len(mine.table) == len(table["columns"]["score"])
    assert table["rest"] == []


def test_flags_are_numbered_sets():
    mine = diagnosed_result()
    data = payload(mine)
    (label,) = data["tables"]
    shown = [
        ",".join(data["flagSets"][one]) for one in data["tables"][label]["columns"]["flags"]
    ]

    assert shown == [word or "" for word in mine.table["flags"].to_pylist()]
    assert any(shown)


def test_recall_and_cost_are_as_counted_by_hand():
    """Six nodes are measured, in the order of their effects; the estimate has other places."""
    mine = result()
    frame = mine.scores.sort_values("estimate", ascending=False, kind="stable").reset_index()
    frame["place"] = range(1, len(frame) + 1)
    truth = frame[frame["effect_abs"] > 0].sort_values(
        "effect_abs", ascending=False, kind="stable"
    )
    places = list(truth["place"])
    outside = max(frame[frame["effect_abs"].notna()]["place"])
    data = payload(mine)["trust"]["atp"]

    assert data["recall"] == [
        [k, sum(place <= k for place in places[:k]) / k]
        for k in range(1, len(places) + 1)
        if outside > k
    ]
    assert data["cost"] == [[k, max(places[:k])] for k in range(1, len(places) + 1)]


def test_bounds_are_those_of_unmeasured_nodes_in_order():
    mine = diagnosed_result()
    (label,) = {method.label for method in mine.record.methods}
    curves = payload(mine)["trust"][label]["bounds"]
    bound = mine.record.bounds[0]

    assert len(curves) == len(bound.at)
    for curve, at in zip(curves, bound.at, strict=True):
        values = [value for _, value in curve["points"]]
        assert values == sorted(values, reverse=True)
        assert values[0] == pytest.approx(at.upper)


def test_an_exact_method_needs_no_estimates_charts():
    data = payload(result(outcome(exact=True)))["trust"]["ap"]

    assert data["scatter"] == data["recall"] == data["cost"] == data["moved"] == []
    assert data["sentences"]


def test_differing_tokens_are_found_on_both_sides():
    assert _differences((1, 2, 3), (1, 9, 3)) == [[1], [1]]
    assert _differences((1, 2, 3, 4), (1, 3, 4)) == [[1], []]
    assert _differences((1, 2), (1, 5, 6, 2)) == [[], [1, 2]]


def test_outliers_are_beyond_the_fences():
    mine = result()
    assert not any(pair["outlier"] for pair in prompts(mine)["pairs"])
    assert "(0 of 3)" in prompts(mine)["about"]


def test_highlighting_keeps_the_text():
    pieces = highlighted(SPEC)

    assert "".join(piece for _, piece in pieces) == SPEC
    assert ("keyword", "model") in pieces
    assert ("string", '"tiny"') in pieces


# ---- a large result


def large(nodes: int = 550_000) -> Result:
    """Neurons of twelve layers at 15 positions, some of them measured, beside a few heads."""
    small = result()
    per_layer = nodes // (12 * 15)
    layer, neuron, place = np.meshgrid(
        np.arange(12), np.arange(per_layer), np.arange(6), indexing="ij"
    )
    rows = layer.size
    rng = np.random.default_rng(0)
    score = rng.exponential(size=rows)
    order = np.argsort(-score, kind="stable")
    rank = np.empty(rows, np.int32)
    rank[order] = np.arange(1, rows + 1)
    verified = rank <= 20
    columns = {
        name: pa.nulls(rows, field.type)
        for name, field in zip(small.table.column_names, small.table.schema, strict=True)
    }
    word = small.table.schema.field("kind").type
    columns |= {
        "method": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["atp"]),
        "kind": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["neurons"]),
        "layer": pa.array(layer.ravel().astype(np.int32)),
        "index": pa.array(neuron.ravel().astype(np.int32)),
        "position": pa.DictionaryArray.from_arrays(
            pa.array(place.ravel().astype(np.int32)), [str(i) for i in range(6)]
        ),
        "estimate": pa.array(score),
        "signed": pa.array(score * rng.choice([-1.0, 1.0], rows)),
        "effect": pa.array(np.where(verified, score, np.nan), from_pandas=True),
        "effect_abs": pa.array(np.where(verified, score, np.nan), from_pandas=True),
        "verified": pa.array(verified),
        "score": pa.array(score),
        "rank": pa.array(rank),
    }
    table = pa.table({n: columns[n] for n in small.table.column_names})
    assert table.schema.field("kind").type == word
    return Result(record=small.record, table=table)


@pytest.mark.slow
def test_a_large_result_is_a_small_page():
    """At most 2 MB, and what is left out is counted and summed."""
    mine = large(1_375_000)
    page = text(mine)
    table = unpacked(page)["tables"]["atp"]
    kept = len(table["columns"]["score"])

    assert len(mine.table) > 500_000
    assert len(page) < 2_000_000
    assert kept <= MOST
    assert (
        kept + sum(one["nodes"] for one in table["rest"]) == len(mine.table) == table["total"]
    )
    total = sum(one["sum"] for one in table["rest"]) + sum(table["columns"]["score"])
    assert total == pytest.approx(sum(mine.table["score"].to_pylist()))
    assert table["columns"]["rank"][table["order"][0]] == 1
