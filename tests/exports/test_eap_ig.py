"""EAP-IG's JSON, held to the rules of its reader.

`Graph.from_json` wants `cfg`, `nodes` and `edges`; makes the graph that `cfg` describes; takes
`in_graph`, and `score` where there is one, of each node but `logits`; takes `score` and
`in_graph` of each edge; and fails on names that its own graph lacks.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import networkx
import pytest

from atpdsl.exports import eap_ig, export
from atpdsl.exports.eap_ig_names import Config, edge_of, names_of_edges, names_of_nodes
from atpdsl.problems import RunError
from atpdsl.results.record import CircuitRecord
from atpdsl.results.result import Result
from tests.exports.cases import exact_cancellation, hostile
from tests.results.samples import EMBED, HEADS, KEYS, MLPS, MODEL, SHAPE, outcome, result


def written(found: Result, folder: Path) -> dict[str, Any]:
    export(found, folder / "a.eap-ig.json", overwrite=True)
    return json.loads((folder / "a.eap-ig.json").read_text(encoding="utf-8"))


def their_names(cfg: dict[str, Any]) -> tuple[set[str], set[str]]:
    """The nodes and edges of a model, said another way: who stands before whom."""
    layers, heads = range(cfg["n_layers"]), range(cfg["n_heads"])
    step = 1 if cfg["parallel_attn_mlp"] else 2
    when = {"input": -1, "logits": step * cfg["n_layers"]}
    when |= {f"a{i}.h{h}": step * i for i, h in product(layers, heads)}
    when |= {f"m{i}": step * i + step - 1 for i in layers}
    edges = set()
    for source, target in product(when, when):
        if when[source] < when[target]:
            ways = ("<q>", "<k>", "<v>") if target.startswith("a") else ("",)
            edges |= {f"{source}->{target}{way}" for way in ways}
    return set(when), edges


def test_gpt2_has_as_many_nodes_and_edges_as_in_their_files():
    cfg = {"n_layers": 12, "n_heads": 12, "parallel_attn_mlp": False}
    nodes, edges = their_names(cfg)

    assert (len(nodes), len(edges)) == (158, 32491)


@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
def test_the_file_has_what_their_reader_demands(tmp_path: Path, made):
    data = written(made(), tmp_path)
    nodes, edges = their_names(data["cfg"])

    assert data["cfg"] == {
        "n_layers": 2,
        "n_heads": 4,
        "parallel_attn_mlp": False,
        "d_model": 16,
    }
    assert set(data["nodes"]) == nodes
    assert set(data["edges"]) == edges
    for info in data["nodes"].values():
        assert type(info["in_graph"]) is bool
        assert math.isfinite(info.get("score", 0.0))
    for info in data["edges"].values():
        assert type(info["in_graph"]) is bool
        assert math.isfinite(info["score"])


def test_parallel_blocks_have_no_edge_from_a_head_to_its_mlp(tmp_path: Path):
    model = replace(MODEL, shape=replace(SHAPE, parallel=True))
    data = written(result(model=model), tmp_path)

    assert set(data["edges"]) == their_names(data["cfg"])[1]
    assert "a0.h1->m0" not in data["edges"]


def test_scores_are_sums_of_signed_scores_over_positions(tmp_path: Path):
    found = result()
    data = written(found, tmp_path)["nodes"]
    sums: dict[str, list[float]] = {}
    for row in found.table.to_pylist():
        names = {"heads.z": f"a{row['layer']}.h{row['index']}", "mlp": f"m{row['layer']}"}
        if row["kind"] in names:
            value = row["signed"] if row["effect"] is None else row["effect"]
            sums.setdefault(names[row["kind"]], []).append(value)

    assert {name: info["score"] for name, info in data.items() if "score" in info} == {
        name: pytest.approx(sum(values), rel=1e-12) for name, values in sums.items()
    }
    assert "score" not in data["input"]


def test_embeddings_are_the_input(tmp_path: Path):
    found = result(outcome([EMBED, MLPS], verified=()))
    data = written(found, tmp_path)["nodes"]
    (row,) = (row for row in found.table.to_pylist() if row["kind"] == "embed")

    assert data["input"]["score"] == row["signed"]


def test_nodes_of_the_circuit_are_in_the_graph_and_edges_between_them(tmp_path: Path):
    found = result()
    circuit = CircuitRecord(method="atp", keep="top", amount=8, nodes=8)
    few = replace(found, record=replace(found.record, circuit=circuit))
    data = written(few, tmp_path)
    kept = {"input", "logits"}
    for _, facts in few.graph.nodes(data=True):
        if facts["kind"] == "heads.z":
            kept.add(f"a{facts['layer']}.h{facts['index']}")
        if facts["kind"] == "mlp":
            kept.add(f"m{facts['layer']}")

    assert 2 < len(kept) < len(data["nodes"])
    assert {name for name, info in data["nodes"].items() if info["in_graph"]} == kept
    for name, info in data["edges"].items():
        source, target = name.partition("<")[0].split("->")
        assert info["in_graph"] == (source in kept and target in kept)


def test_edges_have_the_smaller_score_of_both_ends(tmp_path: Path):
    """Two heads share a key; where the run has it, its score stands for the head's."""
    found = result(outcome([HEADS, KEYS, MLPS], verified=()))
    data = written(found, tmp_path)
    scores = {name: abs(info.get("score", math.inf)) for name, info in data["nodes"].items()}
    keys = [
        sum(
            row["signed"]
            for row in found.table.to_pylist()
            if (row["kind"], row["index"]) == ("heads.k", group)
        )
        for group in (0, 1)
    ]
    edges = {name: info["score"] for name, info in data["edges"].items()}

    assert edges["a0.h1->m1"] == min(scores["a0.h1"], scores["m1"])
    assert edges["m0->a1.h2<q>"] == min(scores["m0"], scores["a1.h2"])
    assert edges["m0->a1.h1<k>"] == pytest.approx(min(scores["m0"], abs(keys[0])))
    assert edges["m0->a1.h2<k>"] == pytest.approx(min(scores["m0"], abs(keys[1])))
    assert edges["input->a1.h2<q>"] == scores["a1.h2"]
    assert edges["m1->logits"] == scores["m1"]


