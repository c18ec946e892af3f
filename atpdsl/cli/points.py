"""A spec of several points in words."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.checked import Study
from atpdsl.problems.clean import clean

# More different values than these are counted, not named.
MOST_SHOWN = 3
MOST_VALUES = 8


def spread(values: Iterable[str]) -> str:
    """What the points have: one text for all, or the different ones."""
    different = tuple(dict.fromkeys(values))
    shown = "; ".join(different[:MOST_SHOWN])
    more = len(different) - MOST_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


def spell_values(study: Study) -> str:
    """The sweep's names with all their values: `size = 70m, 160m; seed = 0, 1`."""
    return "; ".join(f"{name} = {_values(study, name)}" for name in study.program.variables)


def _values(study: Study, name: str) -> str:
    different = tuple(dict.fromkeys(dict(point.point).get(name, "") for point in study.points))
    shown = different[:MOST_VALUES]
    more = f" and {len(different) - len(shown)} more" if len(different) > len(shown) else ""
    return clean(", ".join(shown)) + more


def spell(point: Iterable[tuple[str, str]]) -> str:
    """The values of one point: `size = 70m, seed = 0`."""
    return clean(", ".join(f"{name} = {value}" for name, value in point))
