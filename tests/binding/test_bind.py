"""The whole binding on the embedded tokenizer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl.binding.bind import Bound, bind
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Problem, Severity, Source
from atpdsl.semantics.experiment import Align, Experiment
from tests.binding.build import (
    IOI,
    NAMES,
    SHAPE,
    answer,
    experiment,
    from_file,
    inline,
    ioi_slots,
    matching,
    nodes,
    only,
    prompts,
    relative,
    slot,
    templates,
)

NO_FOLDER = Path()
LATER = "Then, {IO} and {S} went to the {place}. {S as S2} gave a {object} to"


def bound(given: Experiment, tokenizer: ModelTokenizer) -> Bound:
    result, problems = bind(given, SHAPE, tokenizer, NO_FOLDER)
    assert problems == ()
    assert result is not None
    return result


def problems_of(given: Experiment, tokenizer: ModelTokenizer) -> tuple[Problem, ...]:
    result, problems = bind(given, SHAPE, tokenizer, NO_FOLDER)
    errors = any(problem.severity is Severity.ERROR for problem in problems)
    assert (result is None) == errors
    return problems


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def test_ioi_is_bound(tiny: ModelTokenizer) -> None:
    given = experiment(
        prompts(templates(count=16)), nodes("heads.z", "every"), nodes("mlp", "S2 last")
    )
    result = bound(given, tiny)
    first = result.pairs.pairs[0]

    assert len(result.pairs) == 16
    assert (result.pairs.bos_id, result.pairs.pad_id) == (0, 0)
    assert len(first.clean) == len(first.corrupted) == result.pairs.longest == 15
    assert first.positions["S2"] == (10, 10)
    assert first.clean[10] != first.corrupted[10]
    assert first.clean[:10] + first.clean[11:] == first.corrupted[:10] + first.corrupted[11:]
    assert result.node_count == 4 * 4 * 15 + 4 * 2
    assert result.experiment == given


def test_the_same_seed_binds_the_same(tiny: ModelTokenizer) -> None:
    given = experiment(prompts(templates(count=16)), seed=3)
    other = experiment(prompts(templates(count=16)), seed=4)

    assert bound(given, tiny) == bound(given, tiny)
    assert bound(given, tiny).pairs != bound(other, tiny).pairs


def test_bos_can_be_left_out(tiny: ModelTokenizer) -> None:
    result = bound(experiment(prompts(templates(), bos=False)), tiny)

    assert result.pairs.bos_id is None
    assert result.pairs.longest == 14


def test_a_model_without_bos_gets_none(tiny: ModelTokenizer) -> None:
    result = bound(experiment(prompts(templates())), replace(tiny, bos_id=None))

    assert result.pairs.bos_id is None


def test_everything_wrong_is_reported_in_one_go(tiny: ModelTokenizer, tmp_path: Path) -> None:
    given = experiment(
        prompts(
            inline("Mary went", "Mary went", answer(" store", " store")),
            inline("Mary went to", "John went to", answer(" Zoe", " store")),
            from_file("none.csv"),
            positions=(matching("bad", "("),),
        ),
        nodes("mlp", "S2 bad", layers=only(7)),
        nodes("heads.z", "last", indices=only(9)),
    )
    result, problems = bind(given, SHAPE, tiny, tmp_path)

    assert result is None
    assert codes(problems) == [
        "ATP246",
        "ATP263",
        "ATP254",
        "ATP256",
        "ATP262",
        "ATP270",
        "ATP271",
    ]


def test_one_bad_slot_word_is_one_problem(tiny: ModelTokenizer) -> None:
    slots = (*ioi_slots()[:2], slot("object", ("drink", "xylophone")))
    bad_answer = answer(" {object}", " {S}")
    given = experiment(prompts(templates(slots=slots, answers=bad_answer, count=20)))
    (problem,) = problems_of(given, tiny)

    assert problem.code == "ATP256"
    assert problem.message.endswith(" more pairs")
    assert problem.at is not None
    assert problem.at.span == bad_answer.right[0].span


def test_an_unknown_position_is_suggested_a_near_one(tiny: ModelTokenizer) -> None:
    found = problems_of(experiment(prompts(templates()), nodes("mlp", "S3")), tiny)
    metric = experiment(prompts(templates()), metric_position="lats")

    assert codes(found) == ["ATP262"]
    assert found[0].help in ("did you mean `S`?", "did you mean `S2`?")
    assert problems_of(metric, tiny)[0].help == "did you mean `last`?"


def test_a_position_number_may_be_used_up_to_the_shortest_prompt(tiny: ModelTokenizer) -> None:
    good = experiment(prompts(templates()), nodes("mlp", "14"))
    bad = experiment(prompts(templates()), nodes("mlp", "15"))

    assert bound(good, tiny).nodes[0].positions == ("14",)
    assert codes(problems_of(bad, tiny)) == ["ATP261"]


def test_a_position_missing_in_some_pairs_is_a_warning_for_nodes(tiny: ModelTokenizer) -> None:
    given = prompts(
        inline("Mary went to the", "John went to the"),
        inline("Mary met John near the", "Tom met John near the"),
        positions=(matching("met", "met"),),
    )
    (problem,) = problems_of(experiment(given, nodes("mlp", "met")), tiny)

    assert (problem.code, problem.severity) == ("ATP261", Severity.WARNING)
    assert problem.message == (
        "position `met` is not in pair 1 of 2 (clean prompt: the pattern matches nothing)"
    )
    rule, prompt = problem.also
    assert rule.text == "looked for so"
    assert prompt.source == Source("clean prompt of pair 1", "Mary went to the")


def test_the_pairs_that_lack_a_position_are_named(tiny: ModelTokenizer) -> None:
    others = (*NAMES[1:], NAMES[0])
    pairs = [
        inline(f"{name} went to the", f"{other} went to the")
        for name, other in zip(NAMES, others, strict=True)
    ]
    met = inline("Mary met Tom", "John met Tom")
    given = prompts(*pairs, met, positions=(matching("met", "met"),))
    (problem,) = problems_of(experiment(given, nodes("mlp", "met")), tiny)

    assert problem.message.startswith(
        "position `met` is not in pairs 1, 2, 3, 4 and 2 more of 7 ("
    )


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("9", "the clean prompt has the tokens 0 to 5"),
        ("4", "that token has no partner in the corrupted prompt"),
    ],
)
def test_a_token_number_that_is_not_there_has_its_reason(
    tiny: ModelTokenizer, at: str, reason: str
) -> None:
    pair = inline("Mary went to the store", "John went to", align=Align.START)
    (problem,) = problems_of(experiment(prompts(pair), nodes("mlp", at)), tiny)

    assert problem.message == f"position `{at}` is not in pair 1 ({reason})"


def test_a_position_missing_in_some_pairs_is_an_error_for_the_metric(
    tiny: ModelTokenizer,
) -> None:
    given = prompts(
        inline("Mary went to the", "John went to the"),
        inline("Mary met John near the", "Tom met John near the"),
        positions=(matching("met", "met"),),
    )
    (problem,) = problems_of(experiment(given, metric_position="met"), tiny)

    assert (problem.code, problem.severity) == ("ATP261", Severity.ERROR)


def test_a_position_in_no_pair_is_an_error_if_used_and_a_warning_if_not(
    tiny: ModelTokenizer,
) -> None:
    given = prompts(templates(), positions=(matching("Zoe", "Zoe"),))
    used = problems_of(experiment(given, nodes("mlp", "Zoe")), tiny)
    unused = problems_of(experiment(given), tiny)

    assert [problem.severity for problem in used] == [Severity.ERROR]
    assert [problem.severity for problem in unused] == [Severity.WARNING]


def test_a_relative_position_follows_its_origin(tiny: ModelTokenizer) -> None:
    given = prompts(templates(), positions=(relative("verb", "S2", 1),))
    result = bound(experiment(given, nodes("mlp", "verb")), tiny)
    pair = result.pairs.pairs[0]

    assert pair.positions["verb"] == (11, 11)
    assert tiny.decode_token(pair.clean[11]) == " gave"


def test_an_unknown_origin_is_one_problem_whatever_needs_it(tiny: ModelTokenizer) -> None:
    given = prompts(templates(), positions=(relative("verb", "S4", 1),))

    assert codes(problems_of(experiment(given, nodes("mlp", "verb")), tiny)) == ["ATP262"]


def test_a_bad_pattern_is_not_reported_again_where_it_is_used(tiny: ModelTokenizer) -> None:
    rules = (matching("bad", "(a+)+"), relative("next", "bad", 1))
    given = experiment(prompts(templates(), positions=rules), nodes("mlp", "bad next"))

    assert codes(problems_of(given, tiny)) == ["ATP263"]


def test_a_name_that_stands_twice_is_said_to(tiny: ModelTokenizer) -> None:
    given = prompts(templates("When {IO} and {S} met, {S} and {S as S2} gave a {object} to"))
    (problem,) = problems_of(experiment(given, nodes("mlp", "S last")), tiny)

    assert problem.code == "ATP264"
    assert problem.help == "name the place that is meant, as in `{S as S2}`"


def test_every_warns_of_prompts_of_several_lengths(tiny: ModelTokenizer) -> None:
    given = prompts(
        inline("Mary went to the", "John went to the"),
        inline("Then, Mary went to the", "Then, John went to the"),
    )
    (problem,) = problems_of(experiment(given, nodes("mlp")), tiny)

    assert (problem.code, problem.severity) == ("ATP266", Severity.WARNING)
    assert "the clean prompts have 5 to 7 tokens" in problem.message


def test_every_warns_of_several_templates_of_one_length(tiny: ModelTokenizer) -> None:
    given = prompts(
        templates(
            "Then, {IO} met {S} and {S as S2} gave", "{IO} and {S} met, so {S as S2} gave"
        )
    )
    found = problems_of(experiment(given, nodes("mlp")), tiny)

    assert codes(found) == ["ATP266"]
    assert "the pairs come from 2 templates" in found[0].message


def test_every_warns_of_words_that_move(tiny: ModelTokenizer, tmp_path: Path) -> None:
    rows = "clean,corrupted\nMary and John,Tom and John\nJohn and Mary,John and Tom\n"
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    given = prompts(from_file("rows.csv"), positions=(matching("who", "Mary|Tom"),))
    _, problems = bind(experiment(given, nodes("mlp")), SHAPE, tiny, tmp_path)

    assert codes(problems) == ["ATP266"]
    assert "`who` is at 1 in one prompt and 3 in another" in problems[0].message


def test_named_positions_of_several_templates_are_fine(tiny: ModelTokenizer) -> None:
    given = prompts(templates(IOI, LATER))
    result = bound(experiment(given, nodes("heads.z", "S2 last")), tiny)
    places = {pair.positions["S2"] for pair in result.pairs.pairs}

    assert places == {(10, 10), (11, 11)}


def test_a_tokenizer_that_puts_spaces_itself_is_bound_alike(metaspace: ModelTokenizer) -> None:
    part = templates(
        "When {IO} and {S} went to the store, {S as S2} went to",
        slots=(slot("IO S", ("Mary", "John")),),
        count=2,
    )
    result = bound(experiment(prompts(part)), metaspace)
    pair = result.pairs.pairs[0]

    assert pair.positions == {"IO": (2, 2), "S": (4, 4), "S2": (10, 10), "last": (12, 12)}
    assert metaspace.decode_token(pair.clean[10]) == metaspace.decode_token(pair.clean[4])
    assert pair.answers == (pair.clean[2],)


def test_binding_needs_no_heavy_library() -> None:
    code = (
        "import sys, atpdsl.binding.bind\n"
        "heavy = {'torch', 'transformers', 'transformer_lens', 'networkx', 'pandas'}\n"
        "sys.exit(len(heavy & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
