"""The tokenizer that the embedded models share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import corpus
from training.tokenizer import END_OF_TEXT, END_OF_TEXT_ID, FIRST_WORD_ID, build_tokenizer

TOKENIZER = build_tokenizer()
RAW = TOKENIZER.backend_tokenizer


def ids_of(text: str) -> list[int]:
    return list(RAW.encode(text, add_special_tokens=False).ids)


def test_every_slot_word_is_one_token_inside_a_sentence():
    assert [word for word in corpus.inner_words() if len(ids_of(f" {word}")) != 1] == []


def test_every_opening_word_is_one_token():
    assert [word for word in corpus.opening_words() if len(ids_of(word)) != 1] == []


def test_texts_need_no_bytes_but_punctuation():
    texts = corpus.sample_texts(seed=1, count=5_000)
    ids = {token for pieces in texts for token in ids_of("".join(pieces))}

    assert {RAW.decode([token]) for token in ids if token < FIRST_WORD_ID} <= {".", ",", "?"}


def test_held_out_templates_need_no_bytes_but_punctuation():
    for template in corpus.HELD_OUT_IOI_TEMPLATES.values():
        slots = {"a": "Mary", "b": "John", "s": "John", "place": "store", "object": "drink"}
        text = template.format(**slots, gave="gave", give="give")

        assert {t for t in ids_of(text) if t < FIRST_WORD_ID} <= {*ids_of("."), *ids_of(",")}


def test_pieces_encode_as_the_whole_text_does():
    for pieces in corpus.sample_texts(seed=2, count=2_000):
        assert [t for piece in pieces for t in ids_of(piece)] == ids_of("".join(pieces))


def test_numbers_go_two_digits_at_a_time():
    encoding = RAW.encode(" the year 1732 to the year 17", add_special_tokens=False)

    assert encoding.tokens == ["Ġthe", "Ġyear", "Ġ17", "32", "Ġto", "Ġthe", "Ġyear", "Ġ17"]


@given(st.text())
def test_any_text_comes_back(text):
    assert RAW.decode(ids_of(text), skip_special_tokens=False) == text


def test_it_adds_no_token_of_its_own():
    assert TOKENIZER("Mary")["input_ids"] == ids_of("Mary")


def test_end_of_text_begins_ends_and_pads():
    assert ids_of(END_OF_TEXT) == [END_OF_TEXT_ID]
    assert TOKENIZER.bos_token_id == TOKENIZER.eos_token_id == END_OF_TEXT_ID
    assert TOKENIZER.pad_token_id == END_OF_TEXT_ID


@pytest.mark.parametrize("text", [" Mary", " Paris", " Thursday", "33", " she", " are"])
def test_a_task_answer_is_one_token(text):
    assert len(ids_of(text)) == 1
