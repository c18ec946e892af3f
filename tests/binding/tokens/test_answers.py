"""Answers as single tokens after a prompt."""

from __future__ import annotations

from atpdsl.binding.tokens.answers import Place, answer_tokens, shared_answers
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Severity, Span

PROMPT = "When Mary and John went to the store, John gave a drink to"


def place(context: str = PROMPT) -> Place:
    return Place(context=context, pair=3, span=Span(5, 6))


def only_problem(answer: str, tokenizer: ModelTokenizer, context: str = PROMPT):
    (finding,) = answer_tokens((answer,), place(context), tokenizer).findings
    return finding.problem


def test_an_answer_is_the_token_that_follows_the_prompt(tiny: ModelTokenizer) -> None:
    read = answer_tokens((" Mary", " John"), place(), tiny)

    assert tiny.pieces(read.tokens) == (" Mary", " John")
    assert read.findings == ()


def test_where_a_tokenizer_puts_the_first_space_itself_the_context_decides(
    metaspace: ModelTokenizer,
) -> None:
    read = answer_tokens(
        (" Mary",), place("When John went to the store, John went to"), metaspace
    )

    assert metaspace.pieces(read.tokens) == (" Mary",)
    assert read.findings == ()


def test_digits_follow_digits(tiny: ModelTokenizer) -> None:
    read = answer_tokens(
        ("33",), place("The war lasted from the year 1732 to the year 17"), tiny
    )

    assert tiny.pieces(read.tokens) == ("33",)
    assert read.findings == ()


def test_an_answer_of_more_tokens_shows_its_pieces(tiny: ModelTokenizer) -> None:
    problem = only_problem(" Zoe", tiny)

    assert problem.code == "ATP256"
    assert problem.message == "the answer ` Zoe` is 4 tokens: ` `, `Z`, `o`, `e`, in pair 3"
    assert problem.at is not None
    assert problem.at.span == Span(5, 6)


def test_a_missing_space_is_suggested(tiny: ModelTokenizer) -> None:
    problem = only_problem("store", tiny)

    assert problem.code == "ATP256"
    assert problem.help == "` store` is one token"


def test_an_empty_answer_is_no_token(tiny: ModelTokenizer) -> None:
    assert only_problem("", tiny).message == "the answer `` has no token, in pair 3"


def test_a_prompt_that_ends_with_the_answers_space_is_a_warning() -> None:
    tokenizer = merging_tokenizer()
    problem = only_problem("b", tokenizer, context="a ")

    assert (problem.code, problem.severity) == ("ATP257", Severity.WARNING)
    assert problem.message == (
        "`b` does not continue the tokens of the prompt of pair 3:"
        " together they end in `|a| b|`"
    )
    assert "begin the answer with it" in problem.help


def test_a_boundary_inside_a_token_keeps_the_answers_own_token() -> None:
    tokenizer = merging_tokenizer()
    read = answer_tokens(("b",), place("a "), tokenizer)

    assert tokenizer.pieces(read.tokens) == ("b",)


def test_an_answer_that_breaks_the_last_word_up_is_a_warning(tiny: ModelTokenizer) -> None:
    problem = only_problem("Mary", tiny)

    assert (problem.code, problem.severity) == ("ATP257", Severity.WARNING)
    assert problem.help == "for a new word write ` Mary`, with the space"


def test_an_answer_that_joins_the_last_word_is_a_warning() -> None:
    problem = only_problem("b", merging_tokenizer(), context="a a")

    assert (problem.code, problem.severity) == ("ATP257", Severity.WARNING)
    assert problem.message == "the answer `b` goes on with the last word of pair 3, as `ab`"
    assert problem.help == "for a new word write ` b`, with the space"


def test_the_same_answer_twice_counts_once(tiny: ModelTokenizer) -> None:
    read = answer_tokens((" Mary", " Mary"), place(), tiny)

    assert len(read.tokens) == 1
    assert [finding.problem.code for finding in read.findings] == ["ATP265"]


def test_an_answer_cannot_be_right_and_wrong(tiny: ModelTokenizer) -> None:
    right = answer_tokens((" Mary", " John"), place(), tiny)
    wrong = answer_tokens((" Tom", " John"), place(), tiny)
    (finding,) = shared_answers(right, wrong, place(), tiny)

    assert finding.problem.code == "ATP258"
    assert finding.problem.message == "` John` is both a right and a wrong answer in pair 3"


def merging_tokenizer() -> ModelTokenizer:
    """Byte-level, with the one merge of a space and a `b`, and spaces as tokens otherwise."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {"a": 0, "b": 1, "Ġ": 2, "Ġb": 3}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ġ", "b")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return ModelTokenizer(
        backend=backend, bos_id=None, eos_id=None, pad_id=0, vocab_size=4, digest=""
    )


def test_two_answers_that_begin_alike_are_told_with_the_token(tiny: ModelTokenizer) -> None:
    right = answer_tokens((" Zoe", " Mary"), place(), tiny)
    wrong = answer_tokens((" Zack", " Tom"), place(), tiny)
    (finding,) = shared_answers(right, wrong, place(), tiny)

    assert finding.problem.code == "ATP258"
    assert finding.problem.message == (
        "the right answer ` Zoe` and the wrong answer ` Zack` begin with the token ` `,"
        " in pair 3"
    )
    assert finding.problem.help == "choose words that differ in their first token"


def test_two_texts_of_the_same_token_are_one_answer() -> None:
    tokenizer = folding_tokenizer()
    right = answer_tokens((" Mary", " MARY"), place("so"), tokenizer)
    wrong = answer_tokens((" mary",), place("so"), tokenizer)
    (shared,) = shared_answers(right, wrong, place("so"), tokenizer)

    assert len(right.tokens) == 1
    assert [finding.problem.message for finding in right.findings] == [
        "` Mary` and ` MARY` are the same token, in pair 3"
    ]
    assert shared.problem.message == (
        "the right answer ` Mary` and the wrong answer ` mary` are the same token `mary`,"
        " in pair 3"
    )


def folding_tokenizer() -> ModelTokenizer:
    """Whole words, in small letters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    backend = Tokenizer(models.WordLevel(vocab={"so": 0, "mary": 1}))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return ModelTokenizer(
        backend=backend, bos_id=None, eos_id=None, pad_id=0, vocab_size=3, digest=""
    )
