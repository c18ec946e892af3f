"""Registries: order, names, suggestions."""

from __future__ import annotations

import pytest

from atpdsl.methods import METHODS
from atpdsl.registry import Registry, closest


def test_entries_keep_their_order():
    assert METHODS.names == tuple(method.name for method in METHODS)


def test_two_entries_of_one_name_are_refused():
    entry = METHODS["ap"]

    with pytest.raises(ValueError, match="two methods are called `ap`"):
        Registry("method", (entry, entry))


def test_the_closest_name_is_suggested():
    assert closest("logit_dif", ("logit_diff", "prob_diff")) == "logit_diff"


def test_nothing_is_suggested_for_a_word_like_none():
    assert closest("zebra", ("logit_diff", "prob_diff")) is None


def test_the_functions_of_the_package_are_not_hidden_by_modules_of_the_same_name():
    import atpdsl
    import atpdsl.driver  # imports everything up to the plan

    assert all(callable(getattr(atpdsl, name)) for name in ("check", "load", "plan", "run"))
