from __future__ import annotations

import pytest

from atpdsl.problems import Source
from atpdsl.semantics.quantities import EXAMPLES, UNITS, meant_unit, quantity_of
from atpdsl.syntax import words
from atpdsl.syntax.parse import parse
from tests.semantics.words import experiment_of


def test_the_units_that_the_syntax_knows_are_those_of_settings():
    assert ("%", *(unit for units in UNITS.values() for unit in units)) == words.UNITS


@pytest.mark.parametrize("kind", list(UNITS))
def test_an_example_is_a_quantity_of_its_kind(kind):
    tree, problems = parse(Source("example", f"let x = {EXAMPLES[kind]}"))

    assert not problems
    assert quantity_of(tree.statements[0].value, kind)


def test_no_unit_of_one_kind_is_one_of_another():
    assert not set(UNITS["bytes"]) & set(UNITS["time"])
    assert meant_unit("min", "bytes") is None
    assert meant_unit("gb", "time") is None


def test_quantities_can_be_computed_and_swept():
    lines = "let lots = 4GB\nlet long = 2 * 5min\nrun { memory = lots / 2; budget = long }"
    run = experiment_of(lines).run

    assert (run.memory, run.budget) == (2 * 10**9, 600)
