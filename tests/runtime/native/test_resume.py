"""Rows resumed from a run that was kept are rows run from the start, whatever is patched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from atpdsl.nodes import Unit
from atpdsl.planning.ops import Place, Side
from atpdsl.runtime.engine import PatchedRows
from atpdsl.runtime.forward import Patch, Run
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.sites import unit_axis
from tests.runtime.native.twins import LENGTH, engines, forward, places, prompts
from tests.small_models import N_LAYERS, no_downcast

EXACT = {"rtol": 0, "atol": 1e-11}
START = 3
"""Where the prompts of the two sides begin to differ."""


def both_sides(native: NativeEngine, family: str, start: int = 0) -> tuple[Run, Run, Prompts]:
    """A corrupted run that is patched, the clean one that values come from; its prompts."""
    clean, corrupted = replace(prompts(), whole=True), replace(prompts(), whole=True)
    corrupted.tokens[:, START:] = 1 + (corrupted.tokens[:, START:] + 17) % 60
    donor = native.run(clean, forward(family), None)
    op = forward(family, side=Side.CORRUPTED)
    if start:
        op = replace(op, past=forward(family), start=start)
    return native.run(corrupted, op, donor if start else None), donor, corrupted


def patch(
    place: Place, row: Sequence[int], position: Sequence[int], pair: Tensor, donor: Run
) -> Patch:
    """The donor's values at the same positions, in unit 1 where there are units."""
    rows, at = torch.tensor(row, dtype=torch.long), torch.tensor(position, dtype=torch.long)
    units = None if unit_axis(place) is Unit.VECTOR else torch.ones_like(rows)
    values = donor.values[place]
    found = values[pair[rows], at] if units is None else values[pair[rows], at, units]
    return Patch(place=place, row=rows, position=at, unit=units, value=found)


def agree(
    family: str, base: Run, given: Prompts, patches: Sequence[Patch], pair: Tensor
) -> Tensor:
    """Logits of rows resumed, checked against those run from the start, natively and bridged.

    Returns:
        How far each row's logits are from those of its unpatched run.
    """
    bridge, native = engines(family)
    rows = Prompts(tokens=given.tokens[pair], reads=given.reads[pair])
    how = PatchedRows(prompts=rows, patches=patches, base=base, pair=pair)
    found = native.patched(how)
    some = native.patched(replace(how, tokens=torch.tensor([4, 7])))
    whole = native.patched(replace(how, base=None))
    expected = bridge.patched(replace(how, base=None))

    torch.testing.assert_close(whole, expected, **EXACT)
    torch.testing.assert_close(found, expected, **EXACT)
    torch.testing.assert_close(some, expected[:, [4, 7]], **EXACT)
    return (found - base.logits[pair]).abs().amax(-1)


@pytest.mark.parametrize("start", [0, START])
def test_single_nodes_of_every_place(family, start):
    """A row for every place, pair and position from the first difference on, in one call."""
    _, native = engines(family)
    with no_downcast():
        base, donor, given = both_sides(native, family, start)
        where = [
            (place, pair, at)
            for place in places(family)
            for pair in range(3)
            for at in range(START, int(given.reads[pair]) + 1)
        ]
        pair = torch.tensor([one[1] for one in where])
        patches = [
            patch(
                place,
                [n for n, one in enumerate(where) if one[0] == place],
                [one[2] for one in where if one[0] == place],
                pair,
                donor,
            )
            for place in places(family)
        ]
        moved = agree(family, base, given, patches, pair)

    # Only nodes of the last layers, at positions that nothing later sees, do nothing.
    for (place, row, at), change in zip(where, moved, strict=True):
        stays = place.layer > 0 and at != given.reads[row]
        assert (change > 1e-8) or (stays and change < 1e-10), (place, at)
    assert (moved > 1e-8).double().mean() > 0.6


@pytest.mark.parametrize("place", [("heads.q", 1), ("mlp", 0), ("resid.post", 2)])
def test_positions_after_the_one_that_is_read_do_nothing(place):
    _, native = engines("gemma3")
    pair = torch.tensor([1, 1])
    with no_downcast():
        base, donor, given = both_sides(native, "gemma3")
        moved = agree(
            "gemma3", base, given, [patch(Place(*place), [0, 1], [7, 8], pair, donor)], pair
        )

    assert moved.max() < 1e-10


@pytest.mark.parametrize("start", [0, START])
def test_sets_of_nodes_of_several_layers(family, start):
    """Each row has a few entries anywhere, some at one place twice: the last one counts."""
    _, native = engines(family)
    generator = torch.Generator().manual_seed(0)
    n_rows, everywhere = 20, places(family)
    with no_downcast():
        base, donor, given = both_sides(native, family, start)
        pair = torch.randint(3, (n_rows,), generator=generator)
        patches = []
        for place in [*everywhere, *everywhere]:
            rows = torch.nonzero(torch.rand(n_rows, generator=generator) < 0.1)[:, 0]
            at = torch.randint(START, LENGTH - 2, (len(rows),), generator=generator)
            patches.append(patch(place, rows.tolist(), at.tolist(), pair, donor))
        agree(family, base, given, patches, pair)


@pytest.mark.parametrize("start", [0, START])
def test_whole_sequences_and_single_positions_in_one_call(family, start):
    _, native = engines(family)
    with no_downcast():
        base, donor, given = both_sides(native, family, start)
        everywhere = places(family)
        pair = torch.arange(2 * len(everywhere)) % 3
        patches = []
        for number, place in enumerate(everywhere):
            span = list(range(START, LENGTH))
            patches.append(patch(place, [2 * number] * len(span), span, pair, donor))
            patches.append(patch(place, [2 * number + 1], [5], pair, donor))
        agree(family, base, given, patches, pair)


def test_rows_with_nothing_to_patch_are_their_base(family):
    _, native = engines(family)
    with no_downcast():
        base, donor, given = both_sides(native, family)
        pair = torch.tensor([0, 2, 1])
        moved = agree(
            family, base, given, [patch(Place("mlp", 0), [1], [4], pair, donor)], pair
        )

    assert moved[[0, 2]].max() < 1e-10
    assert moved[1] > 1e-8


def test_a_row_costs_its_layers_and_the_positions_of_its_call():
    _, native = engines("gpt2")
    base, donor, given = both_sides(native, "gpt2")
    pair = torch.tensor([0, 1, 1])
    patches = [
        patch(Place("mlp", 0), [0], [5], pair, donor),
        patch(Place("heads.k", 1), [1], [6], pair, donor),
        patch(Place("heads.z", 2), [2], [6], pair, donor),
    ]
    rows = Prompts(tokens=given.tokens[pair], reads=given.reads[pair])
    native.passed = 0
    native.patched(PatchedRows(prompts=rows, patches=patches, base=base, pair=pair))

    # Positions 5 to 8, through 3, 2 and 1 layers.
    assert native.passed == 4 * (3 + 2 + 1)
    native.passed = 0
    native.patched(PatchedRows(prompts=rows, patches=patches, base=None, pair=pair))
    assert native.passed == 3 * LENGTH * N_LAYERS
