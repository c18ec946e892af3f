"""Answers as single tokens that continue a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.findings import Finding
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Label, Problem, Severity, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where answers are looked for: the text they continue, and what to call it in messages."""

    context: str
    pair: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTokens:
    """The tokens of one side, right or wrong; findings for those that are none."""

    tokens: tuple[int, ...]
    findings: tuple[Finding, ...]


def answer_tokens(
    answers: tuple[str, ...], place: Place, tokenizer: ModelTokenizer
) -> AnswerTokens:
    """The token of each answer, as the tokenizer writes it after the context."""
    tokens: list[int] = []
    findings: list[Finding] = []
    for answer in answers:
        token, found = _answer_token(answer, place, tokenizer)
        findings += found
        if token is None:
            continue
        if token in tokens:
            findings.append(_repeated(answer, place))
        else:
            tokens.append(token)
    return AnswerTokens(tokens=tuple(tokens), findings=tuple(findings))


def shared_answers(
    right: AnswerTokens, wrong: AnswerTokens, place: Place, tokenizer: ModelTokenizer
) -> tuple[Finding, ...]:
    """Findings for tokens that are right and wrong at once."""
    return tuple(
        Finding(
            problem=Problem(
                code="ATP258",
                message=f"`{tokenizer.decode_token(token)}` is both a right and a wrong answer"
                f" in pair {place.pair}",
                at=Label(place.span),
                help="draw both from one list, as in `slot IO, S in ...`, so that they differ",
            ),
            number=place.pair,
        )
        for token in right.tokens
        if token in wrong.tokens
    )


def _answer_token(
    answer: str, place: Place, tokenizer: ModelTokenizer
) -> tuple[int | None, tuple[Finding, ...]]:
    prefix, _ = tokenizer.encode(place.context)
    whole, _ = tokenizer.encode(place.context + answer)
    alone, _ = tokenizer.encode(answer)
    continues = whole[: len(prefix)] == prefix
    if continues and len(whole) == len(prefix) + 1:
        return whole[-1], _joined_word(answer, place, tokenizer, prefix)
    if not continues and len(alone) == 1:
        return alone[0], (_boundary(answer, place, tokenizer, whole),)
    pieces = tokenizer.pieces(whole[len(prefix) :] if continues else alone)
    return None, (_not_one_token(answer, place, tokenizer, pieces),)


def _is_next_token(
    answer: str, place: Place, tokenizer: ModelTokenizer, prefix: tuple[int, ...]
) -> bool:
    whole, _ = tokenizer.encode(place.context + answer)
    return whole[: len(prefix)] == prefix and len(whole) == len(prefix) + 1


def _not_one_token(
    answer: str, place: Place, tokenizer: ModelTokenizer, pieces: tuple[str, ...]
) -> Finding:
    prefix, _ = tokenizer.encode(place.context)
    listed = ", ".join(f"`{piece}`" for piece in pieces)
    says = f"is {len(pieces)} tokens: {listed}" if pieces else "has no token"
    other = answer.removeprefix(" ") if answer.startswith(" ") else f" {answer}"
    fits = bool(other) and _is_next_token(other, place, tokenizer, prefix)
    problem = Problem(
        code="ATP256",
        message=f"the answer `{answer}` {says}, in pair {place.pair}",
        at=Label(place.span),
        help=f"`{other}` is one token" if fits else "choose words that are one token each",
    )
    return Finding(problem=problem, number=place.pair)


def _boundary(
    answer: str, place: Place, tokenizer: ModelTokenizer, whole: tuple[int, ...]
) -> Finding:
    ending = "".join(f"|{piece}" for piece in tokenizer.pieces(whole[-3:]))
    prefix, _ = tokenizer.encode(place.context)
    advice = "end the prompt between two tokens"
    if place.context[-1:].isspace():
        advice = "the prompt ends with a space; take it away, and begin the answer with it"
    elif _is_next_token(f" {answer}", place, tokenizer, prefix):
        advice = f"for a new word write ` {answer}`, with the space"
    problem = Problem(
        code="ATP257",
        message=f"`{answer}` does not continue the tokens of the prompt of pair {place.pair}:"
        f" together they end in `{ending}|`",
        at=Label(place.span),
        help=advice,
        severity=Severity.WARNING,
    )
    return Finding(problem=problem, cause="boundary", number=place.pair)


def _joined_word(
    answer: str, place: Place, tokenizer: ModelTokenizer, prefix: tuple[int, ...]
) -> tuple[Finding, ...]:
    """A warning if the answer joins the prompt's last word, though it could be a word."""
    letters = place.context[-1:].isalpha() and answer[:1].isalpha()
    if not letters or not _is_next_token(f" {answer}", place, tokenizer, prefix):
        return ()
    word = (place.context.split() or [""])[-1]
    problem = Problem(
        code="ATP257",
        message=f"the answer `{answer}` goes on with the last word of pair {place.pair},"
        f" as `{word}{answer}`",
        at=Label(place.span),
        help=f"for a new word write ` {answer}`, with the space",
        severity=Severity.WARNING,
    )
    return (Finding(problem=problem, cause="joined word", number=place.pair),)


def _repeated(answer: str, place: Place) -> Finding:
    problem = Problem(
        code="ATP265",
        message=f"the answer `{answer}` is given twice in pair {place.pair}",
        at=Label(place.span),
        help="it counts once",
        severity=Severity.WARNING,
    )
    return Finding(problem=problem, number=place.pair)
