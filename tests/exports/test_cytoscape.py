from __future__ import annotations

import json
from pathlib import Path

import networkx
import pytest

from atpdsl.exports import export
from atpdsl.results.document import to_json
from tests.exports.cases import exact_cancellation, hostile
from tests.results.samples import result


@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
def test_networkx_reads_the_same_graph_back(tmp_path: Path, made):
    found = made().graph
    export(made(), tmp_path / "a.cyjs")
    read = networkx.cytoscape_graph(json.loads((tmp_path / "a.cyjs").read_text("utf-8")))

    assert set(read.nodes) == set(found.nodes)
    assert set(read.edges(keys=True)) == set(found.edges(keys=True))
    assert read.graph == found.graph
    for node, facts in found.nodes(data=True):
        for name, value in facts.items():
            assert read.nodes[node][name] == to_json(value)
    for *ends, facts in found.edges(keys=True, data=True):
        for name, value in facts.items():
            assert read.edges[ends][name] == value


def test_nodes_are_laid_out_and_edges_named(tmp_path: Path):
    export(result(), tmp_path / "a.cy.json")
    elements = json.loads((tmp_path / "a.cy.json").read_text("utf-8"))["elements"]
    places = {n["data"]["id"]: n["position"] for n in elements["nodes"]}
    ids = [edge["data"]["id"] for edge in elements["edges"]]

    assert places["heads.z.L1.H3@5"]["y"] < places["heads.z.L0.H2@0"]["y"]
    assert places["heads.z.L0.H2@0"]["x"] < places["heads.z.L0.H3@4"]["x"]
    assert len(set(ids)) == len(ids) > 0
    assert {edge["data"]["interaction"] for edge in elements["edges"]} <= {
        *("q", "k", "v", "mlp", "part", "stream", "logits")
    }