def test_the_file_says_what_its_scores_are(tmp_path: Path):
    told = written(result(), tmp_path)["atpdsl"]

    assert told["method"] == "atp"
    assert told["direction"] == "noising"
    assert "summed over positions" in told["scores"]


@pytest.mark.parametrize("made", [result, hostile])
def test_what_is_written_is_read_back(tmp_path: Path, made):
    data = written(made(), tmp_path)
    graph = eap_ig.read(tmp_path / "a.eap-ig.json")
    nodes = {"input": "input", "logits": "logits", "a1.h3": "heads.z.L1.H3@sequence"}
    nodes |= {"m0": "mlp.L0@sequence"}

    assert isinstance(graph, networkx.MultiDiGraph)
    assert len(graph) == len(data["nodes"])
    assert graph.number_of_edges() == len(data["edges"])
    assert graph.graph["schema"] == "atpdsl/graph/3"
    assert graph.graph["spec"] == made().record.spec.name
    for name, ours in nodes.items():
        facts, info = graph.nodes[ours], data["nodes"][name]
        assert facts["signed"] == info.get("score")
        assert facts["in_graph"] == info["in_graph"]
    edge = graph.edges["mlp.L0@sequence", "heads.z.L1.H3@sequence", "q"]
    assert edge == {
        "via": "stream",
        "through": "q",
        "weight": data["edges"]["m0->a1.h3<q>"]["score"],
        "weight_from": "edges",
        "in_graph": data["edges"]["m0->a1.h3<q>"]["in_graph"],
    }


@pytest.mark.parametrize("parallel", [False, True])
def test_the_edges_that_are_read_are_those_that_are_written(parallel):
    """Of all names that could be edges."""
    config = Config(n_layers=2, n_heads=2, parallel_attn_mlp=parallel, d_model=4)
    names = [*names_of_nodes(config), "a2.h0", "a0.h2", "m2", "a0", "m", "", "m0.h0", "mm0"]
    ways = ("", "<q>", "<k>", "<v>", "<z>")
    texts = {f"{s}->{t}{w}" for s, t, w in product(names, names, ways)}
    found = {text: edge_of(text, config) for text in texts}

    assert {text: edge for text, edge in found.items() if edge is not None} == {
        edge.name: edge for edge in names_of_edges(config)
    }


def test_nodes_that_are_read_have_the_attributes_of_ours(tmp_path: Path):
    ours = result()
    written(ours, tmp_path)
    graph = eap_ig.read(tmp_path / "a.eap-ig.json")
    columns = {*ours.table.column_names[:17], "label", "token_index", "flags"}
    ranks = sorted(r for _, r in graph.nodes(data="rank") if r is not None)

    for _, facts in graph.nodes(data=True):
        assert columns <= set(facts)
    assert ranks == list(range(1, 11))
    best = next(facts for _, facts in graph.nodes(data=True) if facts["rank"] == 1)
    scores = [s for _, s in graph.nodes(data="score") if s is not None]
    assert best["score"] == max(scores)
    assert best["label"].startswith(("heads.z L", "mlp L"))


