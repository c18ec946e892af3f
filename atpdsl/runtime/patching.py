"""Exact patching: many nodes per run of the model, one node per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.metrics import Metric, Targets
from atpdsl.nodes import Unit
from atpdsl.planning.ops import Place
from atpdsl.planning.rows import RowRun, calls_of
from atpdsl.runtime.engine import Engine, PatchedRows
from atpdsl.runtime.forward import Patch, Run
from atpdsl.runtime.halving import UNLIMITED, Halving
from atpdsl.runtime.prompts import Prompts, rows_of
from atpdsl.runtime.sites import in_float64, unit_axis
from atpdsl.runtime.spots import Spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a patched run needs to know of its batch.

    Attributes:
        tokens: the columns of the logits that the metric reads, as `targets` count them;
            None is the whole vocabulary.
        prompts: of the run that is patched.
        base: that run, where rows are resumed from it; None: they are run from the start.
        base_metric: its metric, [pair].
        donor: the run that values come from.
        done: called after each run of the model with the number of rows, and of tokens times
            layers that were run.
        frozen: the base run, where everything after a patched node is held at its values in
            it: then the direct effect remains.
        memory: tokens of a call's rows, fewer after memory ran out.
    """

    engine: Engine
    metric: Metric
    targets: Targets
    tokens: Tensor | None
    prompts: Prompts
    base: Run | None
    base_metric: Tensor
    donor: Run
    rows_per_call: int
    done: Callable[[int, int], None]
    frozen: Run | None = None
    memory: Halving = field(default_factory=lambda: Halving(UNLIMITED))

    def effects(self, pair: Integers, patches: Sequence[Patch]) -> Floats:
        """metric(row) - metric(its pair's unpatched run), [row], in one run of the model.

        Args:
            pair: [row], which pair each row is of.
        """
        at = torch.from_numpy(pair).to(self.prompts.tokens.device)
        prompts = Prompts(tokens=self.prompts.tokens[at], reads=self.prompts.reads[at])
        rows = PatchedRows(
            prompts=prompts, patches=patches, base=self.base, pair=at, tokens=self.tokens
        )
        before = self.engine.passed
        logits = self.engine.patched(rows)
        patched = self.metric.compute(logits, rows_of(self.targets, at))
        self.done(len(pair), self.engine.passed - before)
        changes = in_float64(patched) - in_float64(self.base_metric[at])
        effects: Floats = changes.cpu().numpy()
        return effects

    def reads(self, pair: Integers) -> Integers:
        """The position that the metric reads in each pair's base run."""
        found: Integers = self.prompts.reads.cpu().numpy()[pair]
        return found

    def in_calls(
        self,
        rows: Integers,
        first: Integers,
        pair: Integers,
        work: Callable[[Integers], Floats],
    ) -> Iterator[tuple[Integers, Floats]]:
        """Rows put into runs of the model, each with what the work gives for it.

        Args:
            rows: [row, ...], in an order that suits rows which are run from their beginning.
            first: [row], the first position that each changes.
            pair: [row].
            work: one run of the model; it is done again with fewer rows when memory runs out.
        """
        if self.base is None:
            yield from self.by_number(rows, work)
            return
        read = self.reads(pair)
        order = np.lexsort((np.arange(len(rows)), read, first))
        rows, first, read = rows[order], first[order], read[order]
        done = 0
        while done < len(rows):
            for size in _resumed_calls(first[done:], read[done:], self._most_tokens):
                here = slice(done, done + size)
                tokens = size * int(read[here].max() + 1 - first[here].min())
                found = self.memory.attempt(
                    tokens, partial(work, rows[here]), divisible=size > 1
                )
                if found is None:
                    break
                yield rows[here], found[0]
                done += size

    def by_number(
        self, rows: Integers, work: Callable[[Integers], Floats]
    ) -> Iterator[tuple[Integers, Floats]]:
        """The same, with as many rows in each run, in their order."""
        length, done = self.prompts.tokens.shape[1], 0
        while done < len(rows):
            some = rows[done : done + max(1, self._most_tokens // length)]
            size = len(some)
            found = self.memory.attempt(size * length, partial(work, some), divisible=size > 1)
            if found is not None:
                yield some, found[0]
                done += size

    @property
    def _most_tokens(self) -> int:
        """Tokens of a run of the model, at most."""
        return min(self.rows_per_call * self.prompts.tokens.shape[1], self.memory.size)


def _resumed_calls(first: Integers, read: Integers, tokens: int) -> Iterator[int]:
    """How many rows, sorted by `first` and `read`, are in each run of the model."""
    cuts = np.flatnonzero(np.diff(first) | np.diff(read)) + 1
    starts = [0, *cuts.tolist(), len(first)]
    runs = [
        RowRun(first=int(first[a]), read=int(read[a]), layer=0, count=b - a)
        for a, b in pairwise(starts)
    ]
    yield from calls_of(runs, tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one patched run that patch the same node set and layer.

    Attributes:
        start: the number of the first row in the run.
        unit: head or neuron of each row; pair, label: which entry of `spots` it patches.
    """

    place: Place
    spots: Spots
    start: int
    unit: Integers
    pair: Integers
    label: Integers


def sweep(scene: Scene, nodes: NodeSet, spots: Spots) -> Floats:
    """Effects of every node, [pair, layer, index, position]; 0 where there is nothing to do."""
    effects = np.zeros((len(spots.exists), *nodes.shape))
    rows = _sweep_rows(nodes, spots)
    first = _first_positions(spots)[rows[:, 3], rows[:, 2]]

    def work(call: Integers) -> Floats:
        order = np.argsort(call[:, 0], kind="stable")
        return _unsorted(order, _effects(scene, _by_layer(call[order], nodes, spots)))

    for call, found in scene.in_calls(rows, first, rows[:, 3], work):
        layer, index, label, pair = call.T
        effects[pair, layer, index, label] = found
    return effects


def _by_layer(part: Integers, nodes: NodeSet, spots: Spots) -> list[Rows]:
    """Rows of one run of a sweep, sorted by layer, cut where it changes."""
    layer, index, label, pair = part.T
    return [
        Rows(
            place=Place(nodes.kind, nodes.layers[one]),
            spots=spots,
            start=int(np.argmax(layer == one)),
            unit=np.asarray(nodes.indices)[index[layer == one]],
            pair=pair[layer == one],
            label=label[layer == one],
        )
        for one in np.unique(layer)
    ]


def _unsorted(order: Integers, sorted_effects: Floats) -> Floats:
    """Numbers of rows in the order that the rows had before they were sorted."""
    effects = np.empty_like(sorted_effects)
    effects[order] = sorted_effects
    return effects


def _sweep_rows(nodes: NodeSet, spots: Spots) -> Integers:
    """(layer number, index number, label, pair) of every patch, [row, 4], layer by layer."""
    live = spots.live_by_layer(nodes.layers)
    every = np.broadcast_to(live[:, :, None], (len(live), *nodes.shape))
    rows: Integers = np.argwhere(every.transpose(1, 2, 0, 3))[:, [0, 1, 3, 2]]
    return rows


def _first_positions(spots: Spots) -> Integers:
    """The first position of the base run that a patch changes, [pair, label]."""
    far = np.iinfo(np.int64).max
    first: Integers = np.where(spots.patched, spots.base, far).min(axis=-1)
    return first


def patch_chosen(
    scene: Scene, chosen: Integers, sets: Sequence[NodeSet], spots: Sequence[Spots]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Effects of some nodes.

    Args:
        chosen: [n, 2]: number of the node set, flat number in it.

    Returns:
        effects [pair, n], 0 where there is nothing to do, and [pair, n] whether the pair has
        the node.
    """
    exists = _existing(chosen, sets, spots)
    effects = np.zeros(exists.shape)
    rows = _rows_of(chosen, sets, spots)
    tables = [_first_positions(of) for of in spots]
    first = np.array([tables[r[0]][r[4], r[3]] for r in rows], dtype=np.int64)

    def work(call: Integers) -> Floats:
        order = np.lexsort((call[:, 1], call[:, 0]))
        return _unsorted(order, _effects(scene, list(_grouped(call[order], sets, spots))))

    for call, found in scene.in_calls(rows, first, rows[:, 4], work):
        effects[call[:, 4], call[:, 5]] = found
    return effects, exists


def _existing(
    chosen: Integers, sets: Sequence[NodeSet], spots: Sequence[Spots]
) -> NDArray[np.bool_]:
    columns = [
        spots[number].exists[:, flat % len(sets[number].positions)] for number, flat in chosen
    ]
    n_pairs = len(spots[0].exists)
    return np.stack(columns, axis=1) if columns else np.zeros((n_pairs, 0), dtype=bool)


def _rows_of(chosen: Integers, sets: Sequence[NodeSet], spots: Sequence[Spots]) -> Integers:
    """(node set, layer number, index number, label, pair, node) of every patch, [row, 6].

    In the order of layers, so that one run of the model is patched in few of them.
    """
    rows = []
    for node, (number, flat) in enumerate(chosen):
        layer, index, label = np.unravel_index(flat, sets[number].shape)
        live = np.flatnonzero(spots[number].live_in(sets[number].layers[layer])[:, label])
        rows += [(number, layer, index, label, pair, node) for pair in live]
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return table[np.argsort(table[:, 1], kind="stable")]


def _grouped(part: Integers, sets: Sequence[NodeSet], spots: Sequence[Spots]) -> Iterator[Rows]:
    """Rows of one run, sorted by node set and layer, cut where either changes."""
    keys, starts = np.unique(part[:, :2], axis=0, return_index=True)
    ends = [*starts[1:], len(part)]
    for (number, layer), start, end in zip(keys, starts, ends, strict=True):
        nodes = sets[number]
        rows = part[start:end]
        yield Rows(
            place=Place(nodes.kind, nodes.layers[layer]),
            spots=spots[number],
            start=int(start),
            unit=np.asarray(nodes.indices)[rows[:, 2]],
            pair=rows[:, 4],
            label=rows[:, 3],
        )


def _effects(scene: Scene, groups: Sequence[Rows]) -> Floats:
    """Effects of the rows of one run of the model, in their order."""
    patches = [_patch(rows, scene.donor) for rows in groups]
    if scene.frozen is not None:
        patches += freeze(groups, scene.frozen)
    return scene.effects(np.concatenate([rows.pair for rows in groups]), patches)


def _patch(rows: Rows, donor: Run) -> Patch:
    """The entries that a group of rows overwrites: one per position that a node covers."""
    row, cover = np.nonzero(rows.spots.patched[rows.pair, rows.label])
    values = donor.values[rows.place]

    def tensor(array: Integers) -> Tensor:
        return torch.from_numpy(array).to(values.device)

    pair, label = rows.pair[row], rows.label[row]
    source = (tensor(pair), tensor(rows.spots.donor[pair, label, cover] - donor.start))
    unit = None if unit_axis(rows.place) is Unit.VECTOR else tensor(rows.unit[row])
    return Patch(
        place=rows.place,
        row=tensor(row + rows.start),
        position=tensor(rows.spots.base[pair, label, cover]),
        unit=unit,
        value=values[source if unit is None else (*source, unit)],
    )


def freeze(groups: Sequence[Rows], base: Run) -> list[Patch]:
    """Patches that hold all contributions after each row's node at their base values."""
    row = np.concatenate([rows.start + np.arange(len(rows.pair)) for rows in groups])
    pair = np.concatenate([rows.pair for rows in groups])
    first = {
        kind: np.concatenate(
            [np.full(len(r.pair), first_frozen(r.place, kind)) for r in groups]
        )
        for kind in ("attn", "mlp")
    }
    patches = []
    for place in base.values:
        if place.kind not in first:
            continue
        held = np.flatnonzero(first[place.kind] <= place.layer)
        if len(held):
            patches.append(_held(place, base, row[held], pair[held]))
    return patches


def first_frozen(place: Place, kind: str) -> int:
    """The first layer whose attention (`attn`) or MLP (`mlp`) comes after a node."""
    if place.kind in {"embed", "resid.pre"}:
        return place.layer
    before_mlp = place.kind not in {"mlp", "neurons", "resid.post"}
    return place.layer if kind == "mlp" and before_mlp else place.layer + 1


def _held(place: Place, base: Run, row: Integers, pair: Integers) -> Patch:
    """Every position that was run, of some rows, set to the base run's values."""
    values = base.values[place]
    positions = base.start + np.arange(values.shape[1])

    def tensor(array: Integers) -> Tensor:
        return torch.from_numpy(array).to(values.device)

    return Patch(
        place=place,
        row=tensor(np.repeat(row, len(positions))),
        position=tensor(np.tile(positions, len(row))),
        unit=None,
        value=values[tensor(pair)].flatten(0, 1),
    )
