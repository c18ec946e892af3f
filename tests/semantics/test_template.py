from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.semantics.template import Piece, TemplateError, parse_template


def test_slots_labels_and_text_come_in_order():
    assert parse_template("{IO} and {S as S2}.") == (
        Piece(slot="IO", start=0, end=4),
        Piece(literal=" and ", start=4, end=9),
        Piece(slot="S", label="S2", start=9, end=18),
        Piece(literal=".", start=18, end=19),
    )


def test_spaces_inside_braces_do_not_matter():
    assert parse_template("{ S  as  S2 }") == (Piece(slot="S", label="S2", start=0, end=13),)


def test_rows_have_a_path_and_may_have_a_label():
    assert parse_template("{row.meta.first-name as N}") == (
        Piece(row=("meta", "first-name"), label="N", start=0, end=26),
    )


def test_values_may_have_a_format():
    assert parse_template("{yy:02 as YY}{ row.n : upper }") == (
        Piece(slot="yy", format="02", label="YY", start=0, end=13),
        Piece(row=("n",), format="upper", start=13, end=30),
    )


def test_a_text_goes_on_behind_a_bad_format():
    with pytest.raises(TemplateError) as error:
        parse_template("{a:bad} and {b:worse}")

    assert [fault.start for fault in error.value.faults] == [3, 15]


def test_doubled_braces_are_text():
    assert parse_template("{{{a}}}") == (
        Piece(literal="{", start=0, end=2),
        Piece(slot="a", start=2, end=5),
        Piece(literal="}", start=5, end=7),
    )
    assert parse_template("a {{x}} b") == (Piece(literal="a {x} b", start=0, end=9),)


def test_an_empty_text_has_no_pieces():
    assert parse_template("") == ()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("a {b", 2, 3),
        ("a } b", 2, 3),
        ("{a {b}", 0, 1),
        ("{}", 0, 2),
        ("{ }", 0, 3),
        ("{a b}", 0, 5),
        ("{1}", 0, 3),
        ("{row}", 0, 5),
        ("{row.}", 0, 6),
        ("{row.a.}", 0, 8),
        ("{yy:2}", 4, 5),
        ("{yy:uper}", 4, 8),
        ("{yy:}", 0, 5),
        ("{yy as Y:02}", 0, 12),
        ("{row:02}", 0, 8),
        ("{a as }", 0, 7),
        ("{ä}", 0, 3),
    ],
)
def test_what_is_no_slot_is_told_at_its_place(text, start, end):
    with pytest.raises(TemplateError) as error:
        parse_template(text)

    (fault,) = error.value.faults
    assert (fault.start, fault.end) == (start, end)
    assert fault.help


def test_all_faults_are_told():
    with pytest.raises(TemplateError) as error:
        parse_template("{} and }")

    assert [fault.start for fault in error.value.faults] == [0, 7]


@given(st.text(alphabet="ab {}.:as\n", max_size=30))
def test_pieces_cover_the_text_without_gaps(text):
    try:
        pieces = parse_template(text)
    except TemplateError:
        return

    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces)][:-1]
    assert (pieces[-1].end if pieces else 0) == len(text)
    for piece in pieces:
        assert sum(part is not None for part in (piece.literal, piece.slot, piece.row)) == 1


@given(st.text(max_size=30))
def test_any_text_can_be_written_with_doubled_braces(text):
    pieces = parse_template(text.replace("{", "{{").replace("}", "}}"))

    assert "".join(piece.literal or "" for piece in pieces) == text
