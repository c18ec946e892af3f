from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.editor.collect import names_of
from atpdsl.editor.places import definitions, references
from tests.editor.marked import SPEC, in_spec, marked

DERIVED = """\
prompts one {
  template "{A} and {B as B2}"
  slot A, B in ["x", "y"]
}
prompts two from one { corrupt B2 -> A }
prompts three { template "{A}"; slot A in ["z"] }
"""


def defined(text: str, folder: Path | None = None) -> list[str]:
    """The lines on which the name at the mark is defined, with the file's name before."""
    plain, offset = marked(text)
    places = definitions(plain, offset, names_of(plain, folder), folder)
    found = []
    for place in places:
        where = plain if place.path is None else place.path.read_text()
        line = where[: place.span.start].count("\n") + 1
        name = "" if place.path is None else f"{place.path.name}:"
        found.append(f"{name}{line}: {where[place.span.start : place.span.end]}")
    return found


def used(text: str, *, declared: bool = True) -> list[int]:
    """The lines on which the name at the mark stands."""
    plain, offset = marked(text)
    places = references(offset, names_of(plain), declared=declared)
    return [plain[: place.span.start].count("\n") + 1 for place in places]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("corrupt S2 ->", "corrupt S|2 ->", ["6: S2"]),
        ("S2 -> IO", "S2 -> I|O", ["7: IO"]),
        ('" {IO}" vs', '" {|IO}" vs', ["7: IO"]),
        ("pos verb = S2", "pos verb = S2|", ["6: S2"]),
        ("heads.z at S2", "heads.z at |S2", ["6: S2"]),
        ("method = fast", "method = fa|st", ["21: fast"]),
        ("method ap", "method a|p", ["22: ap"]),
        ("prompts ioi", "prompts i|oi", ["5: ioi"]),
        ('model "tiny"', 'model "ti|ny"', []),
        ("at every", "at ev|ery", []),
    ],
)
def test_names_lead_to_where_they_are_defined(old, new, wanted):
    assert defined(in_spec(old, new)) == wanted


def test_every_template_that_names_a_place_defines_it():
    text = 'prompts {\n template "{S as S2}"\n template "a {S as S2}"\n corrupt S|2 -> other\n}'

    assert defined(text) == ["2: S2", "3: S2"]


def test_a_derived_set_has_the_names_of_its_base():
    assert defined(DERIVED.replace("corrupt B2", "corrupt B|2")) == ["2: B2"]
    assert defined(DERIVED.replace("-> A", "-> A|")) == ["3: A"]


def test_names_of_different_sets_are_different():
    assert used(DERIVED.replace('"{A}"', '"{A|}"')) == [6, 6]


def test_names_of_different_sets_are_one_where_a_node_means_both():
    text = DERIVED + "nodes { mlp at A }"

    assert used(text.replace("at A", "at |A")) == [2, 3, 5, 6, 6, 7]


def test_names_of_the_prompts_hide_those_of_the_spec():
    text = 'let A = ["x"]\nprompts {\n  slot A in A\n  template "{A}"\n}'

    assert defined(text.replace('"{A}"', '"{|A}"')) == ["3: A"]
    assert defined(text.replace("in A", "in |A")) == ["1: A"]


def test_values_are_found_wherever_they_stand():
    text = 'sweep size in ["a"]\nmodel "x-{size}"\nexport "{size}.csv"\nverify { top = size }'

    assert used(text.replace("sweep size", "sweep si|ze")) == [1, 2, 3, 4]
    assert used(text.replace("sweep size", "sweep si|ze"), declared=False) == [2, 3, 4]


def test_a_format_belongs_to_no_name():
    text = 'prompts {\n slot yy in 2..98\n template "{yy:02 as YY}"\n corrupt YY -> "01"\n}'

    assert used(text.replace("slot yy", "slot y|y")) == [2, 3]
    assert used(text.replace("corrupt YY", "corrupt Y|Y")) == [3, 4]


def test_strings_with_escapes_have_their_names_in_the_right_place():
    text = 'let x = 1\nexport "\\u{1F600}\\t{x}.csv"'
    plain, offset = marked(text.replace("let x", "let |x"))
    (place,) = references(offset, names_of(plain), declared=False)

    assert plain[place.span.start : place.span.end] == "x"
    assert plain[place.span.start - 1] == "{"


def test_help_and_patterns_are_no_templates():
    text = 'let x = 1\nparam y = 2 { help = "{x}" }\nprompts { pos p = match(r"{x}") }'

    assert used(text.replace("let x", "let |x")) == [1]


def test_pair_names_are_found_in_the_metric():
    text = "prompts {\n  slot yy in 1..9\n}\nmetric prob(two_digits(y|y)) at last"

    assert defined(text) == ["2: yy"]


def test_expectations_name_methods_and_places():
    text = in_spec("export", "expect { spearman(fast) > 0.5; has(heads.z at S2) }\nexport")

    assert defined(text.replace("spearman(fast", "spearman(fa|st")) == ["21: fast"]
    assert defined(text.replace("has(heads.z at S2", "has(heads.z at S|2")) == ["6: S2"]


@pytest.fixture
def library(tmp_path):
    (tmp_path / "words.atp").write_text(
        'atp 1\nlet names = ["a"]\n'
        'prompts ioi {\n  template "{S as S2}"\n  slot S in names\n}\n'
    )
    return tmp_path


def test_an_include_leads_to_the_file(library):
    assert defined('include "wor|ds.atp"', library) == ["words.atp:1: "]
    assert defined('include "mis|sing.atp"', library) == []
    assert defined('include "lib:na|mes"', library) == ["names.atp:1: "]


def test_names_of_an_included_file_lead_there(library):
    text = 'include "words.atp" as common\nprompts { slot A in common.na|mes }'

    assert defined(text, library) == ["words.atp:2: names"]


def test_the_alias_of_an_include_leads_to_it(library):
    text = 'include "words.atp" as common\nprompts { slot A in com|mon.names }'

    assert defined(text, library) == ["1: common"]


def test_prompts_of_an_included_file_give_their_names(library):
    text = 'include "words.atp" as c\nprompts a from c.ioi { corrupt S|2 -> S }'

    assert defined(text, library) == ["words.atp:4: S2"]


def test_files_that_include_each_other_are_read_once(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.atp").write_text(f'atp 1\ninclude "{other}.atp"\nlet {name} = 1\n')

    assert defined('include "a.atp"\nverify { top = |b }', tmp_path) == ["b.atp:3: b"]


def test_a_derived_set_of_itself_ends():
    assert defined("prompts a from b { corrupt |X -> Y }\nprompts b from a { }") == []


@pytest.mark.parametrize("length", range(0, len(SPEC), 11))
def test_half_a_spec_has_names(length):
    names = names_of(SPEC[:length])

    for offset in range(0, length, 5):
        names.at(offset)
