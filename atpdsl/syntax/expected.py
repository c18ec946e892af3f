"""What the parser would have accepted, in words."""

from __future__ import annotations

from atpdsl.syntax.failure import VALUE_STARTS
from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS

_SIGNS = {
    "_KW_VS": "`vs`",
    "_ARROW": "`->`",
    "_KW_IN": "`in`",
    "EQUAL": "`=`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "RPAR": "`)`",
    "RSQB": "`]`",
}
_KEYWORD = "_KW_"


def expectation(accepts: frozenset[str]) -> str:
    """The accepted terminals as a phrase, "" where there is nothing short to say."""
    phrases: list[str] = []
    words = {name.removeprefix(_KEYWORD).lower() for name in accepts if name[:4] == _KEYWORD}
    if len(words & set(STATEMENTS)) > len(STATEMENTS) // 2:
        phrases.append("a statement")
    elif words >= set(BODY_STATEMENTS):
        phrases.append("a setting or a statement")
    elif accepts >= VALUE_STARTS:
        phrases.append("a value")
    else:
        phrases += _plain(accepts)
    if "_NL" in accepts and not phrases:
        phrases.append("the end of the statement")
    return " or ".join(phrases)


def _plain(accepts: frozenset[str]) -> list[str]:
    named = {"NAME": "a name", "STRING": "a string", "NUMBER": "a number"}
    phrases = [phrase for name, phrase in named.items() if name in accepts]
    return phrases + [sign for name, sign in _SIGNS.items() if name in accepts]
