"""The reading relation, against the order of computation written out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.nodes import NODE_KINDS
from atpdsl.results.reading import Reading, Spot, Via
from tests.results.samples import SHAPE

EVERYWHERE = ((0, 9),)
ALL_KINDS = dict.fromkeys(NODE_KINDS.names, EVERYWHERE)
HEADS = dict.fromkeys(("heads.q", "heads.k", "heads.v", "heads.z"), EVERYWHERE)


def spot(name: str, layer: int = 0, position: int | None = 3, index: int = 0) -> Spot:
    return Spot(kind=NODE_KINDS[name], layer=layer, index=index, position=position)


def via(source: Spot, reader: Spot, *, parallel: bool = False, covered=ALL_KINDS):
    shape = replace(SHAPE, parallel=parallel)
    return Reading(shape=shape, covered=covered).via(source, reader)


# Steps of one position of a sequential model, in the order in which the stream meets them.
WRITERS = ["embed", "heads.z", "attn", "mlp", "neurons"]
READERS = ["heads.q", "heads.k", "heads.v", "mlp", "neurons"]
STREAM = ["resid.pre", "resid.mid", "resid.post"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("reader", READERS + STREAM)
def test_every_writer_is_read_by_every_reader_of_later_layers(writer, reader):
    assert via(spot(writer, 0), spot(reader, 1)) is Via.STREAM


@pytest.mark.parametrize("writer", WRITERS[1:])
@pytest.mark.parametrize("reader", READERS + STREAM)
def test_nothing_is_read_by_earlier_layers(writer, reader):
    assert via(spot(writer, 1), spot(reader, 0)) is None


@pytest.mark.parametrize("writer", ["embed", "mlp"])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("other", [2, 4])
def test_the_stream_stays_at_its_position(writer, reader, other):
    assert via(spot(writer, 0, 3), spot(reader, 1, other)) is None


@pytest.mark.parametrize("reader", ["mlp", "neurons", "resid.mid", "resid.post"])
@pytest.mark.parametrize("writer", ["heads.z", "attn"])
def test_attention_feeds_the_mlp_of_its_layer(writer, reader):
    assert via(spot(writer), spot(reader)) is Via.STREAM


@pytest.mark.parametrize("reader", ["mlp", "neurons"])
@pytest.mark.parametrize("writer", ["heads.z", "attn"])
def test_attention_does_not_feed_the_mlp_of_its_layer_in_parallel_blocks(writer, reader):
    assert via(spot(writer), spot(reader), parallel=True) is None
    assert via(spot(writer, 0), spot(reader, 1), parallel=True) is Via.STREAM


@pytest.mark.parametrize("parallel", [False, True])
def test_the_mlp_never_feeds_the_attention_of_its_layer(parallel):
    assert via(spot("mlp"), spot("heads.q"), parallel=parallel) is None


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("reader", READERS)
def test_a_layers_input_feeds_all_of_the_layer(parallel, reader):
    assert via(spot("resid.pre"), spot(reader), parallel=parallel) is Via.STREAM


@pytest.mark.parametrize("reader", ["heads.q", "heads.k", "heads.v", "resid.pre"])
def test_the_middle_of_a_layer_does_not_feed_its_attention(reader):
    assert via(spot("resid.mid"), spot(reader)) is None


@pytest.mark.parametrize("reader", ["mlp", "neurons", "resid.post"])
def test_the_middle_of_a_layer_feeds_its_mlp(reader):
    assert via(spot("resid.mid"), spot(reader)) is Via.STREAM


def test_the_stream_goes_one_way():
    assert via(spot("resid.pre"), spot("resid.post")) is Via.STREAM
    assert via(spot("resid.post"), spot("resid.pre")) is None
    assert via(spot("resid.post", 0), spot("resid.pre", 1)) is Via.STREAM


def test_no_node_reads_itself():
    for kind in NODE_KINDS:
        assert via(spot(kind.name), spot(kind.name)) is None


@pytest.mark.parametrize("name", ["heads.k", "heads.v"])
@pytest.mark.parametrize(
    ("position", "reads"), [(2, None), (3, Via.ATTENTION), (7, Via.ATTENTION)]
)
def test_keys_and_values_are_read_at_their_position_and_later(name, position, reads):
    assert via(spot(name, 1, 3), spot("heads.z", 1, position)) is reads


@pytest.mark.parametrize(("position", "reads"), [(2, None), (3, Via.ATTENTION), (7, None)])
def test_queries_are_read_at_their_position(position, reads):
    assert via(spot("heads.q", 1, 3), spot("heads.z", 1, position)) is reads


@pytest.mark.parametrize(
    ("head", "reads"), [(0, None), (1, None), (2, Via.ATTENTION), (3, Via.ATTENTION)]
)
def test_a_key_value_head_is_read_by_its_group(head, reads):
    assert via(spot("heads.v", index=1), spot("heads.z", index=head)) is reads


def test_a_query_is_read_by_its_own_head():
    assert via(spot("heads.q", index=2), spot("heads.z", index=2)) is Via.ATTENTION
    assert via(spot("heads.q", index=2), spot("heads.z", index=3)) is None


def test_queries_keys_and_values_are_read_in_their_layer_only():
    for name in ("heads.q", "heads.k", "heads.v"):
        assert via(spot(name, 0), spot("heads.z", 1)) is None
        assert via(spot(name, 0), spot("mlp", 1)) is None
        assert via(spot(name, 0), spot("resid.post", 0)) is None


def test_parts_belong_to_their_whole():
    assert via(spot("heads.z"), spot("attn")) is Via.PART
    assert via(spot("neurons"), spot("mlp")) is Via.PART
    assert via(spot("heads.z"), spot("attn", position=4)) is None
    assert via(spot("neurons"), spot("mlp", position=4)) is None
    assert via(spot("heads.z", 0), spot("attn", 1)) is None
    assert via(spot("neurons", 0), spot("mlp", 1)) is Via.STREAM


def test_heads_read_the_stream_through_their_queries_keys_and_values():
    assert via(spot("mlp", 0), spot("heads.z", 1), covered=HEADS) is None


def test_without_query_key_and_value_nodes_heads_read_the_stream_themselves():
    covered = {"heads.z": EVERYWHERE, "mlp": EVERYWHERE}

    assert via(spot("mlp", 0, 3), spot("heads.z", 1, 3), covered=covered) is Via.ATTENTION
    assert via(spot("mlp", 0, 3), spot("heads.z", 1, 5), covered=covered) is Via.ATTENTION
    assert via(spot("mlp", 0, 3), spot("heads.z", 1, 2), covered=covered) is None
    assert via(spot("mlp", 1, 3), spot("heads.z", 1, 5), covered=covered) is None


def test_with_value_and_key_nodes_only_the_query_is_read_directly():
    covered = {"heads.z": EVERYWHERE, "heads.k": EVERYWHERE, "heads.v": EVERYWHERE}

    assert via(spot("mlp", 0, 3), spot("heads.z", 1, 3), covered=covered) is Via.ATTENTION
    assert via(spot("mlp", 0, 3), spot("heads.z", 1, 5), covered=covered) is None


def test_what_counts_is_the_readers_layer():
    covered = HEADS | {"heads.q": ((5, 9),), "heads.k": ((5, 9),), "heads.v": ((5, 9),)}

    assert via(spot("embed"), spot("heads.z", 1), covered=covered) is Via.ATTENTION
    assert via(spot("embed"), spot("heads.z", 5), covered=covered) is None


def test_a_whole_attention_reads_the_stream_where_there_are_no_nodes_inside_it():
    covered = {"attn": EVERYWHERE, "mlp": EVERYWHERE}

    assert via(spot("mlp", 0, 3), spot("attn", 1, 6), covered=covered) is Via.ATTENTION
    assert via(spot("mlp", 0, 3), spot("attn", 1, 2), covered=covered) is None
    assert via(spot("mlp", 0, 3), spot("attn", 1, 6)) is None


def test_keys_reach_a_whole_attention_where_there_are_no_heads():
    covered = {"attn": EVERYWHERE, "heads.k": EVERYWHERE}

    assert (
        via(spot("heads.k", 0, 3, index=1), spot("attn", 0, 6), covered=covered)
        is Via.ATTENTION
    )
    assert via(spot("heads.k", 0, 3), spot("attn", 0, 6)) is None


def test_a_node_over_the_whole_prompt_meets_every_position():
    assert via(spot("mlp", 0, None), spot("heads.q", 1, 7)) is Via.STREAM
    assert via(spot("mlp", 0, 7), spot("heads.q", 1, None)) is Via.STREAM
    assert via(spot("heads.v", 1, None), spot("heads.z", 1, 0)) is Via.ATTENTION


def test_queries_keys_and_values_go_into_the_stream_where_attention_has_no_output_nodes():
    covered = dict.fromkeys(("heads.q", "heads.k", "heads.v", "mlp"), EVERYWHERE)
    for name in ("heads.q", "heads.k", "heads.v"):
        later = None if name == "heads.q" else Via.ATTENTION
        assert via(spot(name, 0), spot("mlp", 0), covered=covered) is Via.ATTENTION
        assert via(spot(name, 0), spot("mlp", 0), covered=covered, parallel=True) is None
        assert via(spot(name, 0), spot("heads.q", 1), covered=covered) is Via.ATTENTION
        assert via(spot(name, 0), spot("mlp", 1, 5), covered=covered) is later
        assert via(spot(name, 0), spot("mlp", 1, 2), covered=covered) is None
        assert via(spot(name, 0), spot("heads.v", 0), covered=covered) is None


def test_the_end_reads_what_is_in_the_stream_at_its_position():
    everything = Reading(shape=SHAPE, covered=ALL_KINDS)
    without_outputs = Reading(
        shape=SHAPE, covered={"heads.q": EVERYWHERE, "heads.k": EVERYWHERE}
    )

    assert everything.via_end(spot("mlp"), 3) is Via.STREAM
    assert everything.via_end(spot("mlp"), 4) is None
    assert everything.via_end(spot("mlp"), None) is Via.STREAM
    assert everything.via_end(spot("heads.k"), 3) is None
    assert without_outputs.via_end(spot("heads.k"), 4) is Via.ATTENTION
    assert without_outputs.via_end(spot("heads.k"), 2) is None
    assert without_outputs.via_end(spot("heads.q"), 4) is None
