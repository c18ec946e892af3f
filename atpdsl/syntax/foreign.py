"""What comes from another language: JSON, YAML, TOML or Python, and their comments."""

from __future__ import annotations

import difflib
import re

from atpdsl.problems import Label, Problem, Span
from atpdsl.problems.fixes import inserted, replaced
from atpdsl.syntax.failure import Failure
from atpdsl.syntax.tokens import Mark, Rough
from atpdsl.syntax.words import SETTINGS, STATEMENTS

PYTHON_WORDS = frozenset(
    {
        "import", "from", "def", "class", "if", "elif", "else", "for", "while", "return",
        "print", "with", "try", "except", "lambda", "assert", "async", "await", "pass", "del",
        "global", "raise", "yield"
    }
)  # fmt: skip
STRING_PREFIXES = frozenset({"f", "F", "b", "u", "rb", "fr", "rf"})
FORM = (
    "a spec has statements, `metric logit_diff`, blocks, `verify { ... }`, and settings,"
    " `top = 20`"
)
_YAML_LINE = re.compile(r"[ \t]*(?:- .*|-|---.*|[\w.-]+:(?:[ \t].*)?)")
_PYTHON_LINE = re.compile(
    r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+.*:|@\w)[^\n]*", re.MULTILINE
)
_JSON_START = re.compile(r'\s*(?:\{\s*"[^"\n]*"\s*:|\[\s*[{"])')
MOST_LINES = 200


def foreign_text(text: str) -> Problem | None:
    """The one problem of a text that as a whole is of another language."""
    lines = [line for line in text[: 1 << 14].split("\n")[:MOST_LINES] if _says_something(line)]
    if not lines or re.match(r"\s*atp\b", lines[0]):
        return None
    if _JSON_START.match(text):
        start = _first_line(text, lines[0]).start
        return _looks_like("JSON", Span(start, start + 1))
    python = _PYTHON_LINE.search(text)
    if python is not None and not any(line.split()[0] in STATEMENTS for line in lines):
        return _looks_like("Python", Span(python.start(), python.end()))
    yaml = [line for line in lines if _YAML_LINE.fullmatch(line.rstrip())]
    if len(yaml) > 2 and 2 * len(yaml) > len(lines) and "{" not in "".join(yaml[:2]):
        return _looks_like("YAML", _first_line(text, lines[0]))
    return None


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _first_line(text: str, line: str) -> Span:
    start = text.index(line) + len(line) - len(line.lstrip())
    return Span(start, start + len(line.strip()))


def _looks_like(language: str, at: Span) -> Problem:
    return Problem(
        code="ATP009",
        message=f"this looks like {language}",
        at=Label(at),
        help=f"{FORM}; `atpdsl new` writes a spec to begin with",
    )


def other_language(failure: Failure) -> Problem | None:
    """JSON, YAML and TOML, by how a statement begins."""
    word = failure.word
    last = failure.show(failure.tokens[-1])
    if not failure.in_body and word == "[" and _is_header(failure):
        language = "TOML"
    elif not failure.in_body and (word in "{[" or _is_key(failure)):
        language = "JSON"
    elif word == "-" or (last == ":" and len(failure.tokens) == 2):
        language = "YAML"
    else:
        return None
    at = Span(failure.first.start, failure.first.end)
    return Problem(
        code="ATP009", message=f"this looks like {language}", at=Label(at), help=FORM
    )


def _is_key(failure: Failure) -> bool:
    """Whether a statement begins as `"name":` does."""
    words = [failure.show(token) for token in failure.tokens[:2]]
    return words[0].startswith('"') and words[1:] == [":"]


def _is_header(failure: Failure) -> bool:
    words = [failure.show(token) for token in failure.tokens]
    return len(words) == 3 and words[1].isidentifier() and words[2] == "]"


def python(failure: Failure) -> Problem | None:
    """Python's statements, comprehensions, and letters before strings."""
    before = failure.before
    if failure.found == "for" and before is not None:
        return Problem(
            code="ATP009",
            message="a list cannot be computed with `for`",
            at=Label(failure.at),
            help='write the words out, `["a", "b"]`, or a range, `0..9`',
        )
    if before is not None and _is_prefix(failure, before):
        prefix = failure.show(before)
        at = Span(before.start, before.end)
        return Problem(
            code="ATP009",
            message=f"a string has no `{prefix}` before it",
            at=Label(at),
            help="in texts of prompts `{NAME}` is filled in without it",
            fix=replaced(at, "", f"remove the `{prefix}`"),
        )
    if failure.in_body or before is not None or failure.word not in PYTHON_WORDS:
        return None
    return Problem(
        code="ATP009",
        message=f"this looks like Python: there is no statement `{failure.word}`",
        at=Label(failure.at),
        help=f"a spec is data and runs no code; {FORM}",
    )


def _is_prefix(failure: Failure, before: Rough) -> bool:
    """Whether a string that the parser met follows such letters without a space."""
    touches = before.end == failure.at.start and failure.found.startswith('"')
    return touches and failure.show(before) in STRING_PREFIXES


def comment(failure: Failure) -> Problem | None:
    """Comments of other languages."""
    start = failure.at.start
    sign = failure.text[start : start + 2]
    if sign not in ("//", "/*", "--"):
        return None
    at = Span(start, start + 2)
    return Problem(
        code="ATP018",
        message="comments begin with `#`",
        at=Label(at),
        help="write `# ...`; the comment ends with its line",
        fix=None if sign == "/*" else replaced(at, "#"),
    )


def assignment(failure: Failure) -> Problem | None:
    """`seed = 3` or `x = 3` where statements stand."""
    second = failure.tokens[1] if len(failure.tokens) > 1 else None
    if failure.in_body or failure.before is not None or failure.first.mark is not Mark.WORD:
        return None
    if second is None or failure.show(second) not in ("=", ":") or failure.word in STATEMENTS:
        return None
    name = failure.word
    homes = SETTINGS.get(name)
    if homes:
        return Problem(
            code="ATP008",
            message=f"`{name}` is a setting, and stands in a block",
            at=Label(failure.at),
            help=f"it belongs into `{homes[0]}`: `{homes[0]} {{ {name} = ... }}`",
        )
    misspelled = difflib.get_close_matches(name, STATEMENTS, n=1, cutoff=0.75)
    if failure.show(second) != "=" or not name.isidentifier() or misspelled:
        return None
    return Problem(
        code="ATP008",
        message="a name gets its value by `let`",
        at=Label(failure.at),
        help=f"write `let {name} = ...`",
        fix=inserted("let ", failure.first.start),
    )
