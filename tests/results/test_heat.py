from __future__ import annotations

import numpy as np
import pytest

from atpdsl.results.heat import heats
from tests.results.samples import EMBED, HEADS, KEYS, MLPS, outcome, result


def test_a_cell_has_the_strongest_node_and_its_sign():
    made = result(outcome([HEADS, KEYS, MLPS]))
    pictures = {one.kind: one for one in heats(made.record, made.table, "atp")}
    scores = made.scores

    assert list(pictures) == ["heads.z", "heads.k", "mlp"]
    picture = pictures["heads.z"]
    assert picture.layers == (0, 1)
    assert picture.positions == ("0", "1", "2", "3", "4", "5")
    for row, layer in enumerate(picture.layers):
        for column, position in enumerate(picture.positions):
            at = scores[
                (scores["kind"] == "heads.z")
                & (scores["layer"] == layer)
                & (scores["position"] == position)
            ]
            best = at.loc[at["score"].idxmax()]
            assert picture.strength[row, column] == best["score"]
            signed = best["effect"] if best["verified"] else best["signed"]
            assert picture.sign[row, column] == np.sign(signed)
    assert picture.largest == scores.loc[scores["kind"] == "heads.z", "score"].max()


def test_only_places_that_have_nodes_are_in_a_picture():
    made = result(outcome([KEYS, EMBED], verified=()))
    keys, embed = heats(made.record, made.table, "atp")

    assert (keys.layers, keys.positions) == ((1,), ("2", "4"))
    assert (embed.layers, embed.positions) == ((None,), ("sequence",))
    assert embed.strength.shape == (1, 1)


def test_a_run_without_scores_has_no_pictures():
    made = result(outcome([MLPS], verified=()))
    empty = made.table.slice(0, 0)

    assert heats(made.record, empty, "atp") == ()
    assert made.label("atp") == "atp"
    assert heats(made.record, made.table, "atp")[0].largest == pytest.approx(
        made.scores["score"].max()
    )
