from __future__ import annotations

import pytest

from atpdsl.editor import words
from atpdsl.editor.collect import names_of
from atpdsl.editor.completion import Around, complete
from atpdsl.editor.snippets import LINE_SNIPPETS, STATEMENT_SNIPPETS
from atpdsl.elaboration.including import library_names
from atpdsl.methods import METHODS
from atpdsl.models.catalogue import ADDABLE, EMBEDDED
from atpdsl.nodes import NODE_KINDS
from atpdsl.semantics.schema import DEVICES, DTYPES, SHAPES
from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS
from tests.editor.marked import SPEC, in_spec, items, labels, marked


def test_statements_that_are_missing_come_first():
    found = labels("atp 1\nmodel 'x'\n|")

    assert found[:4] == ["prompts", "metric", "nodes", "method"]
    assert "model" not in found
    assert "atp" not in found


def test_statements_that_this_version_refuses_are_not_offered():
    later = {shape.word for shape in SHAPES if shape.later}

    assert not later & set(labels("|"))


def test_a_body_offers_the_settings_that_it_has_not_yet():
    found = labels("verify { top = 20; | }")

    assert "random" in found
    assert "top" not in found


def test_a_setting_at_the_mark_does_not_hide_itself():
    assert "top" in labels("verify { to| = 20 }")


def test_prompts_offer_their_lines_and_settings():
    found = labels("prompts { | }")

    assert {"template", "slot", "corrupt", "answer", "count", "align"} <= set(found)


def test_prompts_from_a_file_offer_other_settings():
    found = labels('prompts from csv("x.csv") { | }')

    assert {"clean", "corrupted", "limit"} <= set(found)
    assert "template" not in found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("run { device = | }", DEVICES),
        ('model "x" { dtype = |', DTYPES),
        ("method atp { direction = | }", ("noising", "denoising")),
        ('pair "a" -> "b" { align = | }', ()),
        ('prompts { pair "a" -> "b" { align = | } }', ("strict", "start", "end")),
        ("run { per_pair = | }", ("on", "off")),
        ("run { executor = | }", ("bridge", "null")),
    ],
)
def test_values_of_settings_are_offered(text, wanted):
    assert set(wanted) <= set(labels(text))


def test_nodes_offer_the_kinds():
    assert labels("nodes { | }") == list(NODE_KINDS.names)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("heads.|", ["q", "k", "v", "z"]), ("resid.p|", ["pre", "mid", "post"])],
)
def test_behind_a_dot_only_the_rest_of_a_kind_is_offered(text, wanted):
    assert labels(f"nodes {{ {text} at last }}") == wanted


def test_behind_at_stand_the_places_of_the_prompts():
    found = labels(in_spec("heads.z at S2, last", "heads.z at S2, |"))

    assert {"S2", "IO", "S", "verb", "last", "every", "sequence"} <= set(found)


def test_a_metric_reads_at_one_place():
    found = labels(in_spec("metric logit_diff at last", "metric logit_diff at |"))

    assert "verb" in found
    assert "every" not in found


def test_behind_where_stand_the_numbers_of_nodes():
    assert labels("nodes { mlp at last where | }") == list(words.AXIS_WORDS)


@pytest.mark.parametrize(
    "text", ["{I| and", "{| and", "{IO} and {S} went to the {|, {S as S2} gave a"]
)
def test_braces_offer_the_names_of_the_prompts(text):
    changed = in_spec("{IO} and {S} went to the {place}, {S as S2} gave a", text)

    assert {"IO", "S", "place", "object"} <= set(labels(changed))


@pytest.mark.parametrize("text", ["{{|", "{S as |", "{IO}|", "|"])
def test_elsewhere_in_a_template_nothing_is_offered(text):
    assert labels(in_spec("{IO} and {S} went", text)) == []


def test_a_pattern_has_no_slots():
    assert labels('prompts {\n  slot A in ["x"]\n  pos p = match(r"{|")\n}') == []


def test_a_line_that_is_not_finished_yet_does_not_hide_the_slots():
    broken = in_spec('" {IO}" vs " {S}"', '" {|')

    assert {"IO", "S"} <= set(labels(broken))


def test_corrupt_offers_places_then_what_they_may_become():
    assert "S2" in labels(in_spec("corrupt S2 -> IO", "corrupt |"))
    assert {"IO", "other"} <= set(labels(in_spec("corrupt S2 -> IO", "corrupt S2 -> |")))


def test_models_are_those_with_a_name_of_their_own():
    found = labels('model "|"')

    assert found == [*EMBEDDED.names, *ADDABLE.names]


def test_methods_are_offered_with_and_without_a_label():
    assert labels("method |") == list(METHODS.names)
    assert labels("method x = |") == list(METHODS.names)


def test_metrics_and_readings_are_offered():
    assert {"logit_diff", "kl", "prob", "entropy"} <= set(labels("metric |"))
    assert {"right", "wrong"} <= set(labels("metric prob(|"))


def test_labels_of_methods_are_offered_where_one_is_wanted():
    found = labels(in_spec("method = fast", "method = |"))

    assert found[:2] == ["fast", "ap"]


def test_includes_offer_the_library_and_the_files_beside(tmp_path):
    (tmp_path / "words.atp").write_text("atp 1\n")
    found = labels('include "|"', tmp_path)

    assert found == [*(f"lib:{name}" for name in library_names()), "words.atp"]


def test_names_of_values_are_offered_where_values_stand():
    text = "let x = 5\nparam y = 6\nsweep z in [1]\nverify { top = | }"

    assert labels(text) == ["x", "y", "z"]


