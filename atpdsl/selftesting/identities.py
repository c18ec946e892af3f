"""Patches whose outcome is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atpdsl.binding.pairs import TokenPair
from atpdsl.planning.ops import Place
from atpdsl.selftesting.against_twins import Bench
from atpdsl.selftesting.alone import Alone, Change
from atpdsl.selftesting.checks import Check, Compared, judged
from atpdsl.selftesting.subject import PATCHING, STAR, Asked, Subject, measured, name_of

WHOLE_KINDS = ("embed", "resid.pre", "resid.post")
"""Patching all positions of one of these leaves nothing of the base prompt."""


def identities(bench: Bench, *, estimated: bool) -> Iterator[Check]:
    """Equal prompts, no patch, a patch of everything.

    Args:
        estimated: whether the metric has a gradient.
    """
    for asked, name in ((STAR, "AtP*"), (PATCHING, "patching")):
        if estimated or asked is PATCHING:
            yield _equal_prompts(bench, asked, f"{name}, equal prompts give 0")
    unpatched = [
        Compared(f"pair {number + 1}", alone.metrics([[]])[0], alone.base_metric)
        for number, alone in enumerate(bench.alones)
    ]
    rounding = bench.precision.rounding
    yield judged("no patch: base run", "", unpatched, relative=0, rounding=rounding)
    last = bench.subject.bound.shape.n_layers - 1
    for place in (Place("embed", 0), Place("resid.pre", last // 2), Place("resid.post", last)):
        whole = [
            Compared(f"pair {number + 1}", alone.metrics([[change]])[0], alone.donor_metric)
            for number, alone in enumerate(bench.alones)
            if _same_places(alone) and (change := _everything(alone, place))
        ]
        if whole:
            name = "whole patch: donor run"
            yield judged(name, place.kind, whole, relative=0, rounding=rounding)


def _equal_prompts(bench: Bench, asked: Asked, name: str) -> Check:
    """All nodes, in pairs whose prompts are the same: exactly 0."""
    subject = bench.subject
    twins = [_doubled(pair, subject) for pair in subject.pairs]
    outcome = measured(subject.with_pairs(twins), bench.nodes, asked)
    found = [
        Compared(name_of(node), float(statistics.mean_abs[0, 0, 0]), 0.0)
        for node, statistics in zip(bench.nodes, outcome.methods[0].statistics, strict=True)
        if statistics.pairs[0, 0, 0]
    ]
    return judged(name, "", found, relative=0, rounding=0)


def _doubled(pair: TokenPair, subject: Subject) -> TokenPair:
    """The prompt that is patched, as both sides."""
    clean = subject.side == "clean"
    tokens = pair.clean if clean else pair.corrupted
    positions = {
        name: (both[0], both[0]) if clean else (both[1], both[1])
        for name, both in pair.positions.items()
    }
    return replace(
        pair,
        clean=tokens,
        corrupted=tokens,
        positions=positions,
        partner=tuple(range(len(tokens))),
    )


def _same_places(alone: Alone) -> bool:
    """Whether the donor prompt fits into the base run, position by position."""
    same_length = alone.base.tokens.shape == alone.donor.tokens.shape
    return same_length and bool((alone.base.reads == alone.donor.reads).all())


def _everything(alone: Alone, place: Place) -> Change:
    return Change(
        place=place,
        unit=None,
        positions=tuple(range(alone.length)),
        values=alone.donor_run.values[place][0],
    )