THEIRS = {
    "cfg": {"n_layers": 1, "n_heads": 1, "parallel_attn_mlp": False, "d_model": 4},
    "nodes": {
        "input": {"in_graph": True, "score": float("nan")},
        "a0.h0": {"in_graph": True, "score": -0.5, "neurons": [True] * 4},
        "m0": {"in_graph": False, "score": 2},
        "logits": {"in_graph": True},
    },
    "edges": {
        "input->a0.h0<q>": {"score": 0.25, "in_graph": True},
        "a0.h0->logits": {"score": -1.5, "in_graph": True},
    },
}


def test_a_file_of_theirs_is_read_with_scores_that_are_not_numbers(tmp_path: Path):
    (tmp_path / "ioi.json").write_text(json.dumps(THEIRS))
    graph = eap_ig.read(tmp_path / "ioi.json")

    assert graph.nodes["input"]["signed"] is None
    assert graph.nodes["heads.z.L0.H0@sequence"]["signed"] == -0.5
    assert graph.nodes["heads.z.L0.H0@sequence"]["score"] == 0.5
    assert not graph.nodes["mlp.L0@sequence"]["in_graph"]
    assert graph.edges["heads.z.L0.H0@sequence", "logits", "logits"]["weight"] == -1.5
    assert graph.number_of_edges() == 2
    assert graph.graph["spec"] == "ioi"
    assert graph.graph["method"] == "eap_ig"


def changed(**parts: object) -> str:
    return json.dumps({**THEIRS, **parts})


DAMAGED = (
    *("", "3", "[]", "{}", "[" * 100_000, '{"cfg": 3}'),
    changed(cfg={"n_layers": 1, "n_heads": 1}),
    changed(cfg={"n_layers": 10**6, "n_heads": 10**6, "d_model": 1}),
    changed(cfg={"n_layers": -1, "n_heads": True, "d_model": 1}),
    changed(nodes={"a7.h0": {"in_graph": True}}),
    changed(nodes={"m0": {"in_graph": "yes"}}),
    changed(nodes={"m0": {"in_graph": True, "score": "1"}}),
    changed(nodes={"m0": 3}),
    changed(edges={"m0->a0.h0<q>": {"score": 1, "in_graph": True}}),
    changed(edges={"m0->logits": {"in_graph": True}}),
    changed(edges={"m0->logits": {"score": float("inf"), "in_graph": True}}),
    changed(edges={"m0->logits": {"score": 10**400, "in_graph": True}}),
    changed(edges=[]),
)


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_what_is_no_such_file_is_a_problem(tmp_path: Path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(RunError) as error:
        eap_ig.read(tmp_path / "a.json")

    (problem,) = error.value.problems
    assert problem.code == "ATP455"
    assert problem.help


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path):
    with pytest.raises(RunError, match="No such file"):
        eap_ig.read(tmp_path / "a.json")


@pytest.mark.parametrize("nodes", [KEYS, EMBED])
def test_a_run_without_heads_and_mlps_has_no_such_graph(tmp_path: Path, nodes):
    with pytest.raises(RunError) as error:
        export(result(outcome([nodes], verified=())), tmp_path / "a.mib.json")

    (problem,) = error.value.problems
    assert problem.code == "ATP457"
    assert list(tmp_path.iterdir()) == []


def test_their_own_reader_reads_it(tmp_path: Path):
    """Where it can be imported: it wants a TransformerLens before version 4."""
    try:
        from eap.graph import Graph
    except ImportError:
        pytest.skip("EAP-IG is not installed, or not with this TransformerLens")
    data = written(result(), tmp_path)
    graph = Graph.from_json(str(tmp_path / "a.eap-ig.json"))

    assert list(graph.nodes) == list(data["nodes"])
    assert list(graph.edges) == list(data["edges"])
    for name, info in data["edges"].items():
        assert float(graph.edges[name].score) == pytest.approx(info["score"], rel=1e-5)
        assert bool(graph.edges[name].in_graph) == info["in_graph"]
    for name, info in data["nodes"].items():
        if "score" in info:
            assert float(graph.nodes[name].score) == pytest.approx(info["score"], rel=1e-5)
