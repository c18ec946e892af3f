from __future__ import annotations

import pytest

from atpdsl.editor.collect import names_of
from atpdsl.editor.facts import node_counts
from atpdsl.editor.hover import hover
from tests.editor.marked import SPEC, in_spec, marked, study_of


@pytest.fixture(scope="module")
def study():
    found = study_of(SPEC)
    assert found.problems == ()
    return found


def told(text: str, study=None, folder=None) -> str | None:
    plain, offset = marked(text)
    found = hover(plain, offset, names_of(plain, folder), study)
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ver|ify { }", "exact effects"),
        ("verify { to|p = 5 }", "best nodes of each estimate"),
        ("run { devi|ce = cpu }", "one of `auto`, `cpu`, `cuda`, `mps`"),
        ("run { devi|ce = cpu }", "default: `auto`"),
        ("run { device = cp|u }", "value of `device`"),
        ("nodes { heads.|z at last }", "kind of node"),
        ("nodes { he|ads.z at last }", "kind of node"),
        ("nodes { resid.mi|d at last }", "between a layer's attention"),
        ("nodes { mlp at ev|ery }", "a node per token"),
        ("nodes { mlp at last where la|yer > 1 }", "counted from 0"),
        ("metric logit_di|ff", "logit of the right answer"),
        ("metric pr|ob(right)", "probability of any of the tokens"),
        ("method at|p", "first-order estimates"),
        ('prompts { templ|ate "a" }', "a prompt with slots"),
        ("prompts { let a = two_di|gits(1) }", "two_digits("),
        ('export cs|v("a.txt")', "format"),
        ("method at|p*", "QK fix and GradDrop"),
        ("method atp* { qk_fi|x = on }", "setting of `method`"),
        ("diagnose { cancel|lation }", "part of `diagnose`"),
        ("diagnose { cancellation { fl|ag = index > 3 } }", "default: `index >= 5`"),
        ("diagnose { cancellation { flag = ind|ex > 3 } }", "nothing cancels"),
        ("diagnose { subset_sampling { inclu|sion = 1% } }", "default: `1%`"),
        ("diagnose { subset_sampling { partition = balan|ced } }", "value of `partition`"),
        ("verify { stop_when = mis|ses(top = 5) < 5% }", "truly best nodes"),
        ("expect { upper_bound(missed|_effect) < 1 }", "not measured"),
        ("expect { flagged(satur|ation) < 1 }", "part of `diagnose`"),
    ],
)
def test_words_of_the_language_are_explained(text, wanted):
    assert wanted in told(text)


@pytest.mark.parametrize("text", ["# ver|ify", 'model "ti|ny"', "nodes { x|y }", "|", "5|"])
def test_other_places_say_nothing(text):
    assert told(text) is None


def test_a_constant_shows_its_value():
    assert "let steps = 5" in told("## as in the paper\nlet steps = 5\nverify { top = st|eps }")
    assert "as in the paper" in told("## as in the paper\nlet ste|ps = 5")


def test_a_parameter_shows_its_help():
    text = 'param k = 5 { help = "nodes to verify" }\nverify { top = |k }'

    assert "nodes to verify" in told(text)


def test_a_name_of_an_included_file_says_where_it_is_from(tmp_path):
    (tmp_path / "words.atp").write_text('atp 1\nlet names = ["a", "b"]\n')
    text = 'include "words.atp"\nprompts { slot A in na|mes }'

    assert 'let names = ["a", "b"]' in told(text, folder=tmp_path)
    assert "words.atp" in told(text, folder=tmp_path)


def test_a_selection_says_how_many_nodes_it_chooses(study):
    assert "32 `heads.z` nodes" in told(in_spec("heads.z at", "heads|.z at"), study)
    assert told(in_spec("nodes {", "nod|es {"), study).endswith("92 nodes in all")


def test_every_line_of_nodes_is_counted(study):
    assert [hint.text for hint in node_counts(SPEC, study)] == ["32 nodes", "60 nodes"]


def test_a_template_shows_the_tokens_of_its_first_pair(study):
    shown = told(in_spec("template", "templ|ate"), study)
    rows = [line for line in shown.splitlines() if line.startswith("| ")]

    assert "4 of 4 pairs" in shown
    assert len(rows) == 15 + 1
    assert "`S2`" in rows[11]
    assert "`verb`" in rows[12]
    assert rows[11].split("|")[2] != rows[11].split("|")[3]
    assert "answer" in shown


def test_a_set_of_prompts_says_how_many_pairs_it_has(study):
    assert "4 pairs of 15 tokens" in told(in_spec("prompts ioi", "pro|mpts ioi"), study)


def test_the_model_says_how_large_it_is(study):
    assert "4 layers of 4 heads" in told(in_spec("model", "mo|del"), study)


def test_a_slot_in_a_template_shows_its_words(study):
    assert 'in ["Mary", "John"' in told(in_spec("{IO} and", "{I|O} and"), study)
