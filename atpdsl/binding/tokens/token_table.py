"""A pair of prompts token by token, partners in one column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.binding.tokens.side_by_side import shared_ends
from atpdsl.binding.tokens.tokenise import Prompt, Tokenised, TokenRules, positions_of
from atpdsl.models.tokenizer import ModelTokenizer

BOS = "BOS"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCell:
    """One token of a prompt.

    Attributes:
        names: the positions that it is, `BOS` if it begins every prompt.
    """

    index: int
    token: int
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenColumn:
    """A token of each prompt, or of one that has no partner in the other."""

    clean: TokenCell | None
    corrupted: TokenCell | None

    @property
    def differs(self) -> bool:
        """Whether there are two tokens and they are not the same."""
        if self.clean is None or self.corrupted is None:
            return False
        return self.clean.token != self.corrupted.token


def token_table(read: Tokenised, rules: TokenRules) -> tuple[TokenColumn, ...]:
    """The columns of a pair; by what both share where the pair cannot be used."""
    clean = _cells(read.clean, read, rules)
    corrupted = _cells(read.corrupted, read, rules)
    partner = _likely(read) if read.pair is None else read.pair.partner
    return tuple(
        TokenColumn(
            clean=None if here is None else clean[here],
            corrupted=None if there is None else corrupted[there],
        )
        for here, there in matched(partner, len(corrupted))
    )


def _likely(read: Tokenised) -> tuple[int, ...]:
    """Partners in a pair without any: what both prompts begin and end with."""
    clean, corrupted = read.clean.tokens, read.corrupted.tokens
    before, after = shared_ends(clean, corrupted)
    between = range(before, len(clean) - after)
    inside = (n if n < len(corrupted) - after else NO_PARTNER for n in between)
    shift = len(corrupted) - len(clean)
    ending = (n + shift for n in range(len(clean) - after, len(clean)))
    return (*range(before), *inside, *ending)


def matched(
    partner: tuple[int, ...], corrupted: int
) -> Iterator[tuple[int | None, int | None]]:
    """All tokens of both prompts in order, partners together.

    Args:
        partner: as `TokenPair.partner`; partners never cross.
        corrupted: how many tokens the corrupted prompt has.
    """
    following = 0
    for index, other in enumerate(partner):
        if other == NO_PARTNER:
            yield index, None
            continue
        yield from ((None, skipped) for skipped in range(following, other))
        yield index, other
        following = other + 1
    yield from ((None, rest) for rest in range(following, corrupted))


def _cells(prompt: Prompt, read: Tokenised, rules: TokenRules) -> tuple[TokenCell, ...]:
    names: dict[int, list[str]] = {}
    if rules.bos_id is not None and prompt.tokens[:1] == (rules.bos_id,):
        names[0] = [BOS]
    for name, index in positions_of(prompt, read.text, rules.finder).found.items():
        names.setdefault(index, []).append(name)
    tokenizer: ModelTokenizer = rules.tokenizer
    return tuple(
        TokenCell(
            index=index,
            token=token,
            text=tokenizer.decode_token(token),
            names=tuple(names.get(index, ())),
        )
        for index, token in enumerate(prompt.tokens)
    )
