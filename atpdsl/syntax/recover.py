"""Reading what can be read of a text that the grammar refuses, statement by statement."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from lark import Tree
from lark.exceptions import UnexpectedInput

from atpdsl.problems import Problem, Span
from atpdsl.syntax import grammar
from atpdsl.syntax.brackets import Brackets
from atpdsl.syntax.build import TreeBuilder
from atpdsl.syntax.chunks import BodyChunk, Chunk
from atpdsl.syntax.expressions import Node, deeply_nested, subtree
from atpdsl.syntax.failure import understand
from atpdsl.syntax.limits import MOST_PROBLEMS, too_deep
from atpdsl.syntax.mistakes import explain
from atpdsl.syntax.structure import structure_problems
from atpdsl.syntax.tokens import Rough, rough_tokens
from atpdsl.syntax.tree import (
    Block,
    Body,
    BodyStatement,
    Declaration,
    Name,
    Pair,
    Parameter,
    PromptSet,
    Select,
    Setting,
    Statement,
)
from atpdsl.syntax.words import STATEMENTS

OTHER_LANGUAGE = "ATP009"
WITH_BODY = (Block, Declaration, Parameter, PromptSet)
INNER_WITH_BODY = (Pair, Select, Setting)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What could be read, what is wrong, and the first words of what could not be read."""

    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    broken: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A statement's parse tree; `body` takes the place of the body in it, if not None."""

    node: Node
    body: Body | None


class Recovery:
    """One attempt at a broken text.

    A statement that cannot be parsed is tried again with its body left empty; then the
    body's statements are tried, each on its own.
    """

    def __init__(self, text: str, tokens: tuple[Rough, ...], brackets: Brackets) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.broken: list[Name] = []
        self.structure = structure_problems(text, tokens, brackets)
        self.offsets = sorted(self.structure)

    def read(self, chunks: tuple[Chunk, ...]) -> Recovered:
        """The statements in these chunks of the text."""
        statements: list[Statement] = []
        for chunk in chunks:
            if len(self.problems) > MOST_PROBLEMS:
                break
            statement = self._statement(chunk)
            if statement is None:
                self.broken.append(self._first_word(chunk))
            else:
                statements.append(statement)
        return Recovered(tuple(statements), tuple(self.problems), tuple(self.broken))

    def _statement(self, chunk: Chunk) -> Statement | None:
        read = self._node(chunk, in_body=False)
        if read is None:
            return None
        statement = TreeBuilder(chunk.span.start, self.problems).statement(read.node)
        if read.body is not None and isinstance(statement, WITH_BODY):
            return replace(statement, body=read.body)
        return statement

    def _body_statement(self, chunk: Chunk) -> BodyStatement | None:
        read = self._node(chunk, in_body=True)
        if read is None:
            return None
        statement = TreeBuilder(chunk.span.start, self.problems).body_statement(read.node)
        if read.body is not None and isinstance(statement, INNER_WITH_BODY):
            return replace(statement, body=read.body)
        return statement

    def _body(self, body: BodyChunk) -> Body:
        read = [self._body_statement(chunk) for chunk in body.chunks]
        lost = [c for c, statement in zip(body.chunks, read, strict=True) if statement is None]
        words = [self._first_word(chunk) for chunk in lost]
        self.broken += [word for word in words if word.text in STATEMENTS]
        return Body(
            statements=tuple(statement for statement in read if statement is not None),
            span=body.span,
            broken=not body.closed or None in read,
        )

    def _node(self, chunk: Chunk, *, in_body: bool) -> _Read | None:
        """The parse tree of a statement; with a broken body, that of its head, and the body."""
        offsets = self._structural(chunk.span)
        if not offsets:
            whole = self._parse(self.text[chunk.span.start : chunk.span.end], in_body=in_body)
            if isinstance(whole, Tree):
                return self._checked(whole, None, chunk)
        owned = [offset for offset in offsets if chunk.owns(offset)]
        self.problems += [self.structure[offset] for offset in owned]
        head = self._parse(self._head(chunk), in_body=in_body)
        if isinstance(head, UnexpectedInput) and all(self.text[at] == "{" for at in owned):
            problem = explain(understand(head, self.text, chunk.span, in_body=in_body))
            self.problems.append(problem)
            if problem.code == OTHER_LANGUAGE:
                return None
        bodies = [self._body(body) for body in chunk.bodies]
        if isinstance(head, UnexpectedInput):
            return None
        return self._checked(head, bodies[-1] if bodies else None, chunk)

    def _checked(self, node: Node, body: Body | None, chunk: Chunk) -> _Read | None:
        if deeply_nested(node):
            self.problems.append(too_deep(chunk.span))
            return None
        return _Read(node, body)

    def _structural(self, span: Span) -> list[int]:
        first = bisect_left(self.offsets, span.start)
        return self.offsets[first : bisect_left(self.offsets, span.end)]

    def _parse(self, text: str, *, in_body: bool) -> Node | UnexpectedInput:
        try:
            rule = grammar.BODY_STATEMENT if in_body else grammar.FILE
            return subtree(grammar.parser().parse(text, start=rule).children[0])
        except UnexpectedInput as error:
            return error

    def _head(self, chunk: Chunk) -> str:
        """The statement's text with nothing in its bodies."""
        parts: list[str] = []
        position = chunk.span.start
        for body in chunk.bodies:
            inside = body.inside
            parts += [self.text[position : inside.start], " " * (inside.end - inside.start)]
            parts += [] if body.closed else ["}"]
            position = inside.end
        return "".join((*parts, self.text[position : chunk.span.end]))

    def _first_word(self, chunk: Chunk) -> Name:
        first = rough_tokens(self.text[chunk.span.start : chunk.span.end])[0]
        span = Span(chunk.span.start, chunk.span.start + first.end)
        return Name(self.text[span.start : span.end], span)
