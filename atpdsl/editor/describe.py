"""What a name stands for, in words."""

from __future__ import annotations

from atpdsl.editor.names import Definition
from atpdsl.syntax import tree as t


def in_words(found: Definition) -> str:
    """A definition in Markdown: how it is written, and what its author says of it."""
    statement = found.statement
    where = "" if found.path is None else f"in `{found.path.name}`"
    doc = getattr(statement, "doc", "")
    parts = (f"```atp\n{found.written}\n```", _help(statement), doc, where)
    return "\n\n".join(part for part in parts if part)


def _help(statement: t.Statement | t.BodyStatement) -> str:
    """The `help` of a `param`."""
    if not isinstance(statement, t.Parameter) or statement.body is None:
        return ""
    for line in statement.body.statements:
        if isinstance(line, t.Setting) and line.name.text == "help":
            return line.value.value if isinstance(line.value, t.String) else ""
    return ""
