"""Statements with values for their names; what cannot be filled is left out as unreadable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from atpdsl.elaboration.filling import Filler, Values
from atpdsl.syntax import tree as t

# Statements of `prompts` and settings of it in which names of a pair stand.
PAIR_SETTINGS = ("keep", "clean", "corrupted")


def filled_statement(
    statement: t.Statement, plain: Filler, pairwise: Filler
) -> t.Statement | None:
    """A statement of the top level; None where part of its head has no value.

    Args:
        statement: as it is written.
        plain: for what is the same in all pairs.
        pairwise: for metrics and positions, where names of pairs mean places and words.
    """
    failed = plain.values.failed
    filled: t.Statement
    match statement:
        case t.Declaration():
            filled = _declaration(statement, plain, pairwise)
        case t.Export(items=items):
            found = plain.expressions(items)
            filled = statement if found is items else replace(statement, items=found)
        case t.Block(body=body):
            inner = filled_body(body, plain, pairwise)
            return statement if inner is body else replace(statement, body=inner)
        case _:
            return statement
    if plain.values.failed > failed:
        return None
    if isinstance(filled, t.Declaration) and filled.body is not None:
        inner = filled_body(filled.body, plain, pairwise)
        return filled if inner is filled.body else replace(filled, body=inner)
    return filled


def _declaration(statement: t.Declaration, plain: Filler, pairwise: Filler) -> t.Declaration:
    filler = pairwise if statement.word.text == "metric" else plain
    value = filler.expression(statement.value)
    positions = pairwise.expressions(statement.positions)
    if value is statement.value and positions is statement.positions:
        return statement
    return replace(statement, value=value, positions=positions)


def filled_body(body: t.Body, plain: Filler, pairwise: Filler) -> t.Body:
    """A body of settings and selections."""
    return rebuilt(body, lambda line: _line(line, plain, pairwise), plain.values)


def _line(line: t.BodyStatement, plain: Filler, pairwise: Filler) -> t.BodyStatement:
    match line:
        case t.Setting():
            return _setting(line, plain)
        case t.Select():
            return _select(line, plain, pairwise)
        case _:
            return line


def _setting(setting: t.Setting, filler: Filler) -> t.Setting:
    value = filler.expression(setting.value)
    body = setting.body and filled_body(setting.body, filler, filler)
    if value is setting.value and body is setting.body:
        return setting
    return replace(setting, value=value, body=body)


def _select(select: t.Select, plain: Filler, pairwise: Filler) -> t.Select:
    parts = {
        "items": plain.expressions(select.items),
        "targets": plain.expressions(select.targets),
        "positions": pairwise.expressions(select.positions),
        "where": plain.optional(select.where),
        "body": select.body and filled_body(select.body, plain, pairwise),
    }
    if all(getattr(select, name) is part for name, part in parts.items()):
        return select
    return t.Select(**parts, span=select.span)  # type: ignore[arg-type]


def rebuilt(
    body: t.Body, fill: Callable[[t.BodyStatement], t.BodyStatement], values: Values
) -> t.Body:
    """A body of filled statements; those without a value are left out, as unreadable ones."""
    kept: list[t.BodyStatement] = []
    broken = body.broken
    for line in body.statements:
        failed = values.failed
        filled = fill(line)
        if values.failed > failed:
            broken = True
        else:
            kept.append(filled)
    same = len(kept) == len(body.statements) and broken == body.broken
    if same and all(new is old for new, old in zip(kept, body.statements, strict=True)):
        return body
    return replace(body, statements=tuple(kept), broken=broken)


# ---- in prompts ----


def filled_line(line: t.BodyStatement, outer: Filler, pairwise: Filler) -> t.BodyStatement:
    """A statement of a `prompts` body.

    Args:
        line: as it is written.
        outer: for lists of words and settings, where no names of pairs stand.
        pairwise: for texts, and everything else about a pair.
    """
    match line:
        case t.Setting(name=name):
            return _setting(line, pairwise if name.text in PAIR_SETTINGS else outer)
        case t.SlotLine(values=values, where=where):
            found, condition = outer.words(values), pairwise.optional(where)
            same = found is values and condition is where
            return line if same else replace(line, values=found, where=condition)
        case t.Template(text=text):
            found = pairwise.expression(text)
            return line if found is text else replace(line, text=found)
        case t.CorruptLine(values=values):
            several = pairwise.expressions(values)
            return line if several is values else replace(line, values=several)
        case t.AnswerLine(right=right, wrong=wrong):
            sides = (pairwise.expression(right), pairwise.optional(wrong))
            same = sides[0] is right and sides[1] is wrong
            return line if same else replace(line, right=sides[0], wrong=sides[1])
        case t.PositionLine(value=value) | t.Let(value=value):
            found = pairwise.expression(value)
            return line if found is value else replace(line, value=found)
        case t.Pair():
            return _pair(line, outer, pairwise)
        case t.Select():
            return line


def _pair(pair: t.Pair, outer: Filler, pairwise: Filler) -> t.Pair:
    clean, corrupted = pairwise.expression(pair.clean), pairwise.expression(pair.corrupted)
    body = pair.body and rebuilt(
        pair.body, lambda line: filled_line(line, outer, pairwise), pairwise.values
    )
    if clean is pair.clean and corrupted is pair.corrupted and body is pair.body:
        return pair
    return replace(pair, clean=clean, corrupted=corrupted, body=body)
