"""Neuronpedia's graph JSON: its schema, and what its page needs beyond that.

The schema here says the same as `graph-schema.json` of Neuronpedia, in our words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atpdsl.exports import export
from atpdsl.problems import RunError
from atpdsl.results.result import Result
from tests.exports.cases import exact_cancellation, hostile
from tests.results.samples import EMBED, HEADS, MLPS, outcome, result

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    properties = {**required, **optional}
    return {"type": "object", "properties": properties, "required": list(required)}


def several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


GENERATOR = record({}, name=TEXT, version=TEXT, url=TEXT, email=TEXT)
INFO = record({}, description=TEXT, generator=GENERATOR, create_time_ms=NUMBER)
SCHEMA = record(
    {
        "metadata": record(
            {"slug": TEXT, "scan": TEXT, "prompt_tokens": several(TEXT), "prompt": TEXT},
            node_threshold=NUMBER,
            info=INFO,
            feature_details={"type": "object"},
            generation_settings={"type": "object"},
            pruning_settings=record({}, node_threshold=NUMBER, edge_threshold=NUMBER),
        ),
        "qParams": record(
            {},
            pinnedIds=several(TEXT),
            supernodes={"type": "array"},
            linkType=TEXT,
            clickedId=TEXT,
            sg_pos=TEXT,
        ),
        "nodes": several(
            record(
                {
                    "node_id": TEXT,
                    "feature": {"type": ["integer", "null"]},
                    "layer": {"type": ["string", "integer"]},
                    "ctx_idx": WHOLE,
                    "feature_type": TEXT,
                    "jsNodeId": TEXT,
                    "clerp": TEXT,
                },
                influence={"type": ["number", "null"]},
                activation={"type": ["number", "null"]},
            )
        ),
        "links": several(record({"source": TEXT, "target": TEXT, "weight": NUMBER})),
    }
)


def written(found: Result, folder: Path) -> dict[str, Any]:
    export(found, folder / "a.neuronpedia.json", overwrite=True)
    return json.loads((folder / "a.neuronpedia.json").read_text(encoding="utf-8"))


def one_layer() -> Result:
    heads = replace(HEADS, layers=(0,))
    return result(outcome([heads], verified=()))


def with_embeddings() -> Result:
    return result(outcome([EMBED, MLPS], verified=()))


CASES = [result, hostile, exact_cancellation, one_layer, with_embeddings]


@pytest.fixture(params=CASES, ids=lambda made: made.__name__)
def case(request) -> Result:
    return request.param()


def test_it_fits_the_schema(tmp_path: Path, case):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft7Validator(SCHEMA)

    assert list(validator.iter_errors(written(case, tmp_path))) == []
    assert list(validator.iter_errors({"metadata": {}})) != []


def test_the_page_can_tell_all_nodes_apart(tmp_path: Path, case):
    nodes = written(case, tmp_path)["nodes"]
    known_by = {f"{n['layer']}_{n['feature']}_{n['ctx_idx']}" for n in nodes}

    assert len(known_by) == len({n["node_id"] for n in nodes}) == len(nodes)


def test_links_join_nodes_that_are_there_once(tmp_path: Path, case):
    data = written(case, tmp_path)
    ids = {node["node_id"] for node in data["nodes"]}
    ends = [(link["source"], link["target"]) for link in data["links"]]

    assert {end for pair in ends for end in pair} <= ids
    assert len(set(ends)) == len(ends) > 0


def test_the_page_finds_layers_and_the_probability_it_asks_for(tmp_path: Path, case):
    nodes = written(case, tmp_path)["nodes"]
    layers = [
        int(n["layer"])
        for n in nodes
        if n["layer"].isdecimal() and n["feature_type"] != "logit"
    ]
    (logit,) = (node for node in nodes if node["feature_type"] == "logit")

    assert min(layers) == 1
    assert logit["clerp"].split("(p=")[1].split(")")[0] == "nan"
    assert int(logit["layer"]) == 3


def test_influence_is_cumulative_and_least_for_the_most_important(tmp_path: Path):
    found = result()
    nodes = {n["clerp"].split(" (")[0]: n for n in written(found, tmp_path)["nodes"]}
    scored = [f for _, f in found.graph.nodes(data=True) if f["score"] is not None]
    scored.sort(key=lambda facts: -facts["score"])
    total = sum(facts["score"] for facts in scored)
    so_far = 0.0

    for facts in scored:
        so_far += facts["score"]
        assert nodes[facts["label"]]["influence"] == pytest.approx(so_far / total)
    assert nodes[scored[-1]["label"]]["influence"] <= 1.0


def test_activations_are_signed_effects_and_weights_those_of_the_graph(tmp_path: Path):
    found = result()
    data = written(found, tmp_path)
    nodes = {n["clerp"].split(" (")[0]: n for n in data["nodes"]}
    weights = {(link["source"], link["target"]): link["weight"] for link in data["links"]}

    for name, facts in found.graph.nodes(data=True):
        if facts["score"] is not None:
            value = facts["signed"] if facts["effect"] is None else facts["effect"]
            assert nodes[facts["label"]]["activation"] == value
        for _, target, weight in found.graph.out_edges(name, data="weight"):
            if "input" not in name and target != "logits":
                ends = tuple(
                    nodes[found.graph.nodes[end]["label"]]["node_id"] for end in (name, target)
                )
                assert weights[ends] == weight


def test_the_prompt_is_that_of_the_pair_with_the_usual_gap(tmp_path: Path):
    found = result()
    data = written(found, tmp_path)
    mean = found.record.metric.gap
    assert mean is not None
    usual = min(found.record.pairs, key=lambda pair: abs((pair.gap or 0.0) - mean))

    assert data["metadata"]["prompt_tokens"] == [
        token.replace("<s>", "‹s>") for token in usual.clean.tokens
    ]
    tokens = [n for n in data["nodes"] if n["feature_type"] == "embedding"]
    assert [node["ctx_idx"] for node in tokens] == list(range(len(usual.clean.tokens)))
    named = next(n for n in data["nodes"] if "@S2 " in n["clerp"])
    assert named["ctx_idx"] == usual.positions["S2"][0]


def test_the_best_nodes_and_the_output_are_pinned(tmp_path: Path):
    data = written(result(), tmp_path)
    nodes = {node["node_id"]: node for node in data["nodes"]}
    pinned = [nodes[node_id] for node_id in data["qParams"]["pinnedIds"]]

    assert pinned[-1]["feature_type"] == "logit"
    assert [node["influence"] for node in pinned[:-1]] == sorted(
        node["influence"] for node in pinned[:-1]
    )


def test_no_text_could_be_a_tag_on_a_page(tmp_path: Path):
    written(hostile(), tmp_path)
    raw = (tmp_path / "a.neuronpedia.json").read_text(encoding="utf-8")

    assert "<img" not in raw
    assert "</script" not in raw
    assert "\x1b" not in raw


def test_the_file_says_who_made_it_and_when(tmp_path: Path):
    info = written(result(), tmp_path)["metadata"]["info"]

    assert info["generator"]["name"] == "atpdsl"
    assert info["create_time_ms"] == 1_767_225_600_000
    assert "means over 3 pairs" in info["description"]


def test_a_circuit_without_layers_cannot_be_shown(tmp_path: Path):
    with pytest.raises(RunError) as error:
        export(result(outcome([EMBED], verified=())), tmp_path / "a.neuronpedia.json")

    assert [problem.code for problem in error.value.problems] == ["ATP457"]
