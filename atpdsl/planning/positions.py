"""Where a node's position is in each pair, and which patches are zero by construction.

A patch is zero where both prompts agree up to its position, and where nothing of it can reach
the position that the metric reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.planning.ops import Side

MISSING = -1
STAYING = frozenset({"heads.q", "heads.z", "attn", "resid.mid", "mlp", "neurons", "resid.post"})
"""Kinds whose nodes are seen at other positions only through the attention of later layers.

The other kinds are seen there by the attention of their own layer: what comes before it, and
keys and values.
"""


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


@dataclass(frozen=True, slots=True)
class Reach:
    """What a patch has to reach: the logits where the metric reads.

    Attributes:
        label: the metric's position.
        last_layer: the number of the model's last layer.
    """

    label: str
    last_layer: int

    def read(self, pair: TokenPair, base: Side) -> int:
        """The index in the prompt of `base` that the metric reads."""
        return spot(pair, self.label, base).base

    def ends(self, nodes: NodeSet, layer: int) -> bool:
        """Whether nothing takes what a node does there to another position."""
        return layer == self.last_layer and nodes.kind in STAYING


def reach_of(bound: Bound) -> Reach:
    """What patches have to reach in an experiment."""
    return Reach(bound.experiment.metric.position, bound.shape.n_layers - 1)


def read_across(pairs: Sequence[TokenPair], labels: Sequence[str], reach: Reach) -> bool:
    """Whether a patch where the metric reads comes from, or goes, elsewhere on the other side.

    Where it does not, what a last layer computes at other positions than those that the
    metric reads is of no use, but for keys and values.
    """
    for pair in pairs:
        reads = reach.read(pair, Side.CLEAN), reach.read(pair, Side.CORRUPTED)
        for label in labels:
            for place in covered(pair, label, Side.CLEAN):
                if (place.base == reads[0]) != (place.donor == reads[1]):
                    return True
    return False


@dataclass(frozen=True, slots=True)
class Skips:
    """Which patches are taken as zero by construction.

    Attributes:
        equal_prefix: those where both prompts agree up to there.
        reach: those that cannot reach this; None skips no patch for that.
    """

    equal_prefix: bool = False
    reach: Reach | None = None


NO_SKIPS = Skips()


def covered(pair: TokenPair, label: str, base: Side) -> tuple[Spot, ...]:
    """The positions that a node covers; none where the pair lacks it."""
    if label == WHOLE:
        return whole_sequence(pair, base)
    place = spot(pair, label, base)
    return (place,) if place.exists else ()


@dataclass(frozen=True, slots=True)
class Window:
    """The positions of one pair where patches can change the metric.

    This is for layers that later ones follow; in the last one only the position that the
    metric reads is left of it, see `Reach.ends`.

    Attributes:
        first: where a patch with the value of the same index begins to matter.
        read: the last position of the base run that the metric can see.
    """

    pair: TokenPair
    base: Side
    first: int
    read: int

    def changing(self, label: str) -> tuple[Spot, ...]:
        """Those of the positions covered by a node where a patch can matter."""
        return tuple(s for s in covered(self.pair, label, self.base) if self.matters(s))

    def matters(self, place: Spot) -> bool:
        """Whether a patch of one position can matter."""
        same = place.base == place.donor and place.base < self.first
        return not same and place.base <= self.read


def window(pair: TokenPair, base: Side, skips: Skips) -> Window:
    """Where patches matter in a pair, when `base` is the run that is patched."""
    prompt = pair.clean if base is Side.CLEAN else pair.corrupted
    return Window(
        pair,
        base,
        first=equal_prefix(pair) if skips.equal_prefix else 0,
        read=len(prompt) - 1 if skips.reach is None else skips.reach.read(pair, base),
    )


def is_zero(pair: TokenPair, label: str, base: Side) -> bool:
    """Whether patching there does nothing, whatever the model: an equal prefix."""
    return exists(pair, label, base) and not window(pair, base, Skips(True)).changing(label)


def exists(pair: TokenPair, label: str, base: Side) -> bool:
    """Whether the pair has this position."""
    return bool(covered(pair, label, base))


@dataclass(frozen=True, slots=True)
class PatchedAt:
    """A patch that has to be run, the same in each index of a node set.

    Attributes:
        pair, label: numbers of the pair and of the position label.
        first: the first position that it changes, in the base run.
        read: the position that the metric reads there; the last one without a `Reach`.
    """

    pair: int
    label: int
    first: int
    read: int


def patches(
    pairs: Sequence[TokenPair], nodes: NodeSet, layer: int, base: Side, skips: Skips
) -> Iterator[PatchedAt]:
    """What has to be patched in one layer, for each of the indices of `nodes`."""
    reach = skips.reach
    ends = reach is not None and reach.ends(nodes, layer)
    for p, pair in enumerate(pairs):
        here = window(pair, base, skips)
        for n, label in enumerate(nodes.positions):
            changed = [s.base for s in here.changing(label)]
            if changed and (not ends or here.read in changed):
                yield PatchedAt(p, n, min(changed), here.read)


def live_labels(
    pairs: Sequence[TokenPair], nodes: NodeSet, base: Side, reach: Reach
) -> tuple[tuple[bool, ...], ...]:
    """[layer, label]: whether patching there can change something in any pair."""
    skips = Skips(True, reach)

    def labels(layer: int) -> tuple[bool, ...]:
        found = {patch.label for patch in patches(pairs, nodes, layer, base, skips)}
        return tuple(n in found for n in range(len(nodes.positions)))

    # All layers but the last are alike.
    kinds = {reach.ends(nodes, layer): layer for layer in nodes.layers}
    rows = {ends: labels(layer) for ends, layer in kinds.items()}
    return tuple(rows[reach.ends(nodes, layer)] for layer in nodes.layers)


def first_looked_at(
    pairs: Sequence[TokenPair], nodes: NodeSet, base: Side, run: Side
) -> int | None:
    """The first position of `run` that patches of `nodes` look at, None if there is none.

    Patches in an equal prefix are not made. A named position may be elsewhere on the two
    sides, so this can be before the first difference.
    """
    windows = [window(pair, base, Skips(True)) for pair in pairs]
    spots = (
        s.base if run is base else s.donor
        for here in windows
        for label in nodes.positions
        for s in here.changing(label)
    )
    return min(spots, default=None)
