"""Which positions are seen, read and spread out again."""

from __future__ import annotations

import pytest
import torch

from atpdsl.runtime.native.frame import Frame
from tests.runtime.native.twins import LENGTH, randoms, weights_of
from tests.small_models import SLIDING_WINDOW

LIKE = torch.zeros(1, dtype=torch.float64)


def frame(family: str = "gemma3", start: int = 0, reads: tuple[int, ...] = (8, 6)) -> Frame:
    return Frame(weights_of(family), LIKE, start, LENGTH, torch.tensor(reads))


@pytest.mark.parametrize("start", [0, 4])
@pytest.mark.parametrize("window", [None, 1, 4, 40])
def test_a_query_sees_itself_and_so_many_keys_before_it(start, window):
    seen = frame(start=start).mask(window)

    assert seen.shape == (LENGTH - start, LENGTH)
    for query in range(start, LENGTH):
        first = 0 if window is None else max(0, query - window + 1)
        expected = [first <= key <= query for key in range(LENGTH)]
        assert seen[query - start].tolist() == expected


def test_no_mask_is_made_where_everything_before_is_seen():
    windowed, full, _ = weights_of("gemma3").blocks
    assert (windowed.attention.window, full.attention.window) == (SLIDING_WINDOW, None)
    whole, late = frame(), frame(start=2)

    assert whole.visible(full.attention) is None
    for of, attention in ((whole, windowed), (late, full), (late, windowed)):
        seen = of.visible(attention.attention)
        assert seen is not None
        assert torch.equal(seen, of.mask(attention.attention.window))


def test_a_window_as_long_as_the_prompt_is_none():
    block = weights_of("gemma3").blocks[0]
    short = Frame(weights_of("gemma3"), LIKE, 0, SLIDING_WINDOW, torch.tensor([3]))

    assert short.visible(block.attention) is None


def test_rotary_tables_are_those_of_the_layer_and_the_positions():
    """Gemma's sliding layers turn by other angles than its full ones."""
    whole, late = frame(), frame(start=3)
    turned = []
    for block in weights_of("gemma3").blocks[:2]:
        tables, after = whole.rotation(block.attention), late.rotation(block.attention)
        assert tables is not None
        assert after is not None
        for table, rest in zip(tables, after, strict=True):
            assert torch.equal(table[:, 3:], rest)
        turned.append(tables[0])

    assert not torch.equal(*turned)
    assert frame("gpt2").rotation(weights_of("gpt2").blocks[0].attention) is None


@pytest.mark.parametrize("reads", [(8, 6), (7, 7)])
@pytest.mark.parametrize("start", [0, 4])
def test_what_is_read_is_spread_where_it_was_read(reads, start):
    of = frame(start=start, reads=reads)
    full = randoms(torch.zeros(2, LENGTH - start, 3, dtype=torch.float64), 5)
    rows = torch.arange(2)
    expected = full[:, rows, torch.tensor(reads) - start]

    assert torch.equal(of.read(full[0])[:, 0], expected[0])
    assert torch.equal(of.read_gradient(full, start)[:, :, 0], expected)
    spread = of.spread_gradient(expected[:, :, None], start)
    assert torch.equal(spread[:, rows, torch.tensor(reads) - start], expected)
    assert int((spread != 0).sum()) == int((expected != 0).sum())
    assert torch.equal(of.spread(expected[0][:, None]), spread[0])
    twice = spread.clone()
    of.add_read(twice, expected[:, :, None], start)
    assert torch.equal(twice, 2 * spread)


def test_gradients_may_begin_after_the_run():
    of = frame(start=1, reads=(8, 6))
    full = randoms(torch.zeros(2, LENGTH - 5, 3, dtype=torch.float64), 2)

    expected = torch.stack((full[:, 0, 3], full[:, 1, 1]), dim=1)
    assert torch.equal(of.read_gradient(full, 5)[:, :, 0], expected)
    assert of.spread_gradient(expected[:, :, None], 5).shape == full.shape
