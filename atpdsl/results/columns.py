"""Which columns the table of scores has, in which order; docs/results.md says what they mean.

Some are always there. A column of the others is there where the run has something to say in
it, and then for all methods, null for those that have not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import pyarrow as pa

WORD = pa.dictionary(pa.int32(), pa.string())
NODE = {
    "method": WORD,
    "kind": WORD,
    "layer": pa.int32(),
    "index": pa.int32(),
    "position": WORD,
    "token": WORD,
}
SCHEMA = pa.schema(
    {
        **NODE,
        "estimate": pa.float64(),
        "signed": pa.float64(),
        "effect": pa.float64(),
        "effect_abs": pa.float64(),
        "verified": pa.bool_(),
        "pairs": pa.int32(),
        "score": pa.float64(),
        "rank": pa.int32(),
        "estimate_se": pa.float64(),
        "effect_se": pa.float64(),
        "sign_flips": pa.float64(),
    }
)
_NUMBERS = (
    *("atp", "by_qk_fix", "by_grad_drop"),
    "moved_by",
    *("cancellation", "direct", "direct_ratio", "direct_effect"),
    *("attention", "attention_change", "saturation_ratio", "correction"),
    "disagreement",
)
_UPPER = re.compile(r"upper_[0-9]{2,}")
_LAST = ("score_low", "score_high", "flags")
_WORDS = frozenset({"moved_by", "flags"})
BY_PAIR = ("signed_by_pair", "effect_by_pair")


def upper_column(confidence: float) -> str:
    """The column of the bounds at a confidence: 0.99 is `upper_99`, 0.999 is `upper_999`."""
    decimals = f"{min(confidence, 1 - 1e-12):.12f}".removeprefix("0.").rstrip("0")
    return f"upper_{decimals:0<2}"


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """The columns that are not always there, in the order of the table.

    Raises:
        KeyError: when one is no column of scores.
    """
    named = set(names)
    uppers = sorted(name for name in named if _UPPER.fullmatch(name))
    known = (*_NUMBERS, *uppers, *_LAST)
    if not named <= set(known):
        raise KeyError(f"no column of scores: {', '.join(sorted(named - set(known)))}")
    return tuple(name for name in known if name in named)


def schema(others: Collection[str] = (), pairs: int | None = None) -> pa.Schema:
    """The types of a table of scores.

    Args:
        others: its columns that are not always there.
        pairs: how many pairs it has columns for; None where it has no such columns.

    Raises:
        KeyError: when one is no column of scores.
    """
    more = [pa.field(n, WORD if n in _WORDS else pa.float64()) for n in in_order(others)]
    each = () if pairs is None else (pa.list_(pa.float64(), pairs),)
    lists = [pa.field(name, kind) for name in BY_PAIR for kind in each]
    return pa.schema([*SCHEMA, *more, *lists])


def is_of_scores(found: pa.Schema, pairs: int) -> bool:
    """Whether a table has the columns of scores, for a run of so many pairs."""
    others = [n for n in found.names if n not in SCHEMA.names and n not in BY_PAIR]
    try:
        wanted = schema(others, pairs if BY_PAIR[0] in found.names else None)
    except KeyError:
        return False
    return bool(found.equals(wanted))


def without_lists(table: pa.Table) -> pa.Table:
    """The scores without the values of single pairs."""
    return table.select([name for name in table.column_names if name not in BY_PAIR])
