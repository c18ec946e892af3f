"""Checks that the named positions of a spec are in its prompts."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.binding.texts.written import pieces_of, repeated_names
from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.binding.tokens.positions import LAST, Finder, with_dependents
from atpdsl.binding.tokens.tokenise import Tokenised
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import (
    Experiment,
    Placement,
    Prompts,
    TemplatePrompts,
)

Read = tuple[tuple[int, Tokenised], ...]


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
    missing = (_missing(use, read) for use in uses if use.name not in settled)
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
    near = closest(use.name, known)
    listed = ", ".join(f"`{name}`" for name in known)
    return Problem(
        code="ATP262",
        message=f"there is no position `{use.name}`",
        at=Label(use.span),
        help=f"did you mean `{near}`?" if near else f"there are {listed}",
    )


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


def _missing(use: Use, read: Read) -> Problem | None:
    lacking = [(number, pair) for number, pair in read if not _has(pair, use.name)]
    if not lacking:
        return None
    number, first = lacking[0]
    reason = first.missing.get(use.name)
    if reason is None:
        numbered = "the prompts are shorter, or that token has no partner"
        reason = numbered if use.name.isdecimal() else "the text has no such place"
    others = len(lacking) - 1
    more = f", and in {others} more of {len(read)} pairs" if others else ""
    warns = len(lacking) < len(read) and not use.in_every_pair
    return Problem(
        code="ATP261",
        message=f"position `{use.name}` is not in pair {number} ({reason}){more}",
        at=Label(use.span),
        help="means over pairs leave out those that lack the position" if warns else "",
        severity=Severity.WARNING if warns else Severity.ERROR,
    )


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
