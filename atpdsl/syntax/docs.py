"""`##` comments, and the statements that they are about."""

from __future__ import annotations

import string
from bisect import bisect_right
from dataclasses import replace

from atpdsl.syntax.tree import Comment, Statement

# What says nothing: spaces, ends of empty statements, and the `\` of a line that goes on.
_NOTHING = string.whitespace + ";\\"


class Docs:
    """The runs of `##` lines of a text: where each ends, and what it says."""

    def __init__(self, text: str, comments: tuple[Comment, ...]) -> None:
        self.text = text
        self.ends: list[int] = []
        self.runs: list[list[str]] = []
        for comment in comments:
            if comment.text.startswith("##"):
                self._add(comment)

    def _add(self, comment: Comment) -> None:
        line = comment.text.lstrip("#").strip()
        if self.runs and self._next_line(self.ends[-1], comment.span.start):
            self.runs[-1].append(line)
            self.ends[-1] = comment.span.end
        else:
            self.runs.append([line])
            self.ends.append(comment.span.end)

    def _next_line(self, end: int, start: int) -> bool:
        between = self.text[end:start]
        return between.isspace() and between.count("\n") == 1

    @property
    def first(self) -> str:
        """The first run, which is about the whole spec; "" if there is none."""
        return "\n".join(self.runs[0]).strip() if self.runs else ""

    def attached(self, statement: Statement) -> Statement:
        """A statement with the run that stands before it, if only space is in between."""
        number = bisect_right(self.ends, statement.span.start) - 1
        if number < 0 or self.text[self.ends[number] : statement.span.start].strip(_NOTHING):
            return statement
        return replace(statement, doc="\n".join(self.runs[number]).strip())
