"""From pairs of texts to pairs of token sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atpdsl.binding.findings import Finding, has_errors
from atpdsl.binding.pairs import TextPair, TokenPair, pair_name
from atpdsl.binding.tokens.align import partner_map
from atpdsl.binding.tokens.answers import AnswerTokens, Place, answer_tokens, shared_answers
from atpdsl.binding.tokens.positions import LAST, Finder, Located, locate
from atpdsl.binding.tokens.side_by_side import side_by_side
from atpdsl.binding.tokens.token_sets import SetsRead, token_sets
from atpdsl.models.tokenizer import ModelTokenizer, Offsets
from atpdsl.problems import Label, Problem, Severity
from atpdsl.semantics.experiment import Align
from atpdsl.semantics.metric_formula import TokenSet


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """How texts become tokens in one experiment.

    Attributes:
        bos_id: put before a prompt that does not begin with it; None: prompts stay as they are.
        n_context: the most tokens a prompt may have.
        d_vocab: token ids of the model are below this.
        metric_position: where the metric reads, and so what text the answers continue.
        sets: the tokens that a computed metric reads.
    """

    tokenizer: ModelTokenizer
    bos_id: int | None
    n_context: int
    d_vocab: int
    finder: Finder
    metric_position: str = LAST
    sets: tuple[TokenSet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One side of a pair.

    Attributes:
        offsets: for each token its characters in `text`; (0, 0) for a BOS put before it.
        empty: the text itself has no token.
        had_bos: the text itself begins with BOS.
    """

    side: str
    text: str
    tokens: tuple[int, ...]
    offsets: Offsets
    empty: bool
    had_bos: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenised:
    """A pair of texts read.

    Attributes:
        pair: None if the prompts cannot be used; lacks the answers that cannot.
        missing: why a named position is not in `pair.positions`.
        text, clean, corrupted: the two prompts, whether they can be used or not.
    """

    pair: TokenPair | None
    findings: tuple[Finding, ...]
    missing: Mapping[str, str]
    text: TextPair
    clean: Prompt
    corrupted: Prompt


def tokenise(pair: TextPair, number: int, rules: TokenRules) -> Tokenised:
    """Read one pair.

    Args:
        pair: the texts.
        number: what the pair is called in messages, from 1.
        rules: the tokenizer and how to use it.
    """
    clean = _prompt("clean", pair.clean, rules)
    corrupted = _prompt("corrupted", pair.corrupted, rules)
    findings = (
        *_prompt_findings(clean, pair, number, rules),
        *_prompt_findings(corrupted, pair, number, rules),
        *_bos_findings(clean, corrupted, pair, number),
    )
    if not _hopeless(findings):
        findings += _pair_findings(clean, corrupted, pair, number, rules.tokenizer)
    if _hopeless(findings):
        return Tokenised(
            pair=None,
            findings=findings,
            missing={},
            text=pair,
            clean=clean,
            corrupted=corrupted,
        )
    here = positions_of(clean, pair, rules.finder)
    there = positions_of(corrupted, pair, rules.finder)
    compared = _compared(clean, pair, number, here, rules)
    findings += compared.findings
    token_pair = TokenPair(
        text=pair,
        clean=clean.tokens,
        corrupted=corrupted.tokens,
        answers=compared.right.tokens,
        foils=compared.wrong.tokens,
        positions={
            name: (index, there.found[name])
            for name, index in here.found.items()
            if name in there.found
        },
        partner=_partners(clean, corrupted, pair, rules),
        sets=compared.sets.tokens,
    )
    missing = {name: f"clean prompt: {why}" for name, why in here.missing.items()}
    for name, why in there.missing.items():
        missing.setdefault(name, f"corrupted prompt: {why}")
    return Tokenised(
        pair=token_pair,
        findings=findings,
        missing=missing,
        text=pair,
        clean=clean,
        corrupted=corrupted,
    )


def _hopeless(findings: tuple[Finding, ...]) -> bool:
    return has_errors(finding.problem for finding in findings)


def _prompt(side: str, text: str, rules: TokenRules) -> Prompt:
    tokens, offsets = rules.tokenizer.encode(text)
    empty = not tokens
    had_bos = rules.bos_id is not None and tokens[:1] == (rules.bos_id,)
    if rules.bos_id is not None and not had_bos:
        tokens, offsets = (rules.bos_id, *tokens), ((0, 0), *offsets)
    return Prompt(
        side=side, text=text, tokens=tokens, offsets=offsets, empty=empty, had_bos=had_bos
    )


def _prompt_findings(
    prompt: Prompt, pair: TextPair, number: int, rules: TokenRules
) -> tuple[Finding, ...]:
    which = f"the {prompt.side} prompt of {pair_name(number, pair.place)}"
    at = Label(pair.origin)
    problems = []
    if prompt.empty:
        advice = "a prompt needs a text"
        advice += "; take such a row out of the file" if pair.place else " of its own"
        problems.append(Problem(code="ATP252", message=f"{which} is empty", at=at, help=advice))
    if len(prompt.tokens) > rules.n_context:
        bos = " with BOS" if rules.bos_id is not None else ""
        problems.append(
            Problem(
                code="ATP253",
                message=f"{which} has {len(prompt.tokens)} tokens{bos}, and the model reads"
                f" {rules.n_context} at most",
                at=at,
                help="shorten the prompt, or choose a model with a longer context",
            )
        )
    problems += _outside_vocabulary(which, prompt.tokens, at, rules)
    return tuple(
        Finding(problem=problem, cause=prompt.side, number=number) for problem in problems
    )


