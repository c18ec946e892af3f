from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from atpdsl.exports import export
from atpdsl.exports.dot import quoted
from atpdsl.exports.strongest import strongest
from atpdsl.results.harmless import harmless
from tests.exports.cases import PAYLOADS, exact_cancellation, hostile
from tests.results.samples import result

QUOTED = r'"((?:[^"\\]|\\.)*)"'
NODE = re.compile(rf"^    {QUOTED} \[(.*)\];$", re.MULTILINE)
EDGE = re.compile(rf"^  {QUOTED} -> {QUOTED} \[(.*)\];$", re.MULTILINE)
ATTRIBUTE = re.compile(rf"(\w+)={QUOTED}")


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
def test_nodes_and_the_strongest_edges_read_back(tmp_path: Path, made):
    found = made()
    export(found, tmp_path / "a.dot")
    text = (tmp_path / "a.dot").read_text(encoding="utf-8")
    nodes = {unquoted(n): dict(ATTRIBUTE.findall(rest)) for n, rest in NODE.findall(text)}
    edges = [(unquoted(s), unquoted(t)) for s, t, _ in EDGE.findall(text)]

    assert set(nodes) == {harmless(node) for node in found.graph}
    assert edges == [
        (harmless(source), harmless(target)) for source, target, _ in strongest(found.graph)
    ]
    for name, facts in found.graph.nodes(data=True):
        label = nodes[harmless(name)]["label"] or nodes[harmless(name)]["xlabel"]
        assert unquoted(label) == harmless(facts["label"])


def test_layers_are_ranks(tmp_path: Path):
    export(result(), tmp_path / "a.dot")
    text = (tmp_path / "a.dot").read_text(encoding="utf-8")
    ranks = re.findall(r"\{ rank=(\w+);\n(.*?)\n  \}", text, re.DOTALL)
    layers = [set(re.findall(r'"[^"@]*\.L(\d)[^"]*@', body)) for _, body in ranks]

    assert (ranks[0][0], ranks[-1][0]) == ("min", "max")
    assert all(len(layer) == 1 for layer in layers[1:-1])


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_dot_draws_layers_above_each_other(tmp_path: Path):
    found = exact_cancellation()
    export(found, tmp_path / "a.dot")
    plain = subprocess.run(
        ["dot", "-Tplain", str(tmp_path / "a.dot")], capture_output=True, check=True, text=True
    )
    heights = dict(
        re.findall(r"^node (?:\"([^\"]+)\"|\w+) \S+ (\S+)", plain.stdout, re.MULTILINE)
    )
    layers = {
        layer: [
            float(heights[node])
            for node, facts in found.graph.nodes(data=True)
            if facts["layer"] == layer
        ]
        for layer in (0, 1)
    }

    assert max(layers[0]) < min(layers[1])


def test_nothing_in_a_word_is_an_escape():
    assert quoted('a"b\\N\n') == '"a\\"b\\\\N\u240a"'


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
@pytest.mark.parametrize("program", [["dot"], ["neato", "-n2"]])
def test_graphviz_draws_it(tmp_path: Path, made, program):
    found = made()
    export(found, tmp_path / "a.dot")
    run = subprocess.run(
        [*program, "-Tsvg", str(tmp_path / "a.dot")], capture_output=True, check=False
    )
    drawn = run.stdout.decode("utf-8")

    assert run.returncode == 0, run.stderr
    assert drawn.count('class="node"') == len(found.graph)
    assert drawn.count('class="edge"') == len(strongest(found.graph))
    assert not any(payload in drawn for payload in PAYLOADS)
