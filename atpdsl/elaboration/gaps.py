"""Whether all of a spec could be read and filled, or something is missing from its tree."""

from __future__ import annotations

from atpdsl.syntax import tree as t


def has_gap(statement: object) -> bool:
    """Whether something in a statement could not be read, or has no value."""
    body = getattr(statement, "body", None)
    return isinstance(body, t.Body) and (
        body.broken or any(has_gap(line) for line in body.statements)
    )


def whole(tree: t.SpecFile) -> bool:
    """Whether nothing is missing from a tree."""
    return not tree.broken and not any(has_gap(statement) for statement in tree.statements)
