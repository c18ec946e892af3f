"""Pairs of texts as tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.binding.pairs import TextPair, TokenPair
from atpdsl.binding.tokens.positions import Finder
from atpdsl.binding.tokens.tokenise import Tokenised, TokenRules, tokenise
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Severity, Span

CLEAN = "When Mary and John went to the store, John gave a drink to"
CORRUPTED = "When Mary and John went to the store, Mary gave a drink to"
PAIR = TextPair(
    clean=CLEAN,
    corrupted=CORRUPTED,
    answers=(" Mary",),
    foils=(" John",),
    marks={"S2": ((38, 42), (38, 42))},
    align="strict",
    origin=Span(1, 2),
    row=0,
)


def read(pair: TextPair, tokenizer: ModelTokenizer, **options) -> Tokenised:
    rules = TokenRules(
        tokenizer=tokenizer,
        bos_id=tokenizer.bos_id,
        n_context=64,
        d_vocab=50_000,
        finder=Finder(patterns={}, relatives={}),
    )
    return tokenise(pair, 7, replace(rules, **options))


def good(pair: TextPair, tokenizer: ModelTokenizer, **options) -> TokenPair:
    result = read(pair, tokenizer, **options)
    assert result.findings == ()
    assert result.pair is not None
    return result.pair


def codes(result: Tokenised) -> list[str]:
    return [finding.problem.code for finding in result.findings]


def test_a_pair_is_read_with_bos(tiny: ModelTokenizer) -> None:
    pair = good(PAIR, tiny)

    assert pair.clean == (0, *tiny.encode(CLEAN)[0])
    assert pair.corrupted == (0, *tiny.encode(CORRUPTED)[0])
    assert tiny.pieces(pair.answers) == (" Mary",)
    assert tiny.pieces(pair.foils) == (" John",)
    assert pair.positions == {"S2": (10, 10), "last": (14, 14)}
    assert tiny.decode_token(pair.clean[10]) == " John"
    assert pair.partner == tuple(range(15))
    assert pair.text == PAIR


def test_without_bos_every_position_is_one_less(tiny: ModelTokenizer) -> None:
    pair = good(PAIR, tiny, bos_id=None)

    assert pair.clean == tiny.encode(CLEAN)[0]
    assert pair.positions == {"S2": (9, 9), "last": (13, 13)}


def test_a_second_bos_is_not_added(tiny: ModelTokenizer) -> None:
    pair = replace(PAIR, clean=f"<|endoftext|>{CLEAN}", corrupted=f"<|endoftext|>{CORRUPTED}")
    result = read(replace(pair, marks={}), tiny)

    assert result.pair is not None
    assert result.pair.clean == (0, *tiny.encode(CLEAN)[0])
    assert codes(result) == ["ATP259"]
    assert result.findings[0].problem.severity is Severity.WARNING


def test_each_prompt_gets_one_bos_if_only_one_text_has_it(tiny: ModelTokenizer) -> None:
    result = read(replace(PAIR, clean=f"<|endoftext|>{CLEAN}", marks={}), tiny)

    assert result.pair is not None
    assert len(result.pair.clean) == len(result.pair.corrupted)


def test_positions_may_be_at_other_indices_in_the_other_prompt(tiny: ModelTokenizer) -> None:
    pair = replace(
        PAIR,
        clean="Mary went to the store",
        corrupted="Then, Mary went to the store",
        marks={"who": ((0, 4), (6, 10))},
        align="end",
        foils=(),
    )
    result = good(pair, tiny)

    assert result.positions == {"who": (1, 3), "last": (5, 7)}
    assert result.partner == (0, 3, 4, 5, 6, 7)


def test_unequal_lengths_show_both_tokenisations(tiny: ModelTokenizer) -> None:
    result = read(replace(PAIR, corrupted=CORRUPTED.replace("Mary gave", "Zo gave")), tiny)
    problem = result.findings[0].problem

    assert result.pair is None
    assert codes(result) == ["ATP255"]
    assert problem.message == "the prompts of pair 7 have 15 and 17 tokens"
    assert problem.also[0].source is not None
    assert problem.also[0].source.text.splitlines() == [
        "clean     ...  John| went| to| the| store|,| John| gave| a| drink| to|",
        "corrupted ...  John| went| to| the| store|,| |Z|o| gave| a| drink| to|",
    ]


@pytest.mark.parametrize("align", ["start", "end"])
def test_unequal_lengths_are_fine_when_aligned(tiny: ModelTokenizer, align: str) -> None:
    other = CORRUPTED.replace("Mary gave", "Zoe gave")
    pair = good(replace(PAIR, corrupted=other, align=align), tiny)

    assert len(pair.partner) == len(pair.clean) == 15
    assert pair.partner[0] == 0


def test_equal_prompts_are_an_error(tiny: ModelTokenizer) -> None:
    result = read(replace(PAIR, corrupted=CLEAN), tiny)

    assert result.pair is None
    assert codes(result) == ["ATP254"]


def test_empty_prompts_are_errors(tiny: ModelTokenizer) -> None:
    assert codes(read(replace(PAIR, clean="", marks={}), tiny)) == ["ATP252"]
    assert codes(read(replace(PAIR, corrupted="", marks={}), tiny, bos_id=None)) == ["ATP252"]


def test_a_prompt_longer_than_the_context_says_both_numbers(tiny: ModelTokenizer) -> None:
    result = read(PAIR, tiny, n_context=14)

    assert codes(result) == ["ATP253", "ATP253"]
    assert result.findings[0].problem.message == (
        "the clean prompt of pair 7 has 15 tokens with BOS, and the model reads 14 at most"
    )


def test_a_prompt_that_fills_the_context_is_read(tiny: ModelTokenizer) -> None:
    assert len(good(PAIR, tiny, n_context=15).clean) == 15


def test_a_token_that_the_model_lacks_is_an_error(tiny: ModelTokenizer) -> None:
    assert codes(read(PAIR, tiny, d_vocab=9)) == ["ATP260", "ATP260"]


def test_an_answer_that_the_model_lacks_is_an_error(tiny: ModelTokenizer) -> None:
    most = max(*tiny.encode(CLEAN)[0], *tiny.encode(CORRUPTED)[0])
    above = next(
        word
        for word in (" Lucy", " Anna", " Paul", " studio", " December", " twelve")
        if tiny.encode(word)[0][0] > most
    )

    assert codes(read(replace(PAIR, answers=(above,)), tiny, d_vocab=most + 1)) == ["ATP260"]


def test_answers_continue_the_text_up_to_the_metrics_position(tiny: ModelTokenizer) -> None:
    year = "The war lasted from the year 1732 to the year 1750"
    pair = replace(
        PAIR,
        clean=year,
        corrupted=year.replace("32", "01"),
        marks={"YY": ((31, 33), (31, 33)), "CC": ((29, 31), (29, 31))},
        answers=("33",),
        foils=("31",),
    )
    result = good(pair, tiny, metric_position="CC")

    assert tiny.pieces(result.answers + result.foils) == ("33", "31")


def test_a_bad_answer_keeps_the_positions_for_other_checks(tiny: ModelTokenizer) -> None:
    result = read(replace(PAIR, answers=(" Zoe",)), tiny)

    assert codes(result) == ["ATP256"]
    assert result.pair is not None
    assert "S2" in result.pair.positions


def test_a_mark_that_is_empty_on_one_side_is_missing_with_its_reason(
    tiny: ModelTokenizer,
) -> None:
    result = read(replace(PAIR, marks={"S2": ((38, 42), (38, 38))}), tiny)

    assert result.missing == {"S2": "corrupted prompt: it is empty there"}
