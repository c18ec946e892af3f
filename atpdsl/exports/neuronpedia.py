"""The graph JSON of Neuronpedia and circuit-tracer.

Validate it on neuronpedia.org/graph/validator; uploading is up to you. What its schema does
not say but its page needs: a node is known by layer, feature and token, so that features of
all kinds in a layer differ; the text of a logit has `(p=...)` in it; some node is in a layer
above 0, so that layers count from 1 here; and `influence` is cumulative, the most important
node having the least, which its slider cuts off from above.

The page shows one prompt: the clean one of the pair whose gap is nearest to the mean. Scores
are means over all pairs all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.marks import signed
from atpdsl.nodes import NODE_KINDS
from atpdsl.problems import Problem, RunError
from atpdsl.results.document import dumps
from atpdsl.results.harmless import harmless
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

    from atpdsl.models.shape import ModelShape
    from atpdsl.results.record import PairRecord, Record
    from atpdsl.results.result import Result

EMBEDDING_LAYER = "E"
# So many of the best nodes are pinned when the page opens.
PINNED = 8
_URL = "https://pypi.org/project/atpdsl/"


def write(result: Result, path: Path) -> None:
    """Write the circuit as Neuronpedia's graph JSON.

    Raises:
        RunError: when the circuit has no node.
    """
    graph, record = result.graph, result.record
    if all(facts.get("layer") is None for _, facts in graph.nodes(data=True)):
        message = (
            "the circuit has no node in a layer, and Neuronpedia shows no graph without one"
        )
        advice = "keep more nodes: `circuit { keep = top(20) }`"
        raise RunError([Problem(code="ATP457", message=message, help=advice)])
    prompt = _Prompt.of(record)
    spots = _spots(graph, prompt, record.provenance.model.shape)
    pinned = (*_ranked(graph)[:PINNED], LOGITS)
    data = {
        "metadata": _metadata(result, prompt),
        "qParams": {
            "pinnedIds": [spots[name].node_id for name in pinned],
            "supernodes": [],
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": list(_nodes(graph, spots, prompt)),
        "links": _links(graph, spots, prompt),
    }
    path.write_text(dumps(data), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    """The prompt that is shown.

    Attributes:
        number: of its pair, from 0.
        last: the token at which the metric is read.
    """

    pair: PairRecord
    number: int
    last: int

    @classmethod
    def of(cls, record: Record) -> _Prompt:
        """That of the pair whose gap is nearest to the mean; the first of several."""
        mean = record.metric.gap or 0.0
        gaps = [abs((pair.gap or 0.0) - mean) for pair in record.pairs]
        number = gaps.index(min(gaps))
        pair = record.pairs[number]
        return cls(pair=pair, number=number, last=_token_at(pair, record.metric.position))

    def token(self, position: str) -> int:
        """The token of a position; the last one for the whole prompt."""
        return _token_at(self.pair, position)


def _token_at(pair: PairRecord, position: str) -> int:
    last = len(pair.clean.tokens) - 1
    if position in pair.positions:
        return min(pair.positions[position][0], last)
    return min(int(position), last) if position.isdecimal() else last


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where the page shows a node, and what it knows it by: all three numbers together."""

    layer: str
    feature: int
    token: int

    @property
    def node_id(self) -> str:
        """As the page makes it."""
        return f"{self.layer}_{self.feature}_{self.token}"


def _spots(
    graph: networkx.MultiDiGraph, prompt: _Prompt, shape: ModelShape
) -> dict[str, _Spot]:
    """A spot for each node but the input, none of them twice, nor that of a token.

    Features are numbered through all kinds of a layer. Two positions can be at one token of
    this prompt, so numbers that are taken go on behind all kinds.
    """
    stride = max(shape.d_mlp, shape.n_heads) + 1
    beyond = stride * (len(NODE_KINDS) + 1)
    taken = {_token_spot(number, prompt) for number in range(len(prompt.pair.clean.ids))}
    found = {}
    for name, facts in graph.nodes(data=True):
        if name == INPUT:
            continue
        kind, layer = facts["kind"], facts.get("layer")
        spot = _Spot(
            layer=EMBEDDING_LAYER if layer is None else str(layer + 1),
            feature=_number_of(kind) * stride + (facts.get("index") or 0),
            token=prompt.last if name == LOGITS else prompt.token(str(facts["position"])),
        )
        if name == LOGITS:
            spot = replace(spot, layer=str(shape.n_layers + 1))
        while spot in taken:
            spot = replace(spot, feature=spot.feature + beyond)
        taken.add(spot)
        found[name] = spot
    return found


def _number_of(kind: str) -> int:
    return NODE_KINDS.names.index(kind) + 1 if kind in NODE_KINDS else 0


def _token_spot(number: int, prompt: _Prompt) -> _Spot:
    return _Spot(layer=EMBEDDING_LAYER, feature=prompt.pair.clean.ids[number], token=number)