def test_names_of_an_included_file_stand_behind_its_name(tmp_path):
    (tmp_path / "words.atp").write_text('atp 1\nlet names = ["a"]\nprompts ioi { }\n')
    text = 'include "words.atp" as common\nprompts a from common.|'

    assert labels(text, tmp_path) == ["names", "ioi"]


def test_sets_of_prompts_are_offered_behind_from():
    assert labels("prompts a { }\nprompts b from |")[0] == "a"


def test_a_formula_may_use_the_names_of_the_pair_and_functions():
    found = labels('prompts {\n  slot A in ["x"]\n  let b = |\n}')

    assert {"A", "int", "two_digits", "single_token"} <= set(found)


def test_comments_are_left_alone():
    assert labels("# model |") == []


def test_what_was_typed_is_replaced():
    text, offset = marked(in_spec("heads.z at S2", "heads.z at S|2"))
    found = complete(text, offset, Around(names=names_of(text)))

    assert text[found.span.start : found.span.end] == "S"


def test_every_statement_can_be_written_out():
    assert set(STATEMENT_SNIPPETS) == set(STATEMENTS)
    assert set(LINE_SNIPPETS) == set(words.LINE_WORDS) == set(BODY_STATEMENTS)


def test_every_item_says_what_it_is():
    shown = [item for text in ("|", "prompts { | }", "nodes { | }") for item in items(text)]

    assert all(item.detail for item in shown)


@pytest.mark.parametrize("length", range(0, len(SPEC), 7))
def test_half_a_spec_has_completions_everywhere(length):
    text = SPEC[:length]

    complete(text, length, Around(names=names_of(text)))


@pytest.mark.parametrize(
    ("source", "text", "wanted"),
    [
        ('csv("t.csv")', "clean = row.|", ["clean", "label"]),
        ('csv("t.csv")', 'clean = "{row.|}"', ["clean", "label"]),
        ('csv("t.csv")', 'clean = "{row.la|}"', ["clean", "label"]),
        ('jsonl("t.jsonl")', "clean = row.|", ["text", "meta.name", "meta.deep.er"]),
        ('jsonl("t.jsonl")', "clean = row.meta.|", ["name", "deep.er"]),
        ('csv("missing.csv")', 'clean = "{row.|}"', []),
        ('csv("../secret.csv")', 'clean = "{row.|}"', []),
        ('hf("t")', 'clean = "{row.|}"', []),
    ],
)
def test_columns_are_those_of_the_file(tmp_path, source, text, wanted):
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("secret\n")
    (folder / "t.csv").write_text("clean,label\na,b\n")
    (folder / "t.jsonl").write_text('{"text": 1, "meta": {"name": 2, "deep": {"er": 3}}}\n')

    assert labels(f"prompts from {source} {{ {text} }}", folder) == wanted


def test_expectations_offer_functions_and_what_they_are_asked_about():
    assert {"recall", "spearman", "has"} <= set(labels("expect { | }"))
    assert {"fast", "ap", "truth"} <= set(labels(in_spec("export", "expect { spearman(|")))


def test_diagnose_offers_its_parts_and_their_settings():
    parts = ["cancellation", "saturation", "uncertainty", "subset_sampling"]

    assert labels("diagnose { | }") == parts
    assert labels("diagnose { cancellation { | } }") == ["flag", "direct_effect"]
    assert labels("diagnose { subset_sampling { partition = | } }")[:2] == [
        "balanced",
        "independent",
    ]


def test_a_flag_may_ask_for_the_quantities_of_its_diagnostic():
    text = "let x = 1\ndiagnose { saturation { flag = | } }"
    further = "diagnose { saturation { flag = change > 0.1 and | } }"

    assert labels(text) == ["attention", "change", "ratio", "disagreement", "x"]
    assert labels(further)[:2] == ["attention", "change"]
    assert labels("diagnose { saturation { flag = change | } }") == ["and", "or", "not"]


def test_a_verification_that_goes_on_is_offered_its_condition():
    text = "let few = 5%\nverify { stop_when = | }"

    assert labels(text) == ["misses"]
    assert labels(text.replace("|", "misses(|")) == ["top"]
    assert labels(text.replace("|", "misses(top = |")) == ["few"]
    assert labels(text.replace("|", "misses(top = 5) < |")) == ["few"]


def test_questions_about_diagnostics_offer_their_words():
    assert labels("expect { flagged(| }")[:3] == ["cancellation", "saturation", "uncertainty"]
    assert labels("expect { upper_bound(| }") == ["missed_effect", "method", "confidence"]


def test_a_method_with_a_star_is_offered_where_a_label_is_wanted():
    assert labels("method atp*\nverify { method = | }") == ["atp*"]
    assert "atp*" in labels("method atp*\nexpect { spearman(| }")


def test_no_item_is_offered_twice():
    found = labels('include "lib:names"\nlet names = 1\nprompts { slot names in | }')

    assert len(found) == len(set(found))


def test_braces_outside_of_prompts_offer_only_what_is_known_there():
    spec = f"let size = 5\n{SPEC}"
    metric = spec.replace("metric logit_diff", 'metric logit(" {|}")')

    assert {"IO", "size"} <= set(labels(metric))
    assert labels(spec.replace('"ioi.graphml"', '"{|}.csv"')) == ["size"]
    assert labels(spec.replace('model "tiny"', 'model "x" { revision = "{|}" }')) == ["size"]
