from __future__ import annotations

import pytest

from atpdsl.editor.diagnostics import all_mends, diagnostics_of, mends_at
from atpdsl.editor.rename import applied
from atpdsl.problems import Span
from tests.editor.marked import SPEC, in_spec, study_of


def found(text: str, base=None):
    return diagnostics_of(study_of(text, base))


def test_a_good_spec_has_none():
    assert found(SPEC)[0].diagnostics == ()


def test_a_problem_stands_at_its_place_with_its_help():
    text = in_spec("count = 4", "cuont = 4")
    (diagnostic,) = found(text)[0].diagnostics

    assert text[diagnostic.span.start : diagnostic.span.end] == "cuont"
    assert diagnostic.code == "ATP105"
    assert diagnostic.message.endswith("did you mean `count`?")
    assert diagnostic.error


def test_a_warning_is_no_error():
    text = in_spec("slot place ", 'slot unused in ["x"]\n  slot place ')
    (diagnostic,) = found(text)[0].diagnostics

    assert not diagnostic.error


def test_other_places_are_told_of():
    text = in_spec("count = 4", "count = 4\n  count = 5")
    (diagnostic,) = found(text)[0].diagnostics
    (note,) = diagnostic.notes

    assert note.path is None
    assert text[note.span.start : note.span.end] == "count"
    assert note.span.start < diagnostic.span.start


def test_tokens_that_do_not_fit_are_shown_under_each_other():
    text = in_spec("corrupt S2 -> IO", 'corrupt S2 -> "the old man"')
    messages = [d.message for d in found(text)[0].diagnostics]

    assert any("clean" in message and "corrupted" in message for message in messages)


def test_problems_of_an_included_file_belong_to_that_file(tmp_path):
    path = tmp_path / "words.atp"
    path.write_text('atp 1\n\nlet names = ["a" "b"]\n')
    text = in_spec('model "tiny"', 'model "tiny"\ninclude "words.atp"')
    spec, words = found(text, tmp_path)

    assert words.path == path.resolve()
    assert words.text == path.read_text()
    assert [words.text[d.span.start :][:3] for d in words.diagnostics] == ['"b"']
    assert [d for d in spec.diagnostics if d.code == words.diagnostics[0].code] == []


def test_a_file_that_is_there_to_be_included_need_not_be_complete():
    text = 'atp 1\n\nlet names = ["Ann", "Bob"]\n\nprompts ioi {\n  template "{A}"\n'
    text += '  slot A in names\n  corrupt A -> other\n  answer " x" vs " y"\n}\nlet more = 5\n'

    assert [d.code for d in found(text)[0].diagnostics] == []


def test_a_spec_that_lacks_something_is_told():
    text = in_spec("metric logit_diff at last\n", "")

    assert [d.code for d in found(text)[0].diagnostics] == ["ATP103"]


def test_what_can_be_mended_is_mended():
    text = in_spec("count = 4", "cuont = 4").replace("random = 5", "random: 5")
    diagnostics = found(text)[0].diagnostics
    (mend,) = mends_at(diagnostics, Span(text.index("cuont"), text.index("cuont")))

    assert mend.mend is not None
    assert "count = 4" in applied(text, (mend.mend.edit,))
    assert found(applied(text, all_mends(diagnostics)))[0].diagnostics == ()


def test_elsewhere_nothing_is_mended():
    diagnostics = found(in_spec("count = 4", "cuont = 4"))[0].diagnostics

    assert mends_at(diagnostics, Span(0, 3)) == ()


@pytest.mark.parametrize("text", ["", "\ufeff", "{", '"', "atp 2", "prompts {"])
def test_any_text_has_diagnostics_in_it(text):
    for diagnostic in found(text)[0].diagnostics:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)


def test_a_model_that_was_not_downloaded_yet_is_no_error_in_an_editor():
    (diagnostic,) = found(in_spec('"tiny"', '"someone/some-model"'))[0].diagnostics

    assert not diagnostic.error
    assert "the editor never asks the network" in diagnostic.message
