"""Expressions: from Lark's parse tree to the tree of `atpdsl.syntax.tree`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from lark import Token, Tree

from atpdsl.problems import Problem, Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.literals import read_number, read_string

Node = Tree[Token]
Child = Node | Token | None
DEEPEST_TREE = 150

BINARY = {
    "or_": "or",
    "and_": "and",
    "is_in": "in",
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
}
UNARY = {"not_": "not", "negative": "-"}


def deeply_nested(node: Node) -> bool:
    """Whether a parse tree is nested deeper than the functions here can follow."""
    level: list[Node] = [node]
    for _ in range(DEEPEST_TREE):
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
        if not level:
            return False
    return True


def subtree(child: Child) -> Node:
    """A child that the grammar promises to be a tree."""
    if not isinstance(child, Tree):
        raise TypeError(f"the grammar promises a tree, not {child!r}")
    return child


def leaf(child: Child) -> Token:
    """A child that the grammar promises to be a token."""
    if not isinstance(child, Token):
        raise TypeError(f"the grammar promises a token, not {child!r}")
    return child


class ExpressionBuilder:
    """Makes expressions of parse trees.

    Args:
        base: offset in the source of the text that was parsed.
        problems: where escapes and numbers that cannot be read are reported.
    """

    def __init__(self, base: int, problems: list[Problem]) -> None:
        self.base = base
        self.problems = problems

    # ---- places and words ----

    def span(self, node: Node | Token) -> Span:
        """Where in the source a tree or token stands."""
        if isinstance(node, Token):
            start = node.start_pos or 0
            return Span(self.base + start, self.base + start + len(node))
        meta = node.meta
        return Span(self.base + meta.start_pos, self.base + meta.end_pos)

    def name(self, child: Child) -> t.Name:
        """A NAME token."""
        token = leaf(child)
        return t.Name(str(token), self.span(token))

    def label(self, child: Child) -> t.Name | None:
        """The name in `name =`, None if that was left out."""
        return None if child is None else self.name(subtree(child).children[0])

    # ---- expressions ----

    def expression(self, child: Child) -> t.Expression:
        """An expression of any kind."""
        node = subtree(child)
        kind = str(node.data)
        span = self.span(node)
        if kind in BINARY:
            left, right = map(self.expression, node.children)
            return t.Binary(BINARY[kind], left, right, span)
        if kind in UNARY:
            return t.Unary(UNARY[kind], self.expression(node.children[0]), span)
        return self._EXPRESSIONS[kind](self, node, span)

    def optional(self, child: Child) -> t.Expression | None:
        """An expression that may have been left out."""
        return None if child is None else self.expression(child)

    def expressions(self, child: Child) -> tuple[t.Expression, ...]:
        """The expressions in an `expr_list` or `at`; none if that was left out."""
        if child is None:
            return ()
        node = subtree(child)
        if node.data == "at":
            return self.expressions(node.children[0])
        return tuple(self.expression(item) for item in node.children)

    def _bare(self, node: Node, span: Span) -> t.Expression:
        return t.Name(str(node.children[0]), span)

    def _number(self, node: Node, span: Span) -> t.Expression:
        return read_number(str(node.children[0]), span.start, self.problems)

    def _string(self, node: Node, span: Span) -> t.String:
        return read_string(str(node.children[0]), span.start, self.problems)

    def _list(self, node: Node, span: Span) -> t.Expression:
        items = (child for child in node.children if child is not None)
        return t.ListOf(tuple(self.expression(item) for item in items), span)

    def _attribute(self, node: Node, span: Span) -> t.Expression:
        base, name = node.children
        return t.Attribute(self.expression(base), self.name(name), span)

    def _call(self, node: Node, span: Span) -> t.Expression:
        function, arguments = node.children
        given = arguments.children if isinstance(arguments, Tree) else []
        return t.Call(
            self.expression(function),
            tuple(self._argument(argument) for argument in given if argument is not None),
            span,
        )

    def _argument(self, child: Child) -> t.Argument:
        node = subtree(child)
        label, value, position = node.children
        return t.Argument(
            self.label(label),
            self.expression(value),
            self.optional(position),
            self.span(node),
        )

    def _index(self, node: Node, span: Span) -> t.Expression:
        base, items = node.children
        return t.Index(self.expression(base), self.expressions(items), span)

    def _compare(self, node: Node, span: Span) -> t.Expression:
        left, operator, right = node.children
        return t.Binary(str(operator), self.expression(left), self.expression(right), span)

    def _between(self, node: Node, span: Span) -> t.Expression:
        first, last = node.children
        return t.RangeOf(self.expression(first), self.expression(last), span)

    def _from(self, node: Node, span: Span) -> t.Expression:
        return t.RangeOf(self.expression(node.children[0]), None, span)

    def _up_to(self, node: Node, span: Span) -> t.Expression:
        return t.RangeOf(None, self.expression(node.children[0]), span)

    _EXPRESSIONS: ClassVar[
        Mapping[str, Callable[[ExpressionBuilder, Node, Span], t.Expression]]
    ] = {
        "name": _bare,
        "starred": _bare,
        "number": _number,
        "plain_string": _string,
        "raw_string": _string,
        "long_string": _string,
        "list": _list,
        "attribute": _attribute,
        "call": _call,
        "index": _index,
        "compare": _compare,
        "range_between": _between,
        "range_from": _from,
        "range_to": _up_to,
    }
