"""Node kinds: what every entry of the table must be."""

from __future__ import annotations

import pytest

from atpdsl.nodes import NODE_KINDS, Role, Unit


def test_the_kinds_are_those_of_the_language():
    assert set(NODE_KINDS.names) == {
        *("heads.q", "heads.k", "heads.v", "heads.z", "attn", "mlp", "neurons"),
        *("resid.pre", "resid.mid", "resid.post", "embed"),
    }


@pytest.mark.parametrize("kind", NODE_KINDS, ids=lambda kind: kind.name)
def test_a_layered_kind_has_a_site_per_layer(kind):
    assert (kind.site(0) != kind.site(1)) is kind.layered


@pytest.mark.parametrize("kind", NODE_KINDS, ids=lambda kind: kind.name)
def test_a_site_has_no_placeholder_left(kind):
    site = kind.site(3)

    assert "{" not in f"{site.read}{site.write}{site.stream}"


def test_keys_and_values_are_counted_in_kv_heads():
    assert [k.name for k in NODE_KINDS if k.unit is Unit.KV_HEAD] == ["heads.k", "heads.v"]


def test_only_the_middle_of_a_block_is_written_elsewhere_than_it_is_read():
    moved = [k.name for k in NODE_KINDS if k.site(0).read != k.site(0).write]

    assert moved == ["resid.mid"]


def test_stages_order_a_block():
    stage = {kind.name: kind.stage for kind in NODE_KINDS}

    assert stage["embed"] < stage["resid.pre"] < stage["heads.q"] < stage["heads.z"]
    assert stage["heads.z"] < stage["attn"] < stage["resid.mid"] < stage["neurons"]
    assert stage["neurons"] < stage["mlp"] < stage["resid.post"]


def test_stream_kinds_neither_only_read_nor_write():
    streams = {kind.name for kind in NODE_KINDS if kind.role is Role.STREAM}

    assert streams == {"resid.pre", "resid.mid", "resid.post"}
