"""Small words and signs between the parts of a statement that were left out or are others."""

from __future__ import annotations

from atpdsl.problems import Label, Problem, Span
from atpdsl.problems.fixes import inserted, replaced
from atpdsl.syntax.failure import Failure
from atpdsl.syntax.tokens import Mark

PLACES = frozenset({"last", "every", "sequence"})
WHERE = frozenset({"if", "when", "with", "having"})


def missing_at(failure: Failure) -> Problem | None:
    """`metric logit_diff last`, `heads.z every`."""
    in_metric = failure.word == "metric" and not failure.in_body
    names_place = failure.found in PLACES or (in_metric and failure.found.isidentifier())
    if failure.before is None or not names_place or failure.follows("at"):
        return None
    if failure.follows("=") or not (in_metric or failure.in_body):
        return None
    return Problem(
        code="ATP007",
        message=f"`at` is missing before `{failure.found}`",
        at=Label(failure.at),
        help=f"write `at {failure.found}`",
        fix=inserted("at ", failure.at.start),
    )


def other_where(failure: Failure) -> Problem | None:
    """`heads.z at last if layer > 3`."""
    if failure.found not in WHERE or not failure.in_body or not failure.follows("at"):
        return None
    return Problem(
        code="ATP007",
        message=f"conditions stand after `where`, not after `{failure.found}`",
        at=Label(failure.at),
        help="write `heads.z at last where layer >= 3`",
        fix=replaced(failure.at, "where"),
    )


def run_together(failure: Failure) -> Problem | None:
    """`top = 10 random = 5`."""
    before, after = failure.before, failure.after
    if not failure.in_body or not failure.follows("=") or before is None or after is None:
        return None
    if not failure.found.isidentifier() or failure.show(after) != "=":
        return None
    return Problem(
        code="ATP007",
        message=f"something is missing between two settings, before `{failure.found}`",
        at=Label(failure.at),
        help="write each on a line of its own, or `;` between them",
        fix=inserted(";", before.end),
    )


def unquoted_path(failure: Failure) -> Problem | None:
    """`include lib:ioi`."""
    if failure.word != "include" or not failure.second or failure.in_body:
        return None
    rest = failure.text[failure.at.start : failure.tokens[-1].end].split(" ")[0]
    if not rest or rest[0] in "\"'" or "\n" in rest:
        return None
    at = Span(failure.at.start, failure.at.start + len(rest))
    return Problem(
        code="ATP001",
        message="the name of a file stands in quotes",
        at=Label(at),
        help=f'write `include "{rest}"`',
        fix=replaced(at, f'"{rest}"'),
    )


def loose_block(failure: Failure) -> Problem | None:
    """A `{` that begins a line, and no JSON."""
    second = failure.tokens[1] if len(failure.tokens) > 1 else None
    if failure.in_body or failure.word != "{" or failure.before is not None:
        return None
    if second is None or second.mark is Mark.STRING or failure.show(second) == "}":
        return None
    return Problem(
        code="ATP001",
        message="a block begins on the line of its statement",
        at=Label(failure.at),
        help="write `verify {` on one line",
    )
