"""A word that is no value here may be a misspelled name of one."""

from __future__ import annotations

import re
from dataclasses import replace

from atpdsl.elaboration.program import Kind, Program
from atpdsl.problems import Problem
from atpdsl.problems.fixes import did_you_mean
from atpdsl.registry import closest

# "a whole number is wanted here", and the like.
WRONG_TYPE = "ATP108"
VALUES = (Kind.LET, Kind.PARAM, Kind.SWEEP)
_WORD = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", re.ASCII)


def meant(problem: Problem, program: Program) -> Problem:
    """The problem, with the name that was probably meant where a bare word stands.

    Words that are no name stay as they are in the tree of a point: they may be places, models
    or settings. What finds them wrong does not know the names that there were.
    """
    if problem.code != WRONG_TYPE or problem.at is None:
        return problem
    part, span = program.source.locate(problem.at.span)
    word = part.text[span.start : span.end]
    if not _WORD.fullmatch(word):
        return problem
    names = [one.name for one in program.definitions if one.kind in VALUES]
    near = closest(word, (name for name in names if name != word))
    return replace(problem, help=did_you_mean(near)) if near else problem
