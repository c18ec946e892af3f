"""Where a node's position is in each pair, and which patches are zero by construction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.planning.ops import Side

MISSING = -1


@dataclass(frozen=True, slots=True)
class Spot:
    """A position label in one pair: index in the base run and in the donor run.

    Both are `MISSING` where the pair lacks the position (or it has no partner).
    """

    base: int
    donor: int

    @property
    def exists(self) -> bool:
        """Whether the pair has the position on both sides."""
        return MISSING not in (self.base, self.donor)


NOWHERE = Spot(MISSING, MISSING)


def spot(pair: TokenPair, label: str, base: Side) -> Spot:
    """Where `label` is in `pair`, when `base` is the run that is patched."""
    if label.isdigit():
        index = int(label)
        if index >= len(pair.clean) or pair.partner[index] == MISSING:
            return NOWHERE
        found = (index, pair.partner[index])
    elif label in pair.positions:
        found = pair.positions[label]
    else:
        return NOWHERE
    clean, corrupted = found
    return Spot(clean, corrupted) if base is Side.CLEAN else Spot(corrupted, clean)


def whole_sequence(pair: TokenPair, base: Side) -> tuple[Spot, ...]:
    """All positions that exist on both sides."""
    spots = (spot(pair, str(index), base) for index in range(len(pair.clean)))
    return tuple(s for s in spots if s.exists)


def equal_prefix(pair: TokenPair) -> int:
    """How many leading tokens are the same on both sides, at the same index.

    In a causal model every activation there is the same too: patching it changes nothing.
    """
    length = 0
    for index, (token, partner) in enumerate(zip(pair.clean, pair.partner, strict=True)):
        if partner != index or pair.corrupted[partner] != token:
            break
        length += 1
    return length


def is_zero(pair: TokenPair, label: str, base: Side) -> bool:
    """Whether patching there does nothing, whatever the model: an equal prefix."""
    prefix = equal_prefix(pair)
    if label == WHOLE:
        return prefix == len(pair.clean) == len(pair.corrupted)
    place = spot(pair, label, base)
    return place.exists and place.base == place.donor and place.base < prefix


def exists(pair: TokenPair, label: str, base: Side) -> bool:
    """Whether the pair has this position."""
    if label == WHOLE:
        return bool(whole_sequence(pair, base))
    return spot(pair, label, base).exists


def patches(
    pairs: tuple[TokenPair, ...], nodes: NodeSet, base: Side, *, skip_equal_prefix: bool
) -> Iterator[tuple[int, int]]:
    """(pair, label) numbers that have to be patched for each layer and index of `nodes`."""
    for p, pair in enumerate(pairs):
        for n, label in enumerate(nodes.positions):
            if not exists(pair, label, base):
                continue
            if skip_equal_prefix and is_zero(pair, label, base):
                continue
            yield p, n


def live_labels(pairs: tuple[TokenPair, ...], nodes: NodeSet, base: Side) -> tuple[bool, ...]:
    """For each position of `nodes`: whether patching there can change something in any pair."""
    found = {n for _, n in patches(pairs, nodes, base, skip_equal_prefix=True)}
    return tuple(n in found for n in range(len(nodes.positions)))
