"""What to say about a statement that cannot be parsed: the most telling message first.

Each rule looks for one mistake. A rule that knows nothing about a failure says None.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable

from atpdsl.problems import Fix, Label, Problem, Span
from atpdsl.problems.fixes import did_you_mean, inserted, replaced
from atpdsl.registry import closest
from atpdsl.syntax.expected import expectation
from atpdsl.syntax.failure import Failure
from atpdsl.syntax.foreign import assignment, comment, other_language, python
from atpdsl.syntax.slips import (
    loose_block,
    missing_at,
    other_where,
    run_together,
    unquoted_path,
)
from atpdsl.syntax.tokens import Mark
from atpdsl.syntax.words import BODY_STATEMENTS, SPELLINGS, STATEMENTS, UNITS

CURLY_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb"
QUOTES = CURLY_QUOTES + "'`"
ARROWS = "\u2192\u21d2\u27f6\u27f9"

# What to do where several are wanted.
SEVERAL = {
    "model": 'one run has one model; `sweep m in ["tiny", "induction"]` with `model "{m}"` has'
    " a run for each",
    "metric": "a spec has one metric",
    "method": "write a `method` statement for each",
}
BLOCKS = ("prompts", "nodes", "edges", "verify", "diagnose", "circuit", "expect", "run")

# What stands between two parts where their own sign or word should.
INSTEAD = frozenset({",", "=", ":", "/", "|", "to", "into", "by", "with", "versus", "or", "is"})

# First word of a statement -> the terminal between its parts, and how it is written.
BETWEEN = {
    "answer": ("_KW_VS", "vs", 'answer " Mary" vs " John"'),
    "pair": ("_ARROW", "->", 'pair "clean prompt" -> "corrupted prompt"'),
    "corrupt": ("_ARROW", "->", "corrupt S2 -> IO"),
    "slot": ("_KW_IN", "in", 'slot S in ["Mary", "John"]'),
    "sweep": ("_KW_IN", "in", "sweep seed in 0..2"),
    "pos": ("EQUAL", "=", "pos verb = S1 + 1"),
    "let": ("EQUAL", "=", "let steps = 5"),
    "param": ("EQUAL", "=", "param top_k = 20"),
}


def explain(failure: Failure) -> Problem:
    """The problem that a failed statement has."""
    for rule in RULES:
        problem = rule(failure)
        if problem is not None:
            return problem
    return _unexpected(failure)


def _quotes(failure: Failure) -> Problem | None:
    """Quotes of another kind, and what they were meant to enclose."""
    if failure.found not in tuple(QUOTES):
        return None
    line_end = failure.text.find("\n", failure.at.start)
    rest = failure.text[failure.at.start : line_end if line_end >= 0 else None]
    closing = [rest.find(quote, 1) for quote in QUOTES if rest.find(quote, 1) > 0]
    length = min(closing) + 1 if closing else 1
    kind = {"'": "single quotes", "`": "backquotes"}.get(failure.found, "curly quotes")
    at = Span(failure.at.start, failure.at.start + length)
    inside = rest[1 : length - 1].replace('"', '\\"')
    if closing:
        advice = f'write `"{inside}"`'
        fix: Fix | None = replaced(at, f'"{inside}"')
    else:
        # Where a lone straight quote follows, it may well be the closing one.
        closed = rest.count('"') % 2 == 1
        advice, fix = 'write `"..."`', replaced(at, '"') if closed else None
    return Problem(
        code="ATP004",
        message=f"strings stand in straight double quotes, not in {kind}",
        at=Label(at),
        help=advice,
        fix=fix,
    )


def _character(failure: Failure) -> Problem | None:
    """A character that no spec has outside its strings."""
    character = failure.found
    if len(character) != 1 or character.isascii():
        return None
    fix = None
    if character in ARROWS:
        advice, fix = "write `->`", replaced(failure.at, "->")
    else:
        name = unicodedata.name(character, "a character without a name").lower()
        advice = f"names are made of a-z, A-Z, 0-9 and `_`; this is {name}"
    return Problem(
        code="ATP012",
        message=f"`{character}` cannot stand outside of strings",
        at=Label(failure.at),
        help=advice,
        fix=fix,
    )


def _colon(failure: Failure) -> Problem | None:
    """`:` where the language has `=` or nothing, and `=` where it has nothing."""
    before = failure.before
    name = failure.show(before) if before is not None else ""
    words = BODY_STATEMENTS if failure.in_body else STATEMENTS
    heads_statement = failure.second and name in words
    if failure.found != ":" and not (failure.found == "=" and heads_statement):
        return None
    advice, fix = _instead_of_colon(failure, name, heads_statement=heads_statement)
    return Problem(
        code="ATP005",
        message=f"`{failure.found}` is not used here",
        at=Label(failure.at),
        help=advice,
        fix=fix,
    )


def _instead_of_colon(
    failure: Failure, name: str, *, heads_statement: bool
) -> tuple[str, Fix | None]:
    """The help and the fix of a `:` or `=`, by what stands before it."""
    at, before, after = failure.at, failure.before, failure.after
    if heads_statement:
        spaced = after is not None and before is not None and before.end < at.start
        gone = Span(at.start, after.start) if spaced and after is not None else at
        return f"remove it: `{name} ...`", replaced(gone, "", f"remove the `{failure.found}`")
    if before is None:
        return "settings are written `name = value`", None
    start = Span(before.start, at.end)
    touches = before.end == at.start
    if after is not None and touches and after.start == at.end and failure.follows("="):
        written = f'"{failure.text[before.start : after.end]}"'
        return f"write `{written}`, in quotes", replaced(Span(before.start, after.end), written)
    if before.mark is Mark.STRING and name[1:-1].isidentifier():
        return f"write `{name[1:-1]} = ...`", replaced(start, f"{name[1:-1]} =")
    if before.mark is Mark.WORD:
        space = "" if after is not None and after.start > at.end else " "
        return f"write `{name} = ...`", replaced(start, f"{name} ={space}")
    return "settings are written `name = value`", None


def _unknown_statement(failure: Failure) -> Problem | None:
    """A first word that begins no statement."""
    word = failure.word
    if failure.first.mark is not Mark.WORD:
        return None
    if failure.in_body:
        return _misplaced(failure) if failure.second else None
    if word in STATEMENTS or failure.before is not None:
        return None
    if word in BODY_STATEMENTS:
        message = f"`{word}` belongs into a block"
        advice = f"write it inside of `prompts {{ ... }}`, as in `{_example(word)}`"
    else:
        message = f"there is no statement `{word}`"
        meant = closest(word, STATEMENTS)
        advice = did_you_mean(meant, f"statements: {', '.join(STATEMENTS)}")
    return Problem(code="ATP008", message=message, at=Label(failure.at), help=advice)


def _misplaced(failure: Failure) -> Problem | None:
    """A statement's word in a body, misspelled or not meant for bodies."""
    word = failure.word
    at = Label(Span(failure.first.start, failure.first.end))
    if word in STATEMENTS and word not in BODY_STATEMENTS:
        return Problem(
            code="ATP008",
            message=f"`{word}` cannot stand in a block",
            at=at,
            help=f"close the block before it with `}}`; a setting is `{word} = ...`",
        )
    # Closer than elsewhere: the word may as well be a setting whose `=` is missing.
    meant = next(iter(difflib.get_close_matches(word, BODY_STATEMENTS, n=1, cutoff=0.75)), None)
    opens_text = failure.found[:1] in ('"', "r") or failure.at.start == failure.at.end
    named = failure.found[:1].isalpha()
    if meant is None or word in BODY_STATEMENTS or not (opens_text or named):
        return None
    return Problem(
        code="ATP008",
        message=f"there is no statement `{word}`",
        at=at,
        help=did_you_mean(meant),
    )


