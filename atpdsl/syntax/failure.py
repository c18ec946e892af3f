"""Where the parser could not go on, seen as a place in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from atpdsl.problems import Span
from atpdsl.syntax.tokens import Mark, Rough, rough_tokens

VALUE_STARTS = frozenset({"NAME", "NUMBER", "STRING", "LPAR", "LSQB"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A statement that cannot be parsed.

    Attributes:
        text: the whole spec.
        tokens: the rough tokens of the statement, without comments; at least one.
        at: what the parser met; empty where the statement ended too early.
        accepts: names of the terminals that it would have taken instead.
        in_body: whether the statement stands in a body.
    """

    text: str
    tokens: tuple[Rough, ...]
    at: Span
    accepts: frozenset[str]
    in_body: bool

    def show(self, token: Rough | Span) -> str:
        """The text at a place."""
        return self.text[token.start : token.end]

    @property
    def found(self) -> str:
        """What the parser met, "" at the end of the statement."""
        return self.show(self.at)

    @property
    def first(self) -> Rough:
        """The statement's first token."""
        return self.tokens[0]

    @property
    def word(self) -> str:
        """The text of the statement's first token."""
        return self.show(self.first)

    @property
    def before(self) -> Rough | None:
        """The token before the one that the parser met, None at the statement's start."""
        earlier = [token for token in self.tokens if token.end <= self.at.start]
        return earlier[-1] if earlier else None

    @property
    def after(self) -> Rough | None:
        """The token after the one that the parser met, None at the statement's end."""
        return next((token for token in self.tokens if token.start >= self.at.end), None)

    def has_before(self, text: str) -> bool:
        """Whether a token of this text stands before what the parser met, or nothing does."""
        earlier = [self.show(token) for token in self.tokens if token.end <= self.at.start]
        return text in earlier or len(earlier) < 2

    def follows(self, text: str) -> bool:
        """Whether a token of this text stands before what the parser met."""
        return any(
            self.show(token) == text for token in self.tokens if token.end <= self.at.start
        )

    @property
    def second(self) -> bool:
        """Whether the parser met the second token of the statement."""
        return self.before == self.first

    @property
    def wants_value(self) -> bool:
        """Whether a value could have stood here."""
        return self.accepts >= VALUE_STARTS


def understand(error: UnexpectedInput, text: str, chunk: Span, *, in_body: bool) -> Failure:
    """The failure that an error tells of, met while parsing `chunk` of `text`."""
    tokens = tuple(
        Rough(token.mark, chunk.start + token.start, chunk.start + token.end)
        for token in rough_tokens(text[chunk.start : chunk.end])
        if token.mark not in (Mark.COMMENT, Mark.END)
    )
    return Failure(
        text=text,
        tokens=tokens,
        at=_met(error, chunk, tokens),
        accepts=_accepted(error),
        in_body=in_body,
    )


def _met(error: UnexpectedInput, chunk: Span, tokens: tuple[Rough, ...]) -> Span:
    start = chunk.start + (error.pos_in_stream or 0)
    if isinstance(error, UnexpectedToken):
        if error.token.type in ("$END", "_NL"):
            end = tokens[-1].end
            return Span(end, end)
        return Span(start, start + len(error.token))
    return Span(start, start + 1)


def _accepted(error: UnexpectedInput) -> frozenset[str]:
    if isinstance(error, UnexpectedToken):
        exact = error.accepts if isinstance(error.accepts, set) else None
        return frozenset(exact or error.expected)
    if isinstance(error, UnexpectedCharacters):
        return frozenset(error.allowed or ())
    return frozenset()
