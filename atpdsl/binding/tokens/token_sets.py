"""The token sets of a computed metric, as tokens of one pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from atpdsl.binding.findings import Finding
from atpdsl.binding.pairs import TextPair
from atpdsl.binding.tokens.answers import Place, answer_tokens, repeated
from atpdsl.binding.tokens.counter import TokenCounter
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import Text
from atpdsl.semantics.formulas import Formula, FormulaError, Tokens, Value, texts_of
from atpdsl.semantics.metric_formula import TokenSet


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsRead:
    """The token ids of each set, and what is wrong with them."""

    tokens: tuple[tuple[int, ...], ...]
    findings: tuple[Finding, ...]


def token_sets(
    sets: tuple[TokenSet, ...],
    sides: Mapping[str, tuple[int, ...]],
    pair: TextPair,
    place: Place,
    tokenizer: ModelTokenizer,
) -> SetsRead:
    """The tokens of every set, as the tokenizer writes its texts after the prompt.

    Args:
        sets: those of the metric.
        sides: the tokens of the right and of the wrong answers, by the name of the side.
        pair: has the values that formulas use.
        place: the text that the tokens continue.
        tokenizer: the model's tokenizer.
    """
    tokens: list[tuple[int, ...]] = []
    findings: list[Finding] = []
    for one in sets:
        if one.side:
            tokens.append(sides[one.side])
            continue
        here = replace(place, span=one.span, noun="text")
        found = _tokens(one, pair.values, here, tokenizer)
        tokens += found.tokens
        findings += found.findings
    return SetsRead(tokens=tuple(tokens), findings=tuple(findings))


def _tokens(
    one: TokenSet, values: Mapping[str, Value], place: Place, tokenizer: ModelTokenizer
) -> SetsRead:
    """One set; each of its parts is blamed for what is wrong with its own texts."""
    found: dict[int, str] = {}
    findings: list[Finding] = []
    for part in one.texts:
        here = replace(place, span=part.span)
        try:
            texts = _texts(part, values, TokenCounter(tokenizer))
        except FormulaError as error:
            findings.append(_without_value(error, here))
            continue
        read = answer_tokens(texts, here, tokenizer)
        findings += read.findings
        for token, text in zip(read.tokens, read.texts, strict=True):
            if token in found:
                findings.append(repeated(text, found[token], here))
            found.setdefault(token, text)
    if not found and not findings:
        findings.append(_empty(place))
    return SetsRead(tokens=(tuple(found),), findings=tuple(findings))


def _texts(
    part: Text | Formula, values: Mapping[str, Value], tokens: Tokens
) -> tuple[str, ...]:
    return (part.text,) if isinstance(part, Text) else texts_of(part, values, tokens)


def _empty(place: Place) -> Finding:
    problem = Problem(
        code="ATP285",
        message=f"the metric has no tokens to read here in {place.name}",
        at=Label(place.span),
        help="leave such pairs out with `keep`, or make the range longer",
    )
    return Finding(problem=problem, number=place.pair)


def _without_value(error: FormulaError, place: Place) -> Finding:
    problem = Problem(
        code="ATP286",
        message=f"{error.message}, in {place.name}",
        at=Label(error.span),
        help=error.advice,
    )
    return Finding(problem=problem, number=place.pair)
