"""A text cut into statements, whether or not they can be parsed."""

from __future__ import annotations

from dataclasses import dataclass, field

from atpdsl.problems import Span
from atpdsl.syntax.brackets import Brackets
from atpdsl.syntax.tokens import Mark, Rough


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyChunk:
    """A body: `span` includes the braces (the `}` only if `closed`), `chunks` what is in it."""

    span: Span
    chunks: tuple[Chunk, ...]
    closed: bool

    @property
    def inside(self) -> Span:
        """What is between the braces."""
        return Span(self.span.start + 1, self.span.end - self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A statement, from its first to its last token."""

    span: Span
    bodies: tuple[BodyChunk, ...]

    def owns(self, offset: int) -> bool:
        """Whether an offset is in the statement but not inside one of its bodies."""
        inside = any(b.inside.start <= offset < b.inside.end for b in self.bodies)
        return self.span.start <= offset < self.span.end and not inside


@dataclass(slots=True)
class _Frame:
    """A body that is being read; `end` is where it ends, a closing brace included."""

    start: int
    end: int
    closed: bool
    depth: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    bodies: list[BodyChunk] = field(default_factory=list)
    first: int | None = None
    last: int = 0

    def touch(self, start: int, end: int) -> None:
        """Makes the current statement reach to `end`."""
        if self.first is None:
            self.first = start
        self.last = end

    def finish(self) -> None:
        """Ends the current statement, if there is one."""
        if self.first is not None:
            span = Span(self.first, self.last)
            self.chunks.append(Chunk(span=span, bodies=tuple(self.bodies)))
        self.first = None
        self.bodies = []


def cut(text: str, tokens: tuple[Rough, ...], brackets: Brackets) -> tuple[Chunk, ...]:
    """The statements of a text, in order."""
    return _Cutter(text, brackets).cut(tokens)


class _Cutter:
    def __init__(self, text: str, brackets: Brackets) -> None:
        self.text = text
        self.brackets = brackets
        self.stray = frozenset(brackets.stray)
        self.unclosed = frozenset(brackets.unclosed)
        self.frames = [_Frame(0, len(text) + 1, closed=False)]
        self.previous = Mark.END

    def cut(self, tokens: tuple[Rough, ...]) -> tuple[Chunk, ...]:
        for token in tokens:
            if token.mark is Mark.COMMENT:
                continue
            while token.start >= self.frames[-1].end:
                self._leave_body()
                self.frames[-1].finish()
            self._take(token)
        while len(self.frames) > 1:
            self._leave_body()
        self.frames[0].finish()
        return tuple(self.frames[0].chunks)

    def _take(self, token: Rough) -> None:
        frame = self.frames[-1]
        character = self.text[token.start]
        if token.mark is Mark.END:
            self._end(frame, character)
            return
        self.previous = token.mark
        if frame.closed and token.start == frame.end - 1:
            self._leave_body()
        elif character == "{" and token.mark is Mark.OPEN:
            frame.touch(token.start, token.end)
            self._enter_body(token.start)
        else:
            self._count(frame, token)
            frame.touch(token.start, token.end)

    def _end(self, frame: _Frame, character: str) -> None:
        goes_on = self.previous is Mark.CONTINUING and character != ";"
        if frame.depth == 0 and not goes_on:
            frame.finish()
            self.previous = Mark.END

    def _count(self, frame: _Frame, token: Rough) -> None:
        if token.start in self.stray or token.start in self.unclosed:
            return
        if token.mark is Mark.OPEN:
            frame.depth += 1
        elif token.mark is Mark.CLOSE:
            frame.depth -= 1

    def _enter_body(self, start: int) -> None:
        close = self.brackets.close[start]
        closed = start not in self.unclosed
        self.frames.append(_Frame(start, close + closed, closed=closed))
        self.previous = Mark.END

    def _leave_body(self) -> None:
        frame = self.frames.pop()
        frame.finish()
        end = frame.end if frame.closed else max(frame.last, frame.start + 1)
        body = BodyChunk(
            span=Span(frame.start, end), chunks=tuple(frame.chunks), closed=frame.closed
        )
        outer = self.frames[-1]
        outer.bodies.append(body)
        outer.touch(frame.start, end)