def _bos_findings(
    clean: Prompt, corrupted: Prompt, pair: TextPair, number: int
) -> tuple[Finding, ...]:
    sides = [prompt.side for prompt in (clean, corrupted) if prompt.had_bos]
    if not sides:
        return ()
    which = f"the {sides[0]} prompt" if len(sides) == 1 else "each prompt"
    problem = Problem(
        code="ATP259",
        message=f"the text of {which} of {pair_name(number, pair.place)} begins with the"
        " token that is put before every prompt (BOS)",
        at=Label(pair.origin),
        help="leave it out of the text; it is not put there a second time",
        severity=Severity.WARNING,
    )
    return (Finding(problem=problem, number=number),)


def _outside_vocabulary(
    which: str, tokens: tuple[int, ...], at: Label, rules: TokenRules
) -> tuple[Problem, ...]:
    outside = max(tokens, default=0)
    if outside < rules.d_vocab:
        return ()
    problem = Problem(
        code="ATP260",
        message=f"{which} has token {outside}, and the model has {rules.d_vocab} tokens",
        at=at,
        help="the tokenizer in the model's folder belongs to another model",
    )
    return (problem,)


def _pair_findings(
    clean: Prompt, corrupted: Prompt, pair: TextPair, number: int, tokenizer: ModelTokenizer
) -> tuple[Finding, ...]:
    if clean.tokens == corrupted.tokens:
        same = "text" if clean.text == corrupted.text else "tokens"
        problem = Problem(
            code="ATP254",
            message="the clean and the corrupted prompt of"
            f" {pair_name(number, pair.place)} are the same {same}",
            at=Label(pair.origin),
            help="patching between equal prompts changes nothing; let the corruption change a"
            " word",
        )
        return (Finding(problem=problem, number=number),)
    if len(clean.tokens) == len(corrupted.tokens) or Align(pair.align) is not Align.STRICT:
        return ()
    problem = Problem(
        code="ATP255",
        message=f"the prompts of {pair_name(number, pair.place)} have {len(clean.tokens)} and"
        f" {len(corrupted.tokens)} tokens",
        at=Label(pair.origin),
        also=side_by_side(
            f"pair {number} in tokens",
            tokenizer.pieces(clean.tokens),
            tokenizer.pieces(corrupted.tokens),
        ),
        help="use words of equally many tokens, or say with `align = start` or `align = end`"
        " which positions belong together",
    )
    return (Finding(problem=problem, number=number),)


def positions_of(prompt: Prompt, pair: TextPair, finder: Finder) -> Located:
    """The named positions in one of a pair's prompts."""
    side = int(prompt.side == "corrupted")
    ranges = {name: marked[side] for name, marked in pair.marks.items()}
    return locate(prompt.text, prompt.offsets, ranges, finder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """The tokens that the metric looks at."""

    right: AnswerTokens
    wrong: AnswerTokens
    sets: SetsRead
    findings: tuple[Finding, ...]


def _compared(
    clean: Prompt, pair: TextPair, number: int, located: Located, rules: TokenRules
) -> _Compared:
    name = rules.metric_position
    index = int(name) if name.isdecimal() else located.found.get(name)
    index = None if index is None else min(index, located.found[LAST])
    end = None if index is None or index == located.found[LAST] else clean.offsets[index][1]
    place = Place(
        context=clean.text[:end],
        pair=number,
        span=pair.answer_at or pair.origin,
        row=pair.place,
    )
    right = answer_tokens(pair.answers, place, rules.tokenizer, pair.answer_spans)
    wrong = answer_tokens(pair.foils, place, rules.tokenizer, pair.foil_spans)
    sides = {"right": right.tokens, "wrong": wrong.tokens}
    sets = token_sets(rules.sets, sides, pair, place, rules.tokenizer)
    shared = shared_answers(right, wrong, place, rules.tokenizer)
    tokens = (*right.tokens, *wrong.tokens, *(token for one in sets.tokens for token in one))
    outside = _outside_vocabulary(
        f"an answer of {pair_name(number, pair.place)}", tokens, Label(place.span), rules
    )
    found = (Finding(problem=problem, number=number) for problem in outside)
    return _Compared(
        right=right,
        wrong=wrong,
        sets=sets,
        findings=(*right.findings, *wrong.findings, *sets.findings, *shared, *found),
    )


def _partners(
    clean: Prompt, corrupted: Prompt, pair: TextPair, rules: TokenRules
) -> tuple[int, ...]:
    starts = (clean.tokens[0], corrupted.tokens[0])
    anchored = int(rules.bos_id is not None and starts == (rules.bos_id, rules.bos_id))
    return partner_map(len(clean.tokens), len(corrupted.tokens), Align(pair.align), anchored)
