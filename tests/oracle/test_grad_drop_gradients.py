"""Dropped gradients and parts against the plain model with contributions held, in float64."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import nn

from atpdsl.planning.ops import Drop, Place
from tests.oracle import dropped as slow
from tests.oracle.cases import SAME_LENGTH
from tests.oracle.float64 import in_float64
from tests.oracle.metrics import logit_diff
from tests.oracle.plain import Activations, capture
from tests.runtime.walks import CutRun, Walked, cut_run, write
from tests.small_models import FAMILIES, N_LAYERS, PARALLEL, small_model

METRIC = logit_diff([[a] for a in SAME_LENGTH.answers], [[f] for f in SAME_LENGTH.foils])
TOKENS = torch.tensor(SAME_LENGTH.clean)
STREAM = ("resid.pre", "resid.mid", "resid.post", "embed")
ATTENTION = ("heads.q", "heads.k", "heads.v", "heads.z", "attn")
HELD = {
    Drop.EVERY_LAYER: slow.whole_layers(N_LAYERS),
    Drop.EVERY_SUBLAYER: slow.sublayers(N_LAYERS),
}
DROPS = pytest.mark.parametrize("drop", list(HELD), ids=str)
EXACT = {"rtol": 0, "atol": 1e-12}
ALL_FAMILIES = pytest.mark.parametrize("family", FAMILIES)


@cache
def the_model(family: str) -> nn.Module:
    return small_model(family)


@cache
def walked(family: str) -> tuple[CutRun, Walked]:
    model = the_model(family)
    with in_float64(model):
        run = cut_run(model, TOKENS, METRIC)
        return run, run.walk()


@cache
def held_gradients(family: str, held: tuple[tuple[str, int], ...] = ()) -> Activations:
    model = the_model(family)
    with in_float64(model):
        return slow.gradients(model, TOKENS, METRIC, held)


@ALL_FAMILIES
def test_the_plain_gradient_is_that_of_an_ordinary_backward(family):
    run, found = walked(family)
    expected = held_gradients(family)

    assert set(found.plain) == {write(place) for place in run.places}
    assert {(place.kind, place.layer) for place in run.places} == set(expected)
    for place in run.places:
        gradient = expected[place.kind, place.layer]
        assert gradient.abs().max() > 1e-6
        torch.testing.assert_close(found.plain[write(place)], gradient, **EXACT)


def kinds_of_drops(family: str, drop: Drop, place: Place) -> tuple[list, list, list]:
    """The drops of the twin: those that make a difference, leave the plain gradient, zero."""
    key = place.kind, place.layer
    plain = held_gradients(family)[key]
    streams, same, none = [], [], []
    for held in HELD[drop]:
        gradient = held_gradients(family, tuple(held))[key]
        if (gradient == 0).all():
            none.append(gradient)
        elif torch.allclose(gradient, plain, rtol=0, atol=1e-13):
            same.append(gradient)
        else:
            streams.append(gradient)
    return streams, same, none


@ALL_FAMILIES
@DROPS
def test_every_dropped_gradient_is_that_of_a_model_with_the_contribution_held(family, drop):
    run, found = walked(family)

    for place in run.places:
        streams, same, none = kinds_of_drops(family, drop, place)
        dropped = found.dropped[drop][place]
        assert dropped.plain == len(same), place
        assert dropped.divisor == len(HELD[drop]) - len(none), place
        assert len(none) == (place.kind not in STREAM)
        assert len(dropped.streams) == len(streams), place
        # Each stream is that of one drop, in whatever order.
        for gradient in streams:
            distance = (dropped.streams - gradient).abs().flatten(1).amax(1)
            assert (distance < 1e-12).sum() == 1, place


@ALL_FAMILIES
@DROPS
def test_the_magnitude_is_the_mean_over_all_drops(family, drop):
    """Eq. 11 as it is written: all drops, scaled for the node's own if it has one."""
    run, found = walked(family)
    generator = torch.Generator().manual_seed(0)

    for place in run.places:
        key, drops = (place.kind, place.layer), len(HELD[drop])
        plain = found.plain[write(place)]
        change = torch.randn(plain.shape, generator=generator, dtype=torch.float64)
        slowly = [held_gradients(family, tuple(held))[key] for held in HELD[drop]]
        estimates = torch.stack([(change * g).flatten(2).sum(-1) for g in slowly])
        expected = estimates.abs().mean(0)
        if place.kind not in STREAM:
            expected = expected * drops / (drops - 1)

        dropped = found.dropped[drop][place]
        magnitude = dropped.magnitude(
            (change * plain).flatten(2).sum(-1), (change * dropped.streams).flatten(3).sum(-1)
        )
        torch.testing.assert_close(magnitude, expected, rtol=1e-9, atol=1e-12)


