"""How two tokenisations are shown."""

from __future__ import annotations

from atpdsl.binding.tokens.side_by_side import side_by_side


def shown(
    clean: tuple[str, ...], corrupted: tuple[str, ...]
) -> tuple[str, list[str], list[str]]:
    labels = side_by_side("pair 1 in tokens", clean, corrupted)
    source = labels[0].source
    assert source is not None
    marked = [source.text[label.span.start : label.span.end] for label in labels]
    return source.text, marked, [label.text for label in labels]


def test_both_prompts_stand_in_columns_marked_from_the_first_difference() -> None:
    text, marked, said = shown(("A", " Max", "imil", " went"), ("A", " Jo", " went"))

    assert text == "clean     |A| Max|imil | went|\ncorrupted |A| Jo | went|"
    assert marked == [" Max|imil | went", " Jo | went"]
    assert said == ["4 tokens", "3 tokens"]


def test_a_prompt_that_only_goes_on_is_marked_at_its_rest() -> None:
    text, marked, _ = shown(("A", " b"), ("A", " b", " c"))

    assert text == "clean     |A| b|\ncorrupted |A| b| c|"
    assert marked == ["|", " c"]


def test_only_the_surroundings_of_the_difference_are_shown() -> None:
    many = tuple(str(number) for number in range(100))
    text, _, said = shown(many, (*many[:50], "x", *many[50:]))

    assert text.splitlines()[0].startswith("clean     ... |44|45|")
    assert len(text) < 200
    assert said == ["100 tokens", "101 tokens"]


def test_a_line_end_in_a_token_does_not_break_the_line() -> None:
    text, _, _ = shown(("a\n", "b"), ("a\n",))

    assert len(text.splitlines()) == 2
