"""Which newlines end a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token
from lark.lark import PostLex

OPENING = frozenset({"LPAR", "LSQB"})
CLOSING = frozenset({"RPAR", "RSQB"})
# After these a statement cannot be over. `=`, `at`, `in`, `from` and `where` are not among
# them: `metric logit_diff at` would otherwise read the next statement as its position. Nor
# is `..`, as a range may be open: `layer in 8..`.
CONTINUING = frozenset({"COMMA", "PLUS", "MINUS", "STAR", "SLASH", "_ARROW", "CMP"})
# Here nothing has begun that could end, neither by a newline nor by a `;`.
BEGINNING = frozenset({"LBRACE", "_NL"})
_COMMENT = re.compile(r"#[^\n]*")


class StatementEnds(PostLex):
    """Drops the newlines that end nothing: inside `()` and `[]`, and after an operator."""

    # The contextual lexer would not even look for newlines where the grammar has none.
    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the parser sees.

        A token is handed on before the next one is read: the lexer chooses its terminals
        by the parser's state.
        """
        depth = 0
        previous = "_NL"
        for token in stream:
            if token.type == "_NL" and (depth or _goes_on(previous, token)):
                continue
            if token.type in OPENING:
                depth += 1
            elif token.type in CLOSING:
                depth -= 1
            previous = token.type
            yield token


def _goes_on(previous: str, end: Token) -> bool:
    """Whether a statement goes on behind a newline; a `;` ends it after an operator, too."""
    if previous in CONTINUING:
        return ";" not in _COMMENT.sub("", end)
    return previous in BEGINNING