@ALL_FAMILIES
@DROPS
def test_a_dropped_gradient_is_the_slope_of_the_held_metric(family, drop):
    """Central differences along one direction per kind, in all layers at once."""
    model = the_model(family)
    generator = torch.Generator().manual_seed(1)
    for held in HELD[drop]:
        gradients = held_gradients(family, tuple(held))
        directions = {
            # Short enough for the fifth derivative not to show.
            key: 0.1 * torch.randn(g.shape, generator=generator, dtype=torch.float64)
            for key, g in gradients.items()
        }
        with in_float64(model):
            slopes = slow.slopes(model, TOKENS, METRIC, held, directions)
        for kind, slope in slopes.items():
            expected = sum(
                (directions[key] * g).flatten(1).sum(1)
                for key, g in gradients.items()
                if key[0] == kind
            )
            torch.testing.assert_close(slope, expected, rtol=1e-6, atol=1e-8)


def held_between(place: Place, until: int) -> tuple[tuple[str, int], ...]:
    """Every contribution that could read a node before layer `until` does."""
    first = place.layer + (place.kind not in {"resid.pre", "embed"})
    own = [("mlp", place.layer)] if place.kind in {*ATTENTION, "resid.mid"} else []
    layers = range(first, until)
    return (*own, *((kind, layer) for layer in layers for kind in ("attn", "mlp")))


@ALL_FAMILIES
def test_each_part_is_what_its_layer_is_first_to_read(family):
    """The ways that skip all layers before j, less those that skip j too."""
    run, found = walked(family)

    for place in run.places:
        key, first = (place.kind, place.layer), place.layer
        first += place.kind not in {"resid.pre", "embed"}
        reached = [
            held_gradients(family, held_between(place, until))[key]
            for until in range(first, N_LAYERS + 1)
        ]
        expected = [reached[-1]]
        expected += [reached[i] - reached[i + 1] for i in reversed(range(len(reached) - 1))]
        if place.kind in {*ATTENTION, "resid.mid"} and family not in PARALLEL:
            expected.append(held_gradients(family)[key] - reached[0])

        parts = found.parts[place]
        torch.testing.assert_close(parts.streams, torch.stack(expected), **EXACT)
        torch.testing.assert_close(parts.streams.sum(0), found.plain[write(place)], **EXACT)


@ALL_FAMILIES
def test_the_magnitude_by_first_reader_is_as_defined(family):
    """1 / (L - 1) (m |I| + sum over later layers j of |I - term j|), 1 / L in the stream."""
    run, found = walked(family)
    generator = torch.Generator().manual_seed(2)

    for place in run.places:
        parts, plain = found.parts[place], found.plain[write(place)]
        change = torch.randn(plain.shape, generator=generator, dtype=torch.float64)
        total = (change * plain).flatten(2).sum(-1)
        terms = (change * parts.streams).flatten(3).sum(-1)

        drops = dict.fromkeys(range(place.layer), total)
        in_layer = place.kind not in STREAM
        first = place.layer + (place.kind not in {"resid.pre", "resid.mid", "embed"})
        if place.kind == "resid.post":
            drops[place.layer] = total
        for layer in range(first, N_LAYERS):
            # The direct part, the last layer's, and so on; a layer's own MLP comes last.
            drops[layer] = total - terms[N_LAYERS - layer]
        expected = sum(d.abs() for d in drops.values()) / (N_LAYERS - in_layer)

        assert len(drops) == N_LAYERS - in_layer
        torch.testing.assert_close(parts.magnitude(total, terms), expected, **EXACT)


@ALL_FAMILIES
def test_held_contributions_keep_their_values(family):
    """The twin changes no value; only the ways are cut."""
    model = the_model(family)
    with in_float64(model):
        before = capture(model, TOKENS)
        with slow.holding(model, before, HELD[Drop.EVERY_LAYER][1]):
            after = capture(model, TOKENS)

    for key, value in before.items():
        torch.testing.assert_close(after[key], value, rtol=0, atol=0)