def _metadata(result: Result, prompt: _Prompt) -> dict[str, Any]:
    record = result.record
    described = record.method(str(result.graph.graph["method"]))
    formula = "" if described is None else f"{described.formula}; {described.sign}"
    about = (
        f"{record.spec.doc}\n\nNodes are means over {len(record.pairs)} pairs, shown on the "
        f"clean prompt of pair {prompt.number + 1}. Activation is the effect on "
        f"{record.metric.title} at {record.metric.position}, measured or estimated ({formula})."
        " Links say who can read whom; their weight is the smaller score of both ends. Layers "
        "count from 1. The p of the output is no probability."
    )
    return {
        "slug": _slug(record.spec.name),
        "scan": _shown(record.provenance.model.name),
        "prompt_tokens": [_shown(token) for token in prompt.pair.clean.tokens],
        "prompt": _shown(prompt.pair.clean.text),
        "node_threshold": 1.0,
        "info": {
            "description": _shown(about.strip()),
            "generator": {
                "name": "atpdsl",
                "version": record.provenance.versions.get("atpdsl", ""),
                "url": _URL,
            },
            **_time(record.host.started),
        },
        "generation_settings": {
            name: _shown(value) if isinstance(value, str) else value
            for name, value in result.graph.graph.items()
            if name != "schema"
        },
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "circuit"


def _time(started: str) -> dict[str, int]:
    """When the run began, in milliseconds since 1970."""
    try:
        return {"create_time_ms": round(datetime.fromisoformat(started).timestamp() * 1000)}
    except ValueError:
        return {}


def _ranked(graph: networkx.MultiDiGraph) -> list[str]:
    """Nodes with a score, the largest first."""
    scores = {n: facts.get("score") for n, facts in graph.nodes(data=True)}
    known = {name: score for name, score in scores.items() if score is not None}
    return sorted(known, key=lambda name: (-known[name], name))


def _nodes(
    graph: networkx.MultiDiGraph, spots: Mapping[str, _Spot], prompt: _Prompt
) -> Iterator[dict[str, Any]]:
    for number, token in enumerate(prompt.pair.clean.tokens):
        text = f"Emb: {json.dumps(_shown(token), ensure_ascii=False)}"
        yield _node(_token_spot(number, prompt), "embedding", text)
    influence = _influence(graph)
    for name, spot in spots.items():
        facts = graph.nodes[name]
        if name == LOGITS:
            yield _node(spot, "logit", _logit_text(graph))
            continue
        yield {
            **_node(spot, str(facts["kind"]), _text(facts)),
            "influence": influence.get(name, 1.0),
            "activation": signed(facts),
        }


def _node(spot: _Spot, kind: str, text: str) -> dict[str, Any]:
    return {
        "node_id": spot.node_id,
        "feature": spot.feature,
        "layer": spot.layer,
        "ctx_idx": spot.token,
        "feature_type": kind,
        "jsNodeId": f"{spot.node_id}-0",
        "clerp": text,
    }


def _shown(text: str) -> str:
    """A text with nothing in it that a page could take for a tag."""
    return re.sub(r"<(?=[A-Za-z/!?])", "‹", harmless(text))


def _logit_text(graph: networkx.MultiDiGraph) -> str:
    metric = f"{graph.graph['metric']} at {graph.graph['metric_position']}"
    return f"{_shown(metric).replace('(p=', '(p =')} (p=nan)"


def _text(facts: Mapping[str, Any]) -> str:
    known = "measured" if facts.get("verified") else "estimated"
    flags = "".join(f", {flag}" for flag in facts.get("flags") or ())
    return _shown(f"{facts['label']} ({known}{flags})")


def _influence(graph: networkx.MultiDiGraph) -> dict[str, float]:
    """The share of all scores that nodes as important or more have together."""
    scores = {name: graph.nodes[name]["score"] for name in _ranked(graph)}
    total = sum(scores.values()) or 1.0
    found: dict[str, float] = {}
    so_far = 0.0
    for name, score in scores.items():
        so_far += score
        found[name] = min(so_far / total, 1.0)
    return found


def _links(
    graph: networkx.MultiDiGraph, spots: Mapping[str, _Spot], prompt: _Prompt
) -> list[dict[str, Any]]:
    """One link between two nodes, in however many ways the one reads the other."""
    weights: dict[tuple[_Spot, _Spot], float] = {}
    for source, target, weight in graph.edges(data="weight"):
        start = spots.get(source) or _token_spot(spots[target].token, prompt)
        ends = (start, spots[target])
        weights[ends] = max(weights.get(ends, 0.0), weight or 0.0)
    return [
        {"source": source.node_id, "target": target.node_id, "weight": weight}
        for (source, target), weight in weights.items()
    ]


NEURONPEDIA = Exporter(
    name="neuronpedia",
    suffixes=(".neuronpedia.json",),
    summary="the circuit for Neuronpedia and circuit-tracer, on one prompt",
    write=write,
)
