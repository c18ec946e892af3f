"""Highlighting of specs wherever Pygments does it: documentation, LaTeX, terminals."""

from __future__ import annotations

import re

from pygments.lexer import RegexLexer, bygroups
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from atpdsl.editor import highlighting as h

# Where a statement may begin, and the spaces before it.
_START = r"((?:^|(?<=[;{]))[ \t]*)"
_NO_VALUE = r"(?![ \t]*=)"
_BEGINS_WITH = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*atp[ \t]+[0-9]")


class AtpLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Specs of atpdsl, `*.atp`."""

    name = "atp"
    aliases = ["atp", "atpdsl"]  # noqa: RUF012 (as Pygments has it)
    filenames = ["*.atp"]  # noqa: RUF012
    mimetypes = ["text/x-atp"]  # noqa: RUF012
    url = ""
    flags = re.MULTILINE

    tokens = {  # noqa: RUF012
        "root": [
            (r"##[^\r\n]*", Comment.Special),
            (r"#[^\r\n]*", Comment.Single),
            (r'"""', String.Heredoc, "long"),
            (r'r"[^"\r\n]*"?', String.Regex),
            (r'"', String.Double, "string"),
            (
                rf"{_START}({h.any_of(h.STATEMENT_WORDS)})\b{_NO_VALUE}",
                bygroups(Whitespace, Keyword.Declaration),
            ),
            (
                rf"{_START}({h.any_of(h.LINE_WORDS)})\b{_NO_VALUE}",
                bygroups(Whitespace, Keyword),
            ),
            (
                rf"{_START}({h.NAME})(?=[ \t]*=(?!=))",
                bygroups(Whitespace, Name.Attribute),
            ),
            (rf"\b(?:{h.any_of(h.OPERATOR_WORDS)})\b", Operator.Word),
            (rf"\b(?:{h.any_of(h.KINDS)})\b", Name.Class),
            (rf"\b{h.NODE_NAME}\b", Name.Constant),
            (h.STARRED, Name.Builtin),
            (rf"\b(?:{h.any_of(h.CONSTANTS)})\b", Keyword.Constant),
            (rf"\b(?:{h.any_of(h.FUNCTIONS)})\b(?=[ \t]*\()", Name.Function),
            (rf"\b(?:{h.any_of((*h.METHOD_NAMES, *h.METRIC_NAMES))})\b", Name.Builtin),
            (rf"\b(?:{h.any_of((*h.PLACES, *h.AXIS_NAMES))})\b", Name.Builtin.Pseudo),
            (h.NUMBER, Number),
            (h.NAME, Name),
            (r"->|\.\.|[<>=!]=|[-+*/<>=]", Operator),
            (r"[{}()\[\],.;]", Punctuation),
            (r"\\\r?\n", Whitespace),
            (r"\s+?", Whitespace),
        ],
        "string": [
            (r'"', String.Double, "#pop"),
            (r"\\[^\r\n]", String.Escape),
            (r"\{\{|\}\}", String.Escape),
            (r"\{(?=[^{}\"\r\n]*\})", String.Interpol, "slot"),
            (r'[^"\\{}\r\n]+', String.Double),
            (r"[{}\\]", String.Double),
            # A string ends with its line at the latest.
            (r"(?=[\r\n])", String.Double, "#pop"),
        ],
        "long": [
            (r'"""', String.Heredoc, "#pop"),
            (r"\\.", String.Escape),
            (r"\{\{|\}\}", String.Escape),
            (r"\{(?=[^{}\"\r\n]*\})", String.Interpol, "slot"),
            (r'[^"\\{}]+', String.Heredoc),
            (r'["{}\\]', String.Heredoc),
        ],
        "slot": [
            (r"\}", String.Interpol, "#pop"),
            (r"\bas\b", Operator.Word),
            (r"(:)([ \t]*\w+)", bygroups(Punctuation, String.Other)),
            (r"[A-Za-z_][\w.-]*", Name.Variable),
            (r"[^}A-Za-z_:]+", String.Interpol),
            (r"[^}]", String.Interpol),
        ],
    }

    @staticmethod
    def analyse_text(text: str) -> float:
        """How sure it is that a text is a spec: it begins with its edition."""
        return 1.0 if _BEGINS_WITH.match(text) else 0.0
