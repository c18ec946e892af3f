"""Patches sorted out by place, and done in rows in any order."""

from __future__ import annotations

import torch

from atpdsl.planning.ops import Place
from atpdsl.runtime.forward import Patch
from atpdsl.runtime.native.edits import edits_of

TOKENS = torch.zeros(5, 6, dtype=torch.long)
N_LAYERS = 4


def patch(kind: str, layer: int, *entries: tuple[int, int, float], unit: int | None = None):
    """Entries of (row, position, value), of vectors or heads of two numbers."""
    row, position, value = zip(*entries, strict=True)
    return Patch(
        place=Place(kind, layer),
        row=torch.tensor(row),
        position=torch.tensor(position),
        unit=None if unit is None else torch.full((len(row),), unit),
        value=torch.tensor(value)[:, None].expand(-1, 2).clone(),
    )


def test_rows_have_a_first_layer_and_position():
    found = edits_of(
        [patch("mlp", 2, (0, 4, 1.0), (1, 3, 1.0)), patch("attn", 1, (1, 5, 1.0))],
        TOKENS,
        N_LAYERS,
    )

    # Rows without any patch join in at the last layer.
    assert found.layer.tolist() == [2, 1, 3, 3, 3]
    assert found.first == 3
    assert found.has("mlp", 2)
    assert not found.has("mlp", 1)


def test_only_single_entries_that_stay_where_they_are_are_alone():
    found = edits_of(
        [
            patch("mlp", 2, (0, 4, 1.0), (1, 3, 1.0), (1, 4, 1.0)),
            patch("heads.k", 1, (2, 2, 1.0), unit=0),
            patch("heads.q", 1, (3, 2, 1.0), unit=0),
        ],
        TOKENS,
        N_LAYERS,
    )

    assert found.alone.tolist() == [True, False, False, True, False]
    assert found.positions(torch.tensor([0]), 2).tolist() == [4]
    assert found.positions(torch.tensor([3]), 1).tolist() == [2]


def test_no_patches_change_nothing():
    found = edits_of([], TOKENS, N_LAYERS)

    assert found.layer.tolist() == [N_LAYERS - 1] * 5
    assert found.first == TOKENS.shape[1]
    assert not found.alone.any()


def test_activations_are_overwritten_in_the_rows_and_positions_that_are_there():
    found = edits_of([patch("mlp", 2, (0, 4, 1.0), (3, 2, 2.0), (3, 5, 3.0))], TOKENS, N_LAYERS)
    # Rows 3 and 1, positions 3 to 5.
    before = torch.zeros(2, 3, 2)
    after = found.apply("mlp", 2, before, torch.tensor([3, 1]), 3)

    assert after[0].tolist() == [[0, 0], [0, 0], [3, 3]]
    assert not after[1].any()
    assert not before.any()
    assert found.apply("mlp", 1, before, torch.tensor([3, 1]), 3) is before


def test_of_two_patches_of_one_place_the_later_counts():
    found = edits_of(
        [patch("mlp", 0, (1, 1, 1.0)), patch("mlp", 0, (1, 1, 2.0))], TOKENS, N_LAYERS
    )

    assert found.apply("mlp", 0, torch.zeros(5, 6, 2), torch.arange(5), 0)[1, 1, 0] == 2


def test_a_head_is_overwritten_alone():
    found = edits_of([patch("heads.z", 0, (1, 1, 1.0), unit=2)], TOKENS, N_LAYERS)
    after = found.apply("heads.z", 0, torch.zeros(5, 6, 3, 2), torch.arange(5), 0)

    assert after.sum() == after[1, 1, 2].sum() == 2


def test_at_a_single_position_of_each_row_only_that_is_overwritten():
    found = edits_of([patch("mlp", 3, (0, 4, 1.0), (2, 4, 2.0))], TOKENS, N_LAYERS)
    rows, at = torch.tensor([2, 0]), torch.tensor([4, 5])
    after = found.apply_at("mlp", 3, torch.zeros(2, 1, 2), rows, at)

    assert after[:, 0, 0].tolist() == [2, 0]
