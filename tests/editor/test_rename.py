from __future__ import annotations

import pytest

from atpdsl.editor.collect import names_of
from atpdsl.editor.rename import Edit, RefusedRenameError, applied, rename, renameable
from atpdsl.problems import Span
from tests.editor.marked import SPEC, in_spec, marked, study_of


def renamed(text: str, new: str, folder=None) -> str:
    plain, offset = marked(text)
    return applied(plain, rename(plain, offset, new, names_of(plain, folder), folder))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("corrupt S2 ->", "corrupt S|2 ->", "S2"),
        ("slot IO", "slot I|O", "IO"),
        ("pos verb", "pos v|erb", "verb"),
        ("method = fast", "method = f|ast", "fast"),
        ("prompts ioi", "prompts i|oi", "ioi"),
        ("{place}", "{pl|ace}", "place"),
    ],
)
def test_a_renamed_spec_means_the_same(old, new, name):
    changed = renamed(in_spec(old, new), "fresh")
    before, after = study_of(SPEC), study_of(changed)

    assert after.problems == before.problems == ()
    assert after.bound.node_count == before.bound.node_count
    assert [p.clean for p in after.bound.pairs.pairs] == [
        p.clean for p in before.bound.pairs.pairs
    ]
    assert "fresh" in changed
    assert names_of(changed).at(changed.index("fresh")) is not None


def test_places_in_strings_are_renamed_too():
    changed = renamed(in_spec("corrupt S2 ->", "corrupt S|2 ->"), "GIVER")

    assert "{S as GIVER} gave" in changed
    assert "corrupt GIVER -> IO" in changed
    assert "heads.z at GIVER, last" in changed
    assert "pos verb = GIVER + 1" in changed
    assert "S2" not in changed


def test_a_method_without_a_label_gets_one():
    text = in_spec("method = fast", "method = a|p").replace(
        "method ap", "method ap\nmethod atp"
    )

    assert "method slow = ap\nmethod atp" in renamed(text, "slow")
    assert "method = slow" in renamed(text, "slow")


def test_a_name_can_keep_its_name():
    plain, offset = marked(in_spec("slot IO", "slot I|O"))

    assert rename(plain, offset, "IO", names_of(plain)) == ()


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("S", "there is another `S` already"),
        ("object", "there is another `object` already"),
        ("last", "`last` means something else already"),
        ("row", "`row` means something else already"),
        ("2x", "`2x` is no name"),
        ("a b", "`a b` is no name"),
        ("", "`` is no name"),
        ("é", "`é` is no name"),
        ("at", "`at` is no name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(new, message):
    with pytest.raises(RefusedRenameError, match=message):
        renamed(in_spec("slot IO", "slot I|O"), new)


@pytest.mark.parametrize("new", ["every", "logit_diff", "heads", "L9H6", "cuda", "int"])
def test_values_have_more_words_that_they_cannot_be_called(new):
    with pytest.raises(RefusedRenameError, match="means something else already"):
        renamed("let ste|ps = 5\nverify { top = steps }", new)


def test_a_name_that_would_hide_another_is_refused():
    text = 'let x = ["a"]\nprompts {\n  slot A, B in x\n  template "{A} {|B}"\n}'

    assert "slot A, C in x" in renamed(text, "C")
    with pytest.raises(RefusedRenameError, match="there is another `A`"):
        renamed(text, "A")


def test_a_value_that_would_be_hidden_by_a_slot_is_refused():
    text = 'let |x = "a"\nprompts {\n  slot A in ["b"]\n  template "{A} {x}"\n}'

    with pytest.raises(RefusedRenameError, match="there is another `A`"):
        renamed(text, "A")


@pytest.mark.parametrize("text", ["mod|el 'x'", 'model "ti|ny"', "nodes { mlp at l|ast }", "|"])
def test_what_is_no_name_is_refused(text):
    plain, offset = marked(text)

    with pytest.raises(RefusedRenameError):
        renameable(plain, offset, names_of(plain))


def test_a_name_of_another_file_is_refused(tmp_path):
    (tmp_path / "words.atp").write_text('atp 1\nlet names = ["a"]\n')
    text = 'include "words.atp"\nprompts { slot A in na|mes }'

    with pytest.raises(RefusedRenameError, match=r"defined in `words.atp`"):
        renamed(text, "others", tmp_path)


def test_a_name_of_an_include_can_be_renamed(tmp_path):
    (tmp_path / "words.atp").write_text('atp 1\nlet names = ["a"]\n')
    text = 'include "words.atp" as w|ords\nprompts { slot A in words.names }'

    assert renamed(text, "w", tmp_path) == (
        'include "words.atp" as w\nprompts { slot A in w.names }'
    )


def test_a_spec_that_cannot_be_read_is_refused():
    with pytest.raises(RefusedRenameError, match="cannot be read"):
        renamed(in_spec("slot IO", "slot I|O") + "\nnodes { ( }", "X")


def test_changes_are_made_from_the_end():
    edits = (Edit(span=Span(0, 1), text="xyz"), Edit(span=Span(2, 3), text=""))

    assert applied("abc", edits) == "xyzb"
