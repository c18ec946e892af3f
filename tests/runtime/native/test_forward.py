"""Unpatched native runs are the bridge's: logits, activations, attention, resumed or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from atpdsl.planning.ops import Place, Side
from atpdsl.runtime.native.block import Narrow
from tests.runtime.native.twins import (
    LENGTH,
    engines,
    forward,
    places,
    prompts,
)
from tests.small_models import N_LAYERS, no_downcast

EXACT = {"rtol": 0, "atol": 1e-11}
LAST = N_LAYERS - 1
EVERYWHERE = {"heads.k", "heads.v", "resid.pre"}
"""Kinds that a last layer has at all positions."""


def test_logits_and_all_activations_are_the_bridges(family):
    bridge, native = engines(family)
    given = prompts()
    with no_downcast():
        expected = bridge.run(given, forward(family), None)
        found = native.run(given, forward(family), None)

    torch.testing.assert_close(found.logits, expected.logits, **EXACT)
    assert set(found.values) == set(places(family))
    rows = torch.arange(len(given.reads))
    for place, values in expected.values.items():
        narrow = place.layer == LAST and place.kind not in EVERYWHERE
        mine, theirs = (
            one[rows, given.reads] if narrow else one for one in (found.values[place], values)
        )
        torch.testing.assert_close(mine, theirs, **EXACT, msg=str(place))


def test_a_last_layer_is_whole_where_that_is_asked_for(family):
    bridge, native = engines(family)
    given = replace(prompts(), whole=True)
    with no_downcast():
        expected = bridge.run(given, forward(family), None)
        found = native.run(given, forward(family), None)

    torch.testing.assert_close(found.logits, expected.logits, **EXACT)
    for place, values in expected.values.items():
        torch.testing.assert_close(found.values[place], values, **EXACT, msg=str(place))


def test_attention_is_kept_as_the_scores_see_it(family):
    bridge, native = engines(family)
    layers = tuple(range(N_LAYERS))
    asked = forward(family, attention=layers, tracked=True, segmented=True)
    with no_downcast():
        expected = bridge.run(prompts(), asked, None)
        found = native.run(prompts(), asked, None)

    # The bridge keeps queries and keys as they are before the rotary embedding.
    for layer in layers:
        for name in ("query", "key", "value", "output"):
            mine, theirs = (
                getattr(run.attention[layer], name).detach() for run in (found, expected)
            )
            torch.testing.assert_close(mine, theirs, **EXACT, msg=f"{name} of {layer}")


@pytest.mark.parametrize("start", [1, 4, 6])
def test_a_run_with_a_past_is_the_run_from_the_start(family, start):
    _, native = engines(family)
    past, given = prompts(), prompts()
    given.tokens[:, start:] = prompts(seed=7).tokens[:, start:]
    layers = tuple(range(N_LAYERS))
    whole = forward(family, attention=layers, side=Side.CORRUPTED)
    late = replace(whole, past=forward(family, attention=layers), start=start)
    with no_downcast():
        before = native.run(past, forward(family, attention=layers), None)
        passed = native.passed
        found = native.run(given, late, before)
        passed = native.passed - passed
        expected = native.run(given, whole, None)

    assert (found.start, found.stop) == (start, LENGTH)
    assert passed == 3 * (LENGTH - start) * N_LAYERS
    torch.testing.assert_close(found.logits, expected.logits, **EXACT)
    for place, values in expected.values.items():
        torch.testing.assert_close(found.values[place], values[:, start:], **EXACT)
    # The QK fix looks at the attention of the past, too.
    for layer in layers:
        for name in ("query", "key", "value", "output"):
            mine, theirs = (getattr(r.attention[layer], name) for r in (found, expected))
            torch.testing.assert_close(mine, theirs, **EXACT)


def test_a_late_start_without_a_past_is_refused():
    _, native = engines("gpt2")

    with pytest.raises(ValueError, match="no past"):
        native.run(prompts(), forward("gpt2", start=2), None)


def test_only_what_is_asked_for_is_kept():
    _, native = engines("gpt2")
    place = Place("mlp", 1)
    run = native.run(prompts(), forward("gpt2", captures=(place,), resumable=False), None)

    assert set(run.values) == {place}
    assert run.native is not None
    assert (run.native.layers, run.native.traces) == ([], [])


def test_a_last_layer_is_narrow_unless_its_attention_is_looked_at():
    _, native = engines("gpt2")
    for attention, queries in (((), True), ((LAST,), False)):
        run = native.run(prompts(), forward("gpt2", tracked=True, attention=attention), None)
        assert run.native is not None
        *inner, last = run.native.traces
        assert all(trace is not None and trace.narrow == Narrow() for trace in inner)
        assert last is not None
        assert last.narrow == Narrow(queries=queries, rest=True)
