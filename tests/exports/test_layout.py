"""Where nodes stand in every drawing."""

from __future__ import annotations

from itertools import combinations, pairwise

import networkx
import pytest

from atpdsl.exports.layout import ABREAST, MOST_TOKENS, lay_out
from atpdsl.exports.strongest import MOST_IN, MOST_OUT, strongest
from atpdsl.results.names import INPUT, LOGITS
from tests.exports.cases import exact_cancellation, hostile
from tests.results.samples import EMBED, MLPS, WORDS, outcome, result


def grid(nodes: dict[str, tuple[int | None, int | None]]) -> networkx.MultiDiGraph:
    """Heads at (layer, token)."""
    graph = networkx.MultiDiGraph()
    for number, (name, (layer, token)) in enumerate(nodes.items()):
        graph.add_node(
            name,
            kind="embed" if layer is None else "heads.z",
            layer=layer,
            index=number,
            position="sequence" if token is None else str(token),
            token_index=token,
            token=None,
            score=1.0 + number,
            flags=[],
        )
    graph.add_node(INPUT, kind=INPUT, position=None)
    graph.add_node(LOGITS, kind=LOGITS, position="last", token_index=None)
    return graph


@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
def test_no_two_nodes_touch(made):
    dots = lay_out(made().graph).dots.values()

    for one, two in combinations(dots, 2):
        apart = ((one.x - two.x) ** 2 + (one.y - two.y) ** 2) ** 0.5
        assert apart > one.radius + two.radius


@pytest.mark.parametrize("made", [result, exact_cancellation])
def test_layers_go_up_and_tokens_to_the_right(made):
    graph = made().graph
    dots = lay_out(graph).dots
    inner = [n for n in graph if n not in (INPUT, LOGITS)]

    assert set(dots) == set(graph)
    for one in inner:
        assert dots[INPUT].y < dots[one].y < dots[LOGITS].y
        for two in inner:
            first, second = graph.nodes[one], graph.nodes[two]
            if first["layer"] < second["layer"]:
                assert dots[one].y < dots[two].y
            if first["token_index"] < second["token_index"]:
                assert dots[one].x < dots[two].x


def test_all_edges_go_up():
    graph = exact_cancellation().graph
    dots = lay_out(graph).dots

    assert graph.number_of_edges() > 20
    for source, target in graph.edges():
        assert dots[source].y < dots[target].y


def test_the_area_grows_with_the_score_and_the_largest_is_the_same_everywhere():
    graph = result().graph
    dots = lay_out(graph).dots
    scored = [n for n in graph if graph.nodes[n]["score"] is not None]
    by_score = sorted(scored, key=lambda n: graph.nodes[n]["score"])

    assert [dots[n].radius for n in by_score] == sorted(dots[n].radius for n in scored)
    assert dots[by_score[-1]].radius == pytest.approx(
        lay_out(grid({"a": (0, 0)})).dots["a"].radius
    )


def test_the_layout_does_not_depend_on_the_order_of_nodes():
    graph = result().graph
    turned = networkx.MultiDiGraph()
    turned.add_nodes_from(reversed(list(graph.nodes(data=True))))

    assert lay_out(turned).dots == lay_out(graph).dots


def test_many_nodes_of_one_place_stand_in_lines():
    graph = grid({f"n{i}": (0, 0) for i in range(2 * ABREAST + 1)})
    layout = lay_out(graph)
    levels = [layout.dots[f"n{i}"].y for i in range(2 * ABREAST + 1)]

    assert len(set(levels)) == 3
    assert levels == sorted(levels)


def test_nodes_over_the_whole_prompt_stand_left_and_those_without_layer_below():
    layout = lay_out(grid({"e": (None, 2), "w": (3, None), "h": (0, 2)}))

    assert layout.columns[0].index is None
    assert [row.layer for row in layout.rows] == [None, 0, 3]
    assert [row.after_gap for row in layout.rows] == [False, False, True]
    assert layout.dots["e"].y < layout.dots["h"].y < layout.dots["w"].y
    assert layout.dots["w"].x < layout.dots["h"].x


def test_short_prompts_are_shown_whole_and_long_ones_where_they_have_nodes():
    graph = grid({"a": (0, 1), "b": (0, 5)})
    whole = lay_out(graph, WORDS[:7]).columns
    cut = lay_out(graph, ["x"] * (MOST_TOKENS + 1)).columns

    assert [column.index for column in whole] == list(range(7))
    assert [column.token for column in whole] == list(WORDS[:7])
    assert [(column.index, column.after_gap) for column in cut] == [(1, True), (5, True)]
    for one, two in pairwise(whole):
        assert one.x + one.width / 2 <= two.x - two.width / 2 + 1e-9


def test_an_empty_circuit_has_a_layout():
    assert set(lay_out(grid({})).dots) == {INPUT, LOGITS}


def test_the_strongest_edges_are_few_at_each_node_and_heavy():
    graph = exact_cancellation().graph
    chosen = strongest(graph)
    weights = [graph.edges[edge]["weight"] for edge in chosen]
    sources = [source for source, _, _ in chosen]
    targets = [target for _, target, _ in chosen]

    assert 0 < len(chosen) < graph.number_of_edges()
    assert weights == sorted(weights, reverse=True)
    assert max(map(sources.count, sources)) <= MOST_OUT
    assert max(map(targets.count, targets)) <= MOST_IN
    assert weights[0] == max(w for s, _, w in graph.edges(data="weight") if s != INPUT)


def test_a_circuit_of_embeddings_and_mlps_is_laid_out():
    layout = lay_out(result(outcome([EMBED, MLPS], verified=())).graph)

    assert layout.rows[0].layer is None
