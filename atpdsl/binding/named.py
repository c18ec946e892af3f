"""Checks that the named positions of a spec are in its prompts."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.pairs import pair_name
from atpdsl.binding.texts.written import pieces_of, repeated_names
from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.binding.tokens.positions import LAST, Finder, with_dependents
from atpdsl.binding.tokens.tokenise import Tokenised
from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.problems.clean import clean as clean_text
from atpdsl.registry import closest
from atpdsl.semantics.experiment import (
    Experiment,
    FilePrompts,
    Placement,
    Prompts,
    TemplatePrompts,
)

Read = tuple[tuple[int, Tokenised], ...]
CLEAN, CORRUPTED = "clean", "corrupted"
# Pairs that lack a position are named up to so many.
MOST_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place in the spec that needs a position; in every pair, or in those that have it."""

    name: str
    span: Span
    in_every_pair: bool


def check_positions(
    experiment: Experiment, pairs: tuple[Tokenised, ...], finder: Finder
) -> tuple[Problem, ...]:
    """Problems with positions that the metric, the nodes or another position need.

    Args:
        experiment: the spec.
        pairs: all pairs; those that could not be read are passed over.
        finder: the spec's rules; nothing is said of those refused, as it was before.
    """
    read = tuple((number, pair) for number, pair in enumerate(pairs, 1) if pair.pair)
    if not read:
        return ()
    prompts = experiment.prompts
    uses = _uses(experiment)
    nameless = {
        use.name: problem
        for use in (*uses, *_origins(prompts))
        if use.name not in finder.refused
        and (problem := _no_such_place(use, prompts, read)) is not None
    }
    settled = with_dependents({*nameless, *finder.refused}, finder.relatives)
    # The first use of a name speaks for the others; that of the metric asks for the most.
    first = {use.name: use for use in reversed(uses) if use.name not in settled}
    missing = (_missing(first[name], prompts, read) for name in reversed(first))
    unused = _unused(prompts, settled | {use.name for use in uses}, read)
    found = (*nameless.values(), *missing, *unused)
    return tuple(dict.fromkeys(problem for problem in found if problem is not None))


def _uses(experiment: Experiment) -> tuple[Use, ...]:
    """What the metric and the nodes need."""
    metric = experiment.metric
    named = (
        position
        for selection in experiment.nodes
        if selection.placement is Placement.NAMED
        for position in selection.positions
    )
    return (
        Use(name=metric.position, span=metric.span, in_every_pair=True),
        *(Use(name=text.text, span=text.span, in_every_pair=False) for text in named),
    )


def _origins(prompts: Prompts) -> tuple[Use, ...]:
    """Positions from which others are counted."""
    return tuple(
        Use(name=rule.relative[0], span=rule.span, in_every_pair=False)
        for rule in prompts.positions
        if rule.relative is not None
    )


def _has(pair: Tokenised, name: str) -> bool:
    if pair.pair is None:
        return True
    if name.isdecimal():
        partner = pair.pair.partner
        return int(name) < len(partner) and partner[int(name)] != NO_PARTNER
    return name in pair.pair.positions


def _no_such_place(use: Use, prompts: Prompts, read: Read) -> Problem | None:
    """A problem if a name means nothing, or not one thing."""
    if use.name.isdecimal() or all(_has(pair, use.name) for _, pair in read):
        return None
    repeated = _repeated(prompts)
    if use.name in repeated:
        return Problem(
            code="ATP264",
            message=f"`{use.name}` stands more than once in a template, and so is no position",
            at=Label(use.span),
            also=(Label(repeated[use.name], "in this template"),),
            help=f"name the place that is meant, as in `{{{use.name} as {use.name}2}}`",
        )
    known = _known_names(prompts, read)
    if use.name in known:
        return None
    one_side = _on_one_side(use, prompts)
    if one_side is not None:
        return one_side
    near = closest(use.name, known)
    listed = ", ".join(f"`{name}`" for name in known)
    return Problem(
        code="ATP262",
        message=f"there is no position `{use.name}`",
        at=Label(use.span),
        help=f"did you mean `{near}`?" if near else f"positions are {listed}",
    )


