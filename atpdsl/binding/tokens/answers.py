"""Answers as single tokens that continue a prompt."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from atpdsl.binding.findings import Finding
from atpdsl.binding.pairs import pair_name
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Label, Problem, Severity, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where answers are looked for: the text they continue, and what to call it in messages.

    Attributes:
        noun: what messages call that which is looked for.
        row: which row of a file the pair is, in words; "" for none.
    """

    context: str
    pair: int
    span: Span
    noun: str = "answer"
    row: str = ""

    @property
    def name(self) -> str:
        """The pair, as messages call it."""
        return pair_name(self.pair, self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTokens:
    """The tokens of one side, right or wrong; findings for those that are none.

    Attributes:
        texts: the text of each token.
        split: the answers of several tokens, with these.
    """

    tokens: tuple[int, ...]
    findings: tuple[Finding, ...]
    texts: tuple[str, ...] = ()
    split: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def beginnings(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """All answers, each with its tokens."""
        single = zip(self.texts, ((token,) for token in self.tokens), strict=True)
        return (*single, *self.split)


def answer_tokens(
    answers: tuple[str, ...],
    place: Place,
    tokenizer: ModelTokenizer,
    spans: tuple[Span, ...] = (),
) -> AnswerTokens:
    """The token of each answer, as the tokenizer writes it after the context.

    Args:
        answers: the texts.
        place: what they continue.
        tokenizer: the model's.
        spans: where each of them is written; nothing for all at the place's span.
    """
    places = {span: replace(place, span=span) for span in dict.fromkeys(spans)}
    prefix, _ = tokenizer.encode(place.context)
    found_as: dict[int, str] = {}
    split: list[tuple[str, tuple[int, ...]]] = []
    findings: list[Finding] = []
    for number, answer in enumerate(answers):
        here = places[spans[number]] if spans else place
        tokens, found = _answer_tokens(answer, here, tokenizer, prefix)
        findings += found
        if len(tokens) != 1:
            split += [(answer, tokens)] if tokens else []
        elif tokens[0] in found_as:
            findings.append(repeated(answer, found_as[tokens[0]], here))
        else:
            found_as[tokens[0]] = answer
    return AnswerTokens(
        tokens=tuple(found_as),
        findings=tuple(findings),
        texts=tuple(found_as.values()),
        split=tuple(split),
    )


def shared_answers(
    right: AnswerTokens, wrong: AnswerTokens, place: Place, tokenizer: ModelTokenizer
) -> tuple[Finding, ...]:
    """Findings for answers of both sides that are one token, or begin with the same one."""
    findings: list[Finding] = []
    wrong_by_first: dict[int, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    for other, others in wrong.beginnings:
        wrong_by_first[others[0]].append((other, others))
    for text, tokens in right.beginnings:
        for other, others in wrong_by_first.get(tokens[0], ()):
            problem = Problem(
                code="ATP258",
                message=_both(text, tokens, other, others, tokenizer, place),
                at=Label(place.span),
                help="choose words that differ in their first token"
                if text != other
                else "draw both from one list, as in `slot IO, S in ...`, so that they differ",
            )
            findings.append(Finding(problem=problem, number=place.pair))
    return tuple(findings)


def _both(
    text: str,
    tokens: tuple[int, ...],
    other: str,
    others: tuple[int, ...],
    tokenizer: ModelTokenizer,
    place: Place,
) -> str:
    if text == other:
        return f"`{text}` is both a right and a wrong answer in {place.name}"
    (piece,) = tokenizer.pieces(tokens[:1])
    alike = "are the same token" if len(tokens) == len(others) == 1 else "begin with the token"
    return (
        f"the right answer `{text}` and the wrong answer `{other}` {alike} `{piece}`,"
        f" in {place.name}"
    )


def _answer_tokens(
    answer: str, place: Place, tokenizer: ModelTokenizer, prefix: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[Finding, ...]]:
    """The tokens of an answer; one, if it can be used."""
    whole, _ = tokenizer.encode(place.context + answer)
    continues = whole[: len(prefix)] == prefix
    if continues and len(whole) == len(prefix) + 1:
        return whole[-1:], _joined_word(answer, place, tokenizer, prefix)
    alone, _ = tokenizer.encode(answer)
    if not continues and len(alone) == 1:
        return alone, (_boundary(answer, place, tokenizer, whole),)
    tokens = whole[len(prefix) :] if continues else alone
    return tokens, (_not_one_token(answer, place, tokenizer, tokenizer.pieces(tokens)),)


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
        message=f"the {place.noun} `{answer}` {says}, in {place.name}",
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
        message=f"`{answer}` does not continue the tokens of the prompt of {place.name}:"
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
        message=f"the {place.noun} `{answer}` goes on with the last word of {place.name},"
        f" as `{word}{answer}`",
        at=Label(place.span),
        help=f"for a new word write ` {answer}`, with the space",
        severity=Severity.WARNING,
    )
    return (Finding(problem=problem, cause="joined word", number=place.pair),)


def repeated(answer: str, first: str, place: Place) -> Finding:
    """A warning for a text that has the same token as an earlier one."""
    message = f"the {place.noun} `{answer}` is given twice in {place.name}"
    if answer != first:
        message = f"`{first}` and `{answer}` are the same token, in {place.name}"
    problem = Problem(
        code="ATP265",
        message=message,
        at=Label(place.span),
        help="it counts once",
        severity=Severity.WARNING,
    )
    return Finding(problem=problem, number=place.pair)
