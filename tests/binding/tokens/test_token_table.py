"""Pairs token by token."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from atpdsl.binding.pairs import TextPair
from atpdsl.binding.tokens.align import NO_PARTNER, partner_map
from atpdsl.binding.tokens.positions import Finder
from atpdsl.binding.tokens.token_table import TokenColumn, matched, token_table
from atpdsl.binding.tokens.tokenise import TokenRules, tokenise
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Span
from atpdsl.semantics.experiment import Align

PAIR = TextPair(
    clean="Mary went to the store",
    corrupted="Then, Mary went to the store",
    answers=(),
    foils=(),
    marks={"who": ((0, 4), (6, 10))},
    align="end",
    origin=Span(1, 2),
    row=0,
)


def columns_of(pair: TextPair, tokenizer: ModelTokenizer) -> tuple[TokenColumn, ...]:
    rules = TokenRules(
        tokenizer=tokenizer,
        bos_id=tokenizer.bos_id,
        n_context=64,
        d_vocab=50_000,
        finder=Finder(patterns={}, relatives={}),
    )
    return token_table(tokenise(pair, 1, rules), rules)


def words(columns: tuple[TokenColumn, ...]) -> list[tuple[str, str]]:
    sides = [(column.clean, column.corrupted) for column in columns]
    return [(one.text if one else "", other.text if other else "") for one, other in sides]


def test_partners_stand_in_one_column_with_the_names_of_both(tiny: ModelTokenizer) -> None:
    columns = columns_of(PAIR, tiny)

    assert words(columns) == [
        ("<|endoftext|>", "<|endoftext|>"),
        ("", "Then"),
        ("", ","),
        ("Mary", " Mary"),
        *((word, word) for word in (" went", " to", " the", " store")),
    ]
    assert [
        (c.clean and c.clean.names, c.corrupted and c.corrupted.names) for c in columns
    ] == [
        (("BOS",), ("BOS",)),
        (None, ()),
        (None, ()),
        (("who",), ("who",)),
        ((), ()),
        ((), ()),
        ((), ()),
        (("last",), ("last",)),
    ]
    assert [column.differs for column in columns] == [False] * 3 + [True] + [False] * 4


def test_a_pair_that_cannot_be_used_shows_what_both_share(tiny: ModelTokenizer) -> None:
    pair = replace(PAIR, clean="So Mary went to", corrupted="So many, went to", marks={})
    columns = columns_of(replace(pair, align="strict"), tiny)
    shown = words(columns)

    assert shown[0] == ("<|endoftext|>", "<|endoftext|>")
    assert shown[-2:] == [(" went", " went"), (" to", " to")]
    assert any("" in pair for pair in shown)
    assert "".join(one for one, _ in shown) == "<|endoftext|>So Mary went to"
    assert "".join(other for _, other in shown) == "<|endoftext|>So many, went to"


@given(integers(1, 9), integers(1, 9), sampled_from((Align.START, Align.END)), integers(0, 1))
def test_every_token_is_in_one_column_in_order(clean, corrupted, align, anchored) -> None:
    partner = partner_map(clean, corrupted, align, anchored)
    columns = list(matched(partner, corrupted))

    assert [one for one, _ in columns if one is not None] == list(range(clean))
    assert [other for _, other in columns if other is not None] == list(range(corrupted))
    together = {one: other for one, other in columns if one is not None and other is not None}
    assert together == {n: m for n, m in enumerate(partner) if m != NO_PARTNER}