def _on_one_side(use: Use, prompts: Prompts) -> Problem | None:
    """A problem if a name stands in one of the two texts of a file's rows only."""
    for part in prompts.parts:
        if not isinstance(part, FilePrompts):
            continue
        texts = {CLEAN: part.clean, CORRUPTED: part.corrupted}
        named = [
            side
            for side, text in texts.items()
            if any(piece.label == use.name for piece in pieces_of(text)[0])
        ]
        if len(named) == 1:
            (side,) = named
            (other,) = texts.keys() - named
            return Problem(
                code="ATP262",
                message=f"`{use.name}` is no position: only the {side} prompts have it",
                at=Label(use.span),
                also=(Label(texts[side].span, "named here"),),
                help=f"name the place in `{other}`, too, or write"
                f' `pos {use.name} = match(r"...")`, which is looked for in both',
            )
    return None


def _repeated(prompts: Prompts) -> dict[str, Span]:
    """Names that stand more than once in a template, and the template."""
    return {
        name: template.span
        for part in prompts.parts
        if isinstance(part, TemplatePrompts)
        for template in part.templates
        for name in repeated_names(pieces_of(template)[0])
    }


def _known_names(prompts: Prompts, read: Read) -> tuple[str, ...]:
    found = (name for _, pair in read if pair.pair for name in pair.pair.positions)
    missing = (name for _, pair in read for name in pair.missing)
    rules = (rule.name for rule in prompts.positions)
    return tuple(dict.fromkeys((*found, *missing, *rules, LAST)))


def _missing(use: Use, prompts: Prompts, read: Read) -> Problem | None:
    lacking = [(number, pair) for number, pair in read if not _has(pair, use.name)]
    if not lacking:
        return None
    number, first = lacking[0]
    side, reason = _why(first, use.name)
    warns = len(lacking) < len(read) and not use.in_every_pair
    advice = "means over pairs leave out those that lack the position"
    if not warns:
        advice = "a metric is read in every pair; " if use.in_every_pair else ""
        advice += "`atpdsl tokens SPEC` shows the tokens and positions of each pair"
    rules = (rule.span for rule in prompts.positions if rule.name == use.name)
    return Problem(
        code="ATP261",
        message=f"position `{use.name}` is not in {_which(lacking, len(read))} ({reason})",
        at=Label(use.span),
        also=(
            *(Label(span, "looked for so") for span in rules if span != use.span),
            _prompt_label(number, first, side),
        ),
        help=advice,
        severity=Severity.WARNING if warns else Severity.ERROR,
    )


def _why(pair: Tokenised, name: str) -> tuple[str, str]:
    """On which side a position is missing, and why."""
    told = pair.missing.get(name)
    if told is not None:
        side = CORRUPTED if told.startswith(CORRUPTED) else CLEAN
        return side, told
    if not name.isdecimal():
        return CLEAN, "the text has no such place"
    length = len(pair.clean.tokens)
    if int(name) >= length:
        return CLEAN, f"the clean prompt has the tokens 0 to {length - 1}"
    return CORRUPTED, "that token has no partner in the corrupted prompt"


def _which(lacking: list[tuple[int, Tokenised]], of: int) -> str:
    """`pair 2`, `pairs 2, 5 and 7 of 32`, the first of many."""
    if len(lacking) == of > 1:
        return f"any of the {of} pairs"
    numbers = [str(number) for number, _ in lacking]
    if len(numbers) == 1:
        return f"pair {numbers[0]}" if of == 1 else f"pair {numbers[0]} of {of}"
    shown, rest = numbers[:MOST_SHOWN], len(numbers) - MOST_SHOWN
    last = f"{rest} more" if rest > 0 else shown.pop()
    return f"pairs {', '.join(shown)} and {last} of {of}"


def _prompt_label(number: int, pair: Tokenised, side: str) -> Label:
    """The prompt that lacks a position, as a text beside the spec."""
    text = clean_text(pair.text.clean if side == CLEAN else pair.text.corrupted)
    name = f"{side} prompt of {pair_name(number, pair.text.place)}"
    return Label(Span(0, len(text)), "", Source(name, text))


def _unused(prompts: Prompts, settled: frozenset[str], read: Read) -> tuple[Problem, ...]:
    """Warnings for `pos` rules that find nothing anywhere, and of which nothing was said."""
    return tuple(
        Problem(
            code="ATP261",
            message=f"position `{rule.name}` is in none of the {len(read)} pairs",
            at=Label(rule.span),
            help="nothing uses it; correct it or leave it out",
            severity=Severity.WARNING,
        )
        for rule in prompts.positions
        if rule.name not in settled and not any(_has(pair, rule.name) for _, pair in read)
    )
