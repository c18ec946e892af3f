"""From the text of a spec to its tree, with everything that is wrong with the text."""

from __future__ import annotations

import re
from dataclasses import replace

from lark import Tree
from lark.exceptions import UnexpectedInput

from atpdsl.problems import Label, Problem, Source, Span
from atpdsl.syntax import grammar
from atpdsl.syntax.brackets import Brackets, match_brackets
from atpdsl.syntax.build import TreeBuilder
from atpdsl.syntax.chunks import cut
from atpdsl.syntax.docs import Docs
from atpdsl.syntax.expressions import Node, deeply_nested
from atpdsl.syntax.failure import understand
from atpdsl.syntax.foreign import foreign_text
from atpdsl.syntax.limits import LARGEST, first_ones, too_deep, too_large
from atpdsl.syntax.mistakes import explain
from atpdsl.syntax.recover import Recovered, Recovery
from atpdsl.syntax.tokens import Mark, Rough, rough_tokens
from atpdsl.syntax.tree import Comment, Name, SpecFile, Statement

BYTE_ORDER_MARK = "\ufeff"

# Controls, halves of surrogate pairs, and what can make text look different from what it is.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def parse(source: Source) -> tuple[SpecFile, tuple[Problem, ...]]:
    """The tree of a spec and the problems of its text, in the order of their places.

    Where there are problems the tree holds what could be read, and says what is missing.
    Nothing but problems comes of a bad text, whatever it is.
    """
    if len(source.text) > LARGEST:
        return _nothing(source), (too_large(len(source.text)),)
    text, hidden = _visible(source.text)
    foreign = foreign_text(text)
    if foreign is not None:
        return _nothing(source), (*hidden, foreign)
    tokens = rough_tokens(text)
    brackets = match_brackets(text, tokens)
    if brackets.too_deep is not None:
        return _nothing(source), (too_deep(Span(brackets.too_deep, brackets.too_deep + 1)),)
    read = _read(text, tokens, brackets)
    comments = tuple(
        Comment(text=source.text[token.start : token.end], span=Span(token.start, token.end))
        for token in tokens
        if token.mark is Mark.COMMENT
    )
    docs = Docs(source.text, comments)
    spec = SpecFile(
        source=source,
        statements=tuple(docs.attached(statement) for statement in read.statements),
        comments=comments,
        broken=read.broken,
        doc=docs.first,
        span=Span(0, len(source.text)),
    )
    return spec, first_ones((*hidden, *read.problems))


def _read(text: str, tokens: tuple[Rough, ...], brackets: Brackets) -> Recovered:
    """The statements of a text: all at once if it is right, else one by one."""
    try:
        parsed = grammar.parser().parse(text, start=grammar.FILE)
    except UnexpectedInput as error:
        recovered = Recovery(text, tokens, brackets).read(cut(text, tokens, brackets))
        if recovered.problems:
            return recovered
        failure = understand(error, text, Span(0, len(text)), in_body=False)
        return replace(recovered, problems=(explain(failure),))
    return _built(parsed)


def _built(parsed: Node) -> Recovered:
    problems: list[Problem] = []
    builder = TreeBuilder(0, problems)
    statements: list[Statement] = []
    broken: list[Name] = []
    for child in parsed.children:
        if not isinstance(child, Tree):
            continue
        if deeply_nested(child):
            problems.append(too_deep(builder.span(child)))
            broken.append(builder.word(child))
        else:
            statements.append(builder.statement(child))
    return Recovered(tuple(statements), tuple(problems), tuple(broken))


def _visible(text: str) -> tuple[str, tuple[Problem, ...]]:
    """The text as the parser gets it, of the same length, and problems of hidden characters."""
    text = re.sub("\r(?!\n)", "\n", text)
    if text.startswith(BYTE_ORDER_MARK):
        text = " " + text[1:]
    problems = tuple(
        Problem(
            code="ATP012",
            message=f"there is a hidden character here, U+{ord(match[0]):04X}",
            at=Label(Span(match.start(), match.end())),
            help=f"remove it; in a string, write `\\u{{{ord(match[0]):X}}}`",
        )
        for match in _HIDDEN.finditer(text)
    )
    return (_HIDDEN.sub(" ", text) if problems else text), problems


def _nothing(source: Source) -> SpecFile:
    """The tree of a text that was not read; the nameless word stands for all of it."""
    return SpecFile(
        source=source,
        statements=(),
        comments=(),
        broken=(Name("", Span(0, 0)),),
        doc="",
        span=Span(0, 0),
    )