def _missing_word(failure: Failure) -> Problem | None:
    """A sign or word between two values that is not there."""
    between = BETWEEN.get(failure.word)
    if between and between[0] in failure.accepts and not failure.has_before(between[1]):
        _, sign, example = between
        return Problem(
            code="ATP007",
            message=f"`{sign}` is missing in this `{failure.word}`",
            at=Label(failure.at),
            help=f"write `{example}`",
            fix=_written_between(failure, sign),
        )
    starts_value = failure.found[:1].isalnum() or failure.found[:1] in ('"', "_")
    names_setting = failure.in_body and failure.second
    apart = failure.before is not None and failure.before.end < failure.at.start
    if "COMMA" in failure.accepts and starts_value and not names_setting and failure.before:
        return Problem(
            code="ATP007",
            message="`,` is missing between two values",
            at=Label(failure.at),
            help="write `,` between values; a new statement begins on a new line",
            # What touches is rather a quote too many.
            fix=inserted(",", failure.before.end) if apart else None,
        )
    return None


def _written_between(failure: Failure, sign: str) -> Fix | None:
    """The fix that writes a sign where it is missing, or instead of another one."""
    at = failure.at
    if not failure.found:
        return None
    if failure.text[at.start : at.start + 2] in ("=>", "->"):
        at = Span(at.start, at.start + 2)
    elif failure.found not in INSTEAD:
        return inserted(f"{sign} ", at.start)
    before = "" if failure.text[at.start - 1 : at.start].isspace() else " "
    after = "" if failure.text[at.end : at.end + 1].isspace() else " "
    return replaced(at, f"{before}{sign}{after}", f"write `{sign}`")


