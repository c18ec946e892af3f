"""Statements and bodies: from Lark's parse tree to the tree of `atpdsl.syntax.tree`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, cast

from atpdsl.problems import Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.expressions import Child, ExpressionBuilder, Node, leaf, subtree
from atpdsl.syntax.literals import read_number


class TreeBuilder(ExpressionBuilder):
    """Makes statements of parse trees."""

    def statement(self, child: Child) -> t.Statement:
        """A statement of the top level."""
        node = subtree(child)
        return self._STATEMENTS[str(node.data)](self, node, self.span(node))

    def body_statement(self, child: Child) -> t.BodyStatement:
        """A statement in a body."""
        node = subtree(child)
        return self._BODY_STATEMENTS[str(node.data)](self, node, self.span(node))

    def body(self, child: Child) -> t.Body:
        """A body."""
        node = subtree(child)
        statements = (item for item in node.children if item is not None)
        return t.Body(
            statements=tuple(self.body_statement(item) for item in statements),
            span=self.span(node),
        )

    def _optional_body(self, child: Child) -> t.Body | None:
        return None if child is None else self.body(child)

    def _optional_name(self, child: Child) -> t.Name | None:
        return None if child is None else self.name(child)

    def word(self, node: Node, word: str = "") -> t.Name:
        """The keyword that a statement begins with: its rule's name, if not given."""
        text = word or str(node.data)
        start = self.span(node).start
        return t.Name(text, Span(start, start + len(text)))

    # ---- the top level ----

    def _version(self, node: Node, span: Span) -> t.Version:
        token = leaf(node.children[0])
        number = read_number(str(token), self.span(token).start, self.problems)
        return t.Version(word=self.word(node, "atp"), number=number, span=span)

    def _include(self, node: Node, span: Span) -> t.Include:
        path, alias = node.children
        return t.Include(
            word=self.word(node),
            path=cast("t.String", self.expression(path)),
            alias=self._optional_name(alias),
            span=span,
        )

    def _let(self, node: Node, span: Span) -> t.Let:
        name, value = node.children
        return t.Let(
            word=self.word(node), name=self.name(name), value=self.expression(value), span=span
        )

    def _param(self, node: Node, span: Span) -> t.Parameter:
        name, value, body = node.children
        return t.Parameter(
            word=self.word(node),
            name=self.name(name),
            value=self.expression(value),
            body=self._optional_body(body),
            span=span,
        )

    def _sweep(self, node: Node, span: Span) -> t.Sweep:
        name, values = node.children
        return t.Sweep(
            word=self.word(node),
            name=self.name(name),
            values=self.expression(values),
            span=span,
        )

    def _declaration(self, node: Node, span: Span) -> t.Declaration:
        label, value, *at, body = node.children
        return t.Declaration(
            word=self.word(node),
            label=self.label(label),
            value=self.expression(value),
            positions=self.expressions(at[0]) if at else (),
            body=self._optional_body(body),
            span=span,
        )

    def _prompts(self, node: Node, span: Span) -> t.PromptSet:
        name, origin, body = node.children
        return t.PromptSet(
            word=self.word(node),
            name=self._optional_name(name),
            origin=self.optional(origin),
            body=self.body(body),
            span=span,
        )

    def _block(self, node: Node, span: Span) -> t.Block:
        name, body = node.children
        return t.Block(
            word=self.word(node),
            name=self._optional_name(name),
            body=self.body(body),
            span=span,
        )

    def _export(self, node: Node, span: Span) -> t.Export:
        items = self.expressions(node.children[0])
        return t.Export(word=self.word(node), items=items, span=span)

    _STATEMENTS: ClassVar[Mapping[str, Callable[[TreeBuilder, Node, Span], t.Statement]]] = {
        "version": _version,
        "include": _include,
        "let": _let,
        "param": _param,
        "sweep": _sweep,
        "model": _declaration,
        "metric": _declaration,
        "method": _declaration,
        "prompts": _prompts,
        "nodes": _block,
        "edges": _block,
        "verify": _block,
        "diagnose": _block,
        "circuit": _block,
        "expect": _block,
        "run": _block,
        "export": _export,
    }

    # ---- in a body ----

    def _setting(self, node: Node, span: Span) -> t.Setting:
        name, value, body = node.children
        return t.Setting(
            name=self.name(name),
            value=self.expression(value),
            body=self._optional_body(body),
            span=span,
        )

    def _select(self, node: Node, span: Span) -> t.Select:
        items, targets, at, where, body = node.children
        return t.Select(
            items=self.expressions(items),
            targets=self.expressions(targets),
            positions=self.expressions(at),
            where=None if where is None else self.expression(subtree(where).children[0]),
            body=self._optional_body(body),
            span=span,
        )

    def _pair(self, node: Node, span: Span) -> t.Pair:
        clean, corrupted, body = node.children
        return t.Pair(
            word=self.word(node),
            clean=self.expression(clean),
            corrupted=self.expression(corrupted),
            body=self._optional_body(body),
            span=span,
        )

    def _template(self, node: Node, span: Span) -> t.Template:
        text = self.expression(node.children[0])
        return t.Template(word=self.word(node), text=text, span=span)

    def _names(self, child: Child) -> tuple[t.Name, ...]:
        return tuple(self.name(name) for name in subtree(child).children)

    def _slot(self, node: Node, span: Span) -> t.SlotLine:
        names, values, where = node.children
        return t.SlotLine(
            word=self.word(node),
            names=self._names(names),
            values=self.expression(values),
            where=None if where is None else self.expression(subtree(where).children[0]),
            span=span,
        )

    def _corrupt(self, node: Node, span: Span) -> t.CorruptLine:
        targets, values = node.children
        return t.CorruptLine(
            word=self.word(node),
            targets=self._names(targets),
            values=self.expressions(values),
            span=span,
        )

    def _answer(self, node: Node, span: Span) -> t.AnswerLine:
        right, wrong = node.children
        return t.AnswerLine(
            word=self.word(node),
            right=self.expression(right),
            wrong=self.optional(wrong),
            span=span,
        )

    def _pos(self, node: Node, span: Span) -> t.PositionLine:
        name, value = node.children
        return t.PositionLine(
            word=self.word(node),
            name=self.name(name),
            value=self.expression(value),
            span=span,
        )

    _BODY_STATEMENTS: ClassVar[
        Mapping[str, Callable[[TreeBuilder, Node, Span], t.BodyStatement]]
    ] = {
        "setting": _setting,
        "select": _select,
        "pair": _pair,
        "template": _template,
        "slot": _slot,
        "corrupt": _corrupt,
        "answer": _answer,
        "pos": _pos,
        "let": _let,
    }
