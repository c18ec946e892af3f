"""From the prompts of an experiment to pairs of texts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.files import expand_file
from atpdsl.binding.texts.sides import NO_ANSWERS, Answers, read_side
from atpdsl.binding.texts.templates import Drawing, expand_templates
from atpdsl.binding.texts.written import Pieces, pieces_of, write
from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import (
    FilePrompts,
    InlinePair,
    Prompts,
    TemplatePrompts,
    Text,
)
from atpdsl.semantics.formulas import Formula, FormulaError, Tokens
from atpdsl.semantics.template import Piece


def expand(
    prompts: Prompts, seed: int, base: Path, tokens: Tokens | None = None
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    """All pairs of a `prompts` block, in the order of the spec.

    Args:
        prompts: the block.
        seed: fixes the draws; the same seed gives the same pairs.
        base: the folder from which relative paths of data files start.
        tokens: for formulas that ask the tokenizer.
    """
    random = Random(seed)  # noqa: S311 - a reproducible sample, nothing secret
    pairs: list[TextPair] = []
    problems: list[Problem] = []
    for part in prompts.parts:
        match part:
            case TemplatePrompts():
                drawing = Drawing(random=random, tokens=tokens, before=len(pairs))
                found, wrong = expand_templates(part, prompts.align, drawing)
            case FilePrompts():
                found, wrong = expand_file(part, prompts.align, base, tokens)
            case InlinePair():
                found, wrong = _expand_inline(part, tokens)
        pairs += found
        problems += wrong
    if not pairs and not problems:
        problems.append(_no_pairs(prompts))
    return tuple(pairs), tuple(dict.fromkeys(problems))


def _expand_inline(
    part: InlinePair, tokens: Tokens | None
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    problems: list[Problem] = []

    def plain(text: Text) -> str:
        pieces, found = pieces_of(text)
        problems.extend(found)
        problems.extend(_slots_in_pair(text, pieces))
        return write(pieces, lambda _: "").text

    def side(answers: tuple[Text | Formula, ...]) -> Answers:
        for answer in answers:
            if isinstance(answer, Text):
                plain(answer)
        read, _ = read_side(answers)
        try:
            return NO_ANSWERS if problems else read.answers({}, tokens)
        except FormulaError as error:
            at = Label(error.span)
            problems.append(
                Problem(code="ATP267", message=error.message, at=at, help=error.advice)
            )
            return NO_ANSWERS

    answer = part.answer
    clean, corrupted = plain(part.clean), plain(part.corrupted)
    answers, answer_spans = side(answer.right) if answer else NO_ANSWERS
    foils, foil_spans = side(answer.wrong) if answer else NO_ANSWERS
    pair = TextPair(
        clean=clean,
        corrupted=corrupted,
        answers=answers,
        foils=foils,
        answer_spans=answer_spans,
        foil_spans=foil_spans,
        marks={},
        align=part.align,
        origin=part.span,
        row=0,
        answer_at=answer.span if answer else None,
    )
    return (() if problems else (pair,)), tuple(problems)


def _slots_in_pair(text: Text, pieces: Pieces) -> tuple[Problem, ...]:
    def name(piece: Piece) -> str:
        return piece.slot or ".".join(("row", *(piece.row or ())))

    return tuple(
        Problem(
            code="ATP241",
            message=f"a `pair` is plain text, and has no slot `{name(piece)}`",
            at=Label(text.span),
            help="write `{{` and `}}` for braces, or use a `template` with slots",
        )
        for piece in pieces
        if piece.literal is None
    )


def _no_pairs(prompts: Prompts) -> Problem:
    return Problem(
        code="ATP251",
        message=f"the prompts `{prompts.name}` have no pairs",
        at=Label(prompts.span),
        help="add a `template`, a `pair` or a file",
    )
