"""The TextMate grammar of specs, made of the tables of the language.

`python -m atpdsl.editor.textmate FILE` writes it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from atpdsl.editor import highlighting as h

SCOPE = "source.atp"
# Where a statement may begin, and the spaces before it.
_START = r"(?:^|(?<=[;{]))[ \t]*"
_NO_VALUE = r"(?![ \t]*=)"
Rule = dict[str, object]


def grammar() -> Rule:
    """The grammar, as the JSON file has it."""
    return {
        "name": "atp",
        "scopeName": SCOPE,
        "fileTypes": ["atp"],
        "patterns": [{"include": f"#{name}"} for name in _RULES],
        "repository": {
            **{name: {"patterns": rules} for name, rules in _RULES.items()},
            **_PARTS,
        },
    }


def _match(scope: str, pattern: str) -> Rule:
    return {"name": f"{scope}.atp", "match": pattern}


def _words(scope: str, names: tuple[str, ...], behind: str = "") -> Rule:
    return _match(scope, rf"\b(?:{h.any_of(names)})\b{behind}")


def _begin(scope: str, words: str) -> Rule:
    """A word where a statement may begin."""
    return {"match": f"{_START}({words})", "captures": {"1": {"name": f"{scope}.atp"}}}


def _quoted(scope: str, quotes: str, end: str) -> Rule:
    return {
        "name": f"{scope}.atp",
        "begin": quotes,
        "end": end,
        "beginCaptures": {"0": {"name": "punctuation.definition.string.begin.atp"}},
        "endCaptures": {"0": {"name": "punctuation.definition.string.end.atp"}},
        "patterns": [{"include": "#escape"}, {"include": "#slot"}],
    }


_STATEMENTS = h.any_of(h.STATEMENT_WORDS)
_LINES = h.any_of(h.LINE_WORDS)
_RULES: dict[str, list[Rule]] = {
    "comments": [
        _match("comment.line.documentation", r"##.*$"),
        _match("comment.line.number-sign", r"#.*$"),
    ],
    "strings": [
        _quoted("string.quoted.triple", r'"""', r'"""'),
        _match("string.regexp", r'\br"[^"\r\n]*"?'),
        _quoted("string.quoted.double", r'"', r'"|$'),
    ],
    "statements": [
        _begin("keyword.control.statement", rf"(?:{_STATEMENTS})\b{_NO_VALUE}"),
        _begin("keyword.other.line", rf"(?:{_LINES})\b{_NO_VALUE}"),
    ],
    "settings": [_begin("variable.other.property", rf"{h.NAME}(?=[ \t]*=(?!=))")],
    "words": [
        _words("keyword.operator.word", h.OPERATOR_WORDS),
        _words("entity.name.type.kind", h.KINDS),
        _match("constant.other.node", rf"\b{h.NODE_NAME}\b"),
        _match("support.function.method", h.STARRED),
        _words("constant.language", h.CONSTANTS),
        _words("support.function", h.FUNCTIONS, r"(?=[ \t]*\()"),
        _words("support.function.method", h.METHOD_NAMES),
        _words("support.function.metric", h.METRIC_NAMES),
        _words("variable.language", (*h.PLACES, *h.AXIS_NAMES)),
    ],
    "numbers": [_match("constant.numeric", rf"\b{h.NUMBER}")],
    "names": [_match("variable.other", rf"\b{h.NAME}\b")],
    "operators": [_match("keyword.operator", r"->|\.\.|[<>=!]=|[-+*/<>=]")],
}
_PARTS: dict[str, Rule] = {
    "escape": {
        "patterns": [
            _match("constant.character.escape", r"\\(?:u\{[0-9A-Fa-f]+\}|.)|\{\{|\}\}")
        ]
    },
    "slot": {
        "name": "meta.interpolation.atp",
        "begin": r'\{(?=[^{}"]*\})',
        "end": r"\}",
        "beginCaptures": {"0": {"name": "punctuation.section.interpolation.begin.atp"}},
        "endCaptures": {"0": {"name": "punctuation.section.interpolation.end.atp"}},
        "patterns": [
            _match("keyword.operator.word", r"\bas\b"),
            {
                "match": r"(:)[ \t]*(\w+)",
                "captures": {
                    "1": {"name": "punctuation.separator.format.atp"},
                    "2": {"name": "constant.other.format.atp"},
                },
            },
            _match("variable.parameter.slot", r"[A-Za-z_][\w.-]*"),
        ],
    },
}


def main(arguments: list[str]) -> int:
    """Writes the grammar to the file that is named."""
    (path,) = arguments
    Path(path).write_text(json.dumps(grammar(), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
