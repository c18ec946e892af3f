"""Every format reads back, whatever the tokens are."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pyarrow.parquet as pq
import pytest

from atpdsl.exports import EXPORTERS, export
from atpdsl.exports.flat import flat_graph
from atpdsl.results.harmless import harmless
from atpdsl.results.result import Result
from tests.exports.cases import exact_cancellation, hostile
from tests.results.samples import EMBED, HEADS, MLPS, outcome, result


@pytest.fixture(
    params=[result, hostile, exact_cancellation], ids=["plain", "hostile", "diagnosed"]
)
def any_result(request) -> Result:
    return request.param()


def test_every_format_has_a_suffix_of_its_own():
    suffixes = [suffix for exporter in EXPORTERS for suffix in exporter.suffixes]

    assert len(suffixes) == len(set(suffixes))
    assert {".graphml", ".gexf", ".csv", ".parquet", ".json", ".svg", ".md"} <= set(suffixes)


def read_back(path: Path) -> networkx.MultiDiGraph:
    if path.suffix == ".gexf":
        return networkx.read_gexf(path)
    return networkx.read_graphml(path, force_multigraph=True)


@pytest.mark.parametrize("suffix", [".graphml", ".gexf"])
def test_xml_graphs_read_back_with_the_same_nodes_and_edges(tmp_path: Path, any_result, suffix):
    path = tmp_path / f"ioi{suffix}"
    export(any_result, path)
    read = read_back(path)

    flat = flat_graph(any_result.graph)
    assert set(read.nodes) == set(flat.nodes)
    assert set(read.edges(data="through")) == set(flat.edges(data="through"))
    assert len(read.edges) == len(any_result.graph.edges)
    assert {via for _, _, via in read.edges(data="via")} <= {"stream", "attention", "part"}


@pytest.mark.parametrize("suffix", [".graphml", ".gexf"])
def test_xml_graphs_keep_numbers_words_and_facts(tmp_path: Path, any_result, suffix):
    path = tmp_path / f"ioi{suffix}"
    export(any_result, path)
    read = read_back(path)

    for node, facts in flat_graph(any_result.graph).nodes(data=True):
        for name, value in facts.items():
            assert read.nodes[node][name] == value
    weights = {
        (s, t, f["through"]): f["weight"] for s, t, f in read.edges(data=True) if "weight" in f
    }
    assert weights == {
        (harmless(s), harmless(t), way): facts["weight"]
        for s, t, way, facts in any_result.graph.edges(keys=True, data=True)
        if facts["weight"] is not None
    }


def test_the_ids_of_edges_in_graphml_are_unique(tmp_path: Path):
    export(result(outcome([HEADS, MLPS], verified=())), tmp_path / "a.graphml")
    root = ElementTree.parse(tmp_path / "a.graphml").getroot()  # noqa: S314 (our own file)
    ids = [edge.get("id") for edge in root.iter("{http://graphml.graphdrawing.org/xmlns}edge")]

    assert len(ids) > 0
    assert len(ids) == len(set(ids))


def test_parallel_edges_stay_apart(tmp_path: Path):
    """Without queries, keys and values a head reads the MLP below in three ways."""
    found = result(outcome([HEADS, MLPS], verified=()))
    ways = {
        way
        for *ends, way in found.graph.edges(keys=True)
        if ends == ["mlp.L0@last", "heads.z.L1.H3@5"]
    }
    for suffix in (".graphml", ".gexf", ".json", ".cyjs"):
        export(found, tmp_path / f"a{suffix}")
    by_json = json.loads((tmp_path / "a.json").read_text("utf-8"))
    graphs = [
        read_back(tmp_path / "a.graphml"),
        read_back(tmp_path / "a.gexf"),
        networkx.node_link_graph(by_json, edges="links"),
        networkx.cytoscape_graph(json.loads((tmp_path / "a.cyjs").read_text("utf-8"))),
    ]

    assert ways == {"q", "k", "v"}
    for graph in graphs:
        ends = graph["mlp.L0@last"]["heads.z.L1.H3@5"]
        assert {facts["through"] for facts in ends.values()} == ways


def test_what_xml_cannot_hold_is_kept_as_json(tmp_path: Path):
    export(hostile(), tmp_path / "ioi.graphml")
    read = networkx.read_graphml(tmp_path / "ioi.graphml")
    kept = {json.loads(j) for _, j in read.nodes(data="token_json") if j is not None}

    assert "\x1b[2J\x1b]0;title\x07" in kept


def test_gephi_finds_the_circuit_laid_out(tmp_path: Path):
    export(result(), tmp_path / "ioi.gexf")
    places = {}
    for node, viz in networkx.read_gexf(tmp_path / "ioi.gexf").nodes(data="viz"):
        places[node] = viz["position"]["x"], viz["position"]["y"]

    assert len(set(places.values())) == len(places)
    assert places["heads.z.L0.H2@0"][0] < places["heads.z.L0.H3@4"][0]
    assert places["input"][1] < places["heads.z.L0.H2@0"][1] < places["heads.z.L1.H3@5"][1]
    assert places["heads.z.L1.H3@5"][1] < places["logits"][1]


def test_gephi_sees_signs_as_colours_and_scores_as_sizes(tmp_path: Path):
    export(result(), tmp_path / "ioi.gexf")
    read = networkx.read_gexf(tmp_path / "ioi.gexf").nodes

    lowers, raises = read["heads.z.L0.H3@4"]["viz"], read["heads.k.L1.KV0@2"]["viz"]
    assert lowers["color"]["r"] > lowers["color"]["b"]
    assert raises["color"]["r"] < raises["color"]["b"]
    assert lowers["size"] > raises["size"]


def test_the_csv_has_a_line_per_row(tmp_path: Path, any_result):
    export(any_result, tmp_path / "ioi.csv")
    text = (tmp_path / "ioi.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))

    assert len(text.splitlines()) == len(lines) + 1 == 57
    for line, row in zip(lines, any_result.table.to_pylist(), strict=True):
        assert list(line) == any_result.table.column_names
        assert line["kind"] == row["kind"]
        if row["score"] is None:
            assert line["score"] == ""
        else:
            assert math.isclose(float(line["score"]), row["score"], rel_tol=1e-15)
        assert line["effect"] == ("" if row["effect"] is None else str(row["effect"]))
        assert line["verified"] == str(row["verified"]).lower()


def test_no_cell_of_the_csv_is_a_formula_or_controls_a_terminal(tmp_path: Path):
    export(hostile(), tmp_path / "ioi.csv")
    text = (tmp_path / "ioi.csv").read_text(encoding="utf-8")
    cells = [line["token"] for line in csv.DictReader(io.StringIO(text))]

    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert not any(c < " " and c != "\n" for c in text)
    assert {"'=HYPERLINK('http://example.org')", "'+1-1"} <= set(cells)


def test_parquet_keeps_everything(tmp_path: Path, any_result):
    export(any_result, tmp_path / "ioi.parquet")

    assert pq.read_table(tmp_path / "ioi.parquet").equals(any_result.table)


def test_json_is_the_graph_itself(tmp_path: Path, any_result):
    export(any_result, tmp_path / "ioi.json")
    data = json.loads((tmp_path / "ioi.json").read_text(encoding="utf-8"))
    read = networkx.node_link_graph(data, edges="links")

    assert networkx.utils.graphs_equal(read, finite(any_result.graph))


def finite(graph: networkx.MultiDiGraph) -> networkx.MultiDiGraph:
    """JSON has no word for a number that is infinite."""
    for _, facts in graph.nodes(data=True):
        facts.update({k: None for k, v in facts.items() if v == math.inf})
    return graph


def test_a_number_that_is_infinite_stays_where_a_format_can_hold_it(tmp_path: Path):
    found = exact_cancellation()
    node = next(n for n, f in found.graph.nodes(data=True) if f["cancellation"] == math.inf)
    export(found, tmp_path / "a.parquet")
    export(found, tmp_path / "a.csv")
    export(found, tmp_path / "a.graphml")

    assert math.inf in pq.read_table(tmp_path / "a.parquet")["cancellation"].to_pylist()
    assert "inf" in {
        line["cancellation"]
        for line in csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text("utf-8")))
    }
    read = networkx.read_graphml(tmp_path / "a.graphml").nodes[node]
    assert read.get("cancellation") is None
    assert "cancellation" in read["flags"].split()


@pytest.mark.parametrize("suffix", [s for e in EXPORTERS for s in e.suffixes])
def test_results_without_effects_or_tokens_can_be_exported(tmp_path: Path, suffix):
    export(result(outcome([EMBED, MLPS], verified=())), tmp_path / f"a{suffix}")

    assert (tmp_path / f"a{suffix}").stat().st_size > 0


def test_names_with_control_characters_become_pictures():
    assert harmless("\x00\x1b\n\x7f") == "\u2400\u241b\u240a\u2421"
    assert harmless("\x85\ud800\ufffe") == "\ufffd\ufffd\ufffd"
    assert harmless("naïve 東京") == "naïve 東京"


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xFFFE, 0xFFFF])
def test_harmless_text_is_xml(code):
    element = ElementTree.Element("a", {"b": harmless(chr(code))})
    element.text = harmless(chr(code))
    text = ElementTree.tostring(element, "utf-8")
    read = ElementTree.fromstring(text)  # noqa: S314 (written two lines above)

    assert read.text == read.get("b") == harmless(chr(code))


def test_flat_attributes_are_plain():
    graph = networkx.MultiDiGraph(size=None, kinds=["a", "b"])
    graph.add_node("n", number=HEADS.shape, count=pq.__name__, missing=None, empty=[])
    flat = flat_graph(graph)

    assert flat.graph == {"kinds": "a b"}
    assert flat.nodes["n"] == {"number": "2 4 6", "count": "pyarrow.parquet"}