def _missing_equals(failure: Failure) -> Problem | None:
    """`top 100` for `top = 100`."""
    found = failure.found
    if not (failure.in_body and failure.second and found and "EQUAL" in failure.accepts):
        return None
    if failure.first.mark is not Mark.WORD or not (found[0].isalnum() or found[0] in '"_['):
        return None
    if failure.word in ("at", "where"):
        return Problem(
            code="ATP014",
            message=f"nodes are missing before `{failure.word}`",
            at=Label(Span(failure.first.start, failure.first.end)),
            help="write `heads.z at last`, or another kind of nodes",
        )
    return Problem(
        code="ATP006",
        message=f"`=` is missing after `{failure.word}`",
        at=Label(failure.at),
        help=f"write `{failure.word} = {found}`",
        fix=inserted("= ", failure.at.start),
    )


def _condition(failure: Failure) -> Problem | None:
    """What does not belong into a `where`."""
    if not failure.found or not failure.follows("where"):
        return None
    left = "layer" if failure.before is None else failure.show(failure.before)
    right = "2" if failure.after is None else failure.show(failure.after)
    known = {
        "=": ("`=` sets; a condition compares with `==`", f"write `{left} == {right}`"),
        "at": (
            "the place of a selection comes before `where`",
            "write `heads.z at last where layer >= 2`",
        ),
        ",": (
            "a selection ends with its condition",
            "begin the next one on a new line; numbers are listed in `layer in [0, 2]`",
        ),
    }
    message, advice = known.get(
        failure.found,
        (
            f"unexpected `{failure.found}` in a condition",
            "write `layer >= 5`, `head != 1` or `layer in [0, 2, 4..6]`, joined by `and`",
        ),
    )
    fix = replaced(failure.at, "==") if failure.found == "=" else None
    return Problem(code="ATP001", message=message, at=Label(failure.at), help=advice, fix=fix)


def _loose_unit(failure: Failure) -> Problem | None:
    """`5 %`, `4 GB` or `10 minutes`, where the unit belongs to the number."""
    before, written = failure.before, failure.found
    unit = written if written in UNITS else SPELLINGS.get(written.lower())
    if unit is None or before is None:
        return None
    number = failure.show(before)
    if not number.replace(".", "", 1).isdecimal():
        return None
    return Problem(
        code="ATP001",
        message=f"there is a space between the number and its `{written}`",
        at=Label(Span(before.start, failure.at.end)),
        help=f"write `{number}{unit}`",
        fix=replaced(Span(before.start, failure.at.end), f"{number}{unit}"),
    )


def _comma(failure: Failure) -> Problem | None:
    """`,` between settings, and several values where there is one."""
    if failure.found != ",":
        return None
    if failure.in_body and failure.follows("=") and failure.first.mark is Mark.WORD:
        return Problem(
            code="ATP001",
            message="settings are not separated by `,`",
            at=Label(failure.at),
            help="write each on a line of its own, or `;` between them",
            fix=replaced(failure.at, ";"),
        )
    advice = SEVERAL.get(failure.word, "")
    if not advice or failure.in_body:
        return None
    return Problem(
        code="ATP001",
        message=f"a `{failure.word}` statement names one",
        at=Label(failure.at),
        help=advice,
    )


def _missing_value(failure: Failure) -> Problem | None:
    """A sign that something should follow."""
    before = failure.before
    if failure.found or before is None or not failure.wants_value:
        return None
    return Problem(
        code="ATP014",
        message=f"a value is missing after `{failure.show(before)}`",
        at=Label(Span(before.start, before.end)),
        help="it has to stand on the same line",
    )


def _unexpected(failure: Failure) -> Problem:
    if failure.found:
        at, met = failure.at, f"unexpected `{failure.found}`"
    else:
        last = failure.tokens[-1]
        at, met = Span(last.start, last.end), "this statement is not finished"
    expected = expectation(failure.accepts)
    advice = f"write `{BETWEEN[failure.word][2]}`" if failure.word in BETWEEN else ""
    if "LBRACE" in failure.accepts and (not failure.found or failure.word in BLOCKS):
        advice = f"write `{failure.word} {{ ... }}`"
    if not advice and failure.found:
        instead = f"write {expected} here, or " if expected else ""
        advice = f"{instead}take the `{failure.found}` away"
    return Problem(
        code="ATP001",
        message=f"{met}, expected {expected}" if expected else met,
        at=Label(at),
        help=advice,
    )


def _example(word: str) -> str:
    examples = {"template": 'template "When {IO} and {S} ..."'}
    return examples.get(word) or BETWEEN[word][2]


RULES: tuple[Callable[[Failure], Problem | None], ...] = (
    loose_block,
    other_language,
    comment,
    python,
    _quotes,
    _character,
    assignment,
    unquoted_path,
    _colon,
    _loose_unit,
    _comma,
    _unknown_statement,
    _condition,
    missing_at,
    other_where,
    run_together,
    _missing_word,
    _missing_equals,
    _missing_value,
)
