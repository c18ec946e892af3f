"""Sets of nodes patched together: many sets per run of the model, one set per row.

A row is the base run with every node of a set overwritten by its value in the donor run
(do(eta) of Kramar et al. 2024). A node downstream of another one in the set keeps the donor's
value whatever the other one does to its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.ops import Place
from atpdsl.planning.plan import Batch
from atpdsl.runtime.forward import Patch, Run
from atpdsl.runtime.patching import Scene
from atpdsl.runtime.schemes import Patched, run_scheme
from atpdsl.runtime.sites import unit_axis
from atpdsl.runtime.spots import Spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers

__all__ = ["Patched", "SetPatcher", "run_scheme"]

T = TypeVar("T")


class InOrder(Protocol):
    """Does the jobs of some batches, and gives what they give in their order."""

    def __call__(self, jobs: Sequence[tuple[Batch, Callable[[], T]]], /) -> Iterator[T]:
        """See `runtime.parallel`."""
        ...


def _one_by_one(jobs: Sequence[tuple[Batch, Callable[[], T]]]) -> Iterator[T]:
    return (job() for _, job in jobs)


@dataclass(frozen=True, slots=True)
class _Entries:
    """Activations to overwrite at one place: in which row, where, and from where; [entry]."""

    row: Integers
    position: Integers
    unit: Integers
    pair: Integers
    donor: Integers


class SetPatcher:
    """Patches sets of nodes in pairs of any batch.

    Nodes are numbered over all node sets, one set after the other, pairs over all batches.

    Args:
        scenes: one per batch; see `runtime.patching`.
        batches: which pairs each scene is about.
        sets: the node sets.
        spots: for each batch, the positions of each node set.
        in_order: does what is to be done in several batches.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        batches: Sequence[Batch],
        sets: Sequence[NodeSet],
        spots: Sequence[Sequence[Spots]],
        in_order: InOrder = _one_by_one,
    ) -> None:
        self._scenes, self._sets, self._spots = scenes, sets, spots
        self._batches, self._in_order = batches, in_order
        self._starts = np.cumsum([0, *(len(nodes) for nodes in sets)])
        sizes = [len(batch.pairs) for batch in batches]
        self.n_pairs = sum(sizes)
        pairs = [pair for batch in batches for pair in batch.pairs]
        # Where each pair is when the batches stand one after the other.
        self._stacked = np.argsort(pairs)
        self._batch_of = np.repeat(np.arange(len(sizes)), sizes)[self._stacked]
        self._row_of = np.concatenate([np.arange(size) for size in sizes])[self._stacked]
        tables = [
            [
                (of.live_by_layer(nodes.layers), of.exists)
                for of, nodes in zip(s, sets, strict=True)
            ]
            for s in spots
        ]
        self._live = [self._stack([one[s][0] for one in tables]) for s in range(len(sets))]
        self._exists = [
            self._stack([one[s][1][:, None] for one in tables]) for s in range(len(sets))
        ]

    def exists(self) -> NDArray[np.bool_]:
        """Whether each pair has each node, [pair, node]."""
        return self._by_node(self._exists)

    def candidates(self) -> NDArray[np.bool_]:
        """Whether patching each node can change anything in each pair, [pair, node]."""
        return self._by_node(self._live)

    def effects(self, pairs: Integers, members: Sequence[Integers]) -> Floats:
        """metric(base run with all nodes of a set patched) - metric(base run), [set].

        Args:
            pairs: the pair of each set, [set].
            members: the nodes of each set. Those that are not live in the pair are ignored;
                a set without live nodes has the effect 0 and is not run. Where two nodes are
                the same activation (a position and a name for it), the last one counts.

        Raises:
            FloatingPointError: when an effect is not finite.
        """
        found = np.zeros(len(pairs))
        order = np.argsort(self._batch_of[pairs], kind="stable")
        sizes = np.array([len(members[i]) for i in order], dtype=np.int64)
        number = np.repeat(np.arange(len(order)), sizes)
        nodes = np.concatenate([np.zeros(0, dtype=np.int64), *(members[i] for i in order)])
        live = self._is_live(pairs[order[number]], nodes)
        number, nodes = number[live], nodes[live]
        jobs: list[tuple[Batch, Callable[[], list[tuple[Integers, Floats]]]]] = []
        for batch, rows in self._by_batch(np.unique(number), pairs[order]):
            work = partial(self._rows, batch, pairs[order], number, nodes)
            in_calls = partial(self._scenes[batch].by_number, rows, work)
            jobs.append((self._batches[batch], partial(_listed, in_calls)))
        for done in self._in_order(jobs):
            for run, effects in done:
                found[order[run]] = effects
        return found

    def _by_batch(self, rows: Integers, pairs: Integers) -> Iterator[tuple[int, Integers]]:
        """The rows of each batch."""
        batches = self._batch_of[pairs[rows]]
        for batch in np.unique(batches):
            yield int(batch), rows[batches == batch]

    def _rows(
        self, batch: int, pairs: Integers, number: Integers, nodes: Integers, run: Integers
    ) -> Floats:
        """Effects of some rows of a batch, in one run of the model.

        Args:
            pairs: the pair of each row of all batches.
            number, nodes: which node is patched in which row of all, [entry].
            run: the rows.
        """
        first, last = np.searchsorted(number, [run[0], run[-1] + 1])
        return self._run(
            batch,
            self._row_of[pairs[run]],
            np.searchsorted(run, number[first:last]),
            nodes[first:last],
        )

    # ---- which nodes are where

    def _stack(self, tables: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Tables of all batches, [pair, ...], in the order of the pairs."""
        stacked: NDArray[np.bool_] = np.concatenate(tables)[self._stacked]
        return stacked

    def _by_node(self, tables: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """[pair, layer, label] of each node set (one layer may stand for all), [pair, node]."""
        both = zip(self._sets, tables, strict=True)
        repeated = [np.broadcast_to(t[:, :, None], (len(t), *s.shape)) for s, t in both]
        return np.concatenate([table.reshape(len(table), -1) for table in repeated], axis=1)

    def _is_live(self, pairs: Integers, nodes: Integers) -> NDArray[np.bool_]:
        """Whether each node is live in the pair beside it, [entry]."""
        live = np.zeros(len(nodes), dtype=bool)
        for number, here, flat in self._by_set(nodes):
            layer, _, label = np.unravel_index(flat, self._sets[number].shape)
            live[here] = self._live[number][pairs[here], layer, label]
        return live

    def _by_set(self, nodes: Integers) -> Iterator[tuple[int, Integers, Integers]]:
        """Number of a node set, which of `nodes` are in it, and their flat numbers there."""
        of_set = np.searchsorted(self._starts, nodes, side="right") - 1
        for number in np.unique(of_set):
            here = np.flatnonzero(of_set == number)
            yield int(number), here, nodes[here] - self._starts[number]

    # ---- one run of the model

    def _run(self, batch: int, pairs: Integers, row: Integers, nodes: Integers) -> Floats:
        """Effects of the rows of one run.

        Args:
            pairs: the pair of each row, by its number in the batch.
            row, nodes: which node is patched in which row, [entry].
        """
        scene = self._scenes[batch]
        found: dict[Place, list[_Entries]] = {}
        for place, entries in self._entries(batch, pairs, row, nodes):
            found.setdefault(place, []).append(entries)
        patches = [_patch(p, _joined(found[p]), scene.donor) for p in sorted(found, key=_depth)]
        effects = scene.effects(pairs, patches)
        if not np.isfinite(effects).all():
            raise FloatingPointError("the effect of a set of nodes is not finite")
        return effects

    def _entries(
        self, batch: int, pairs: Integers, row: Integers, nodes: Integers
    ) -> Iterator[tuple[Place, _Entries]]:
        """What each node set overwrites at each place."""
        for number, here, flat in self._by_set(nodes):
            of, spots = self._sets[number], self._spots[batch][number]
            layers, index, label = np.unravel_index(flat, of.shape)
            units = np.asarray(of.indices)[index]
            for layer in np.unique(layers):
                some = np.flatnonzero(layers == layer)
                rows, labels = row[here[some]], label[some]
                entry, cover = np.nonzero(spots.patched[pairs[rows], labels])
                pair, at = pairs[rows[entry]], labels[entry]
                yield (
                    Place(of.kind, of.layers[layer]),
                    _Entries(
                        row=rows[entry],
                        position=spots.base[pair, at, cover],
                        unit=units[some[entry]],
                        pair=pair,
                        donor=spots.donor[pair, at, cover],
                    ),
                )


def _listed(calls: Callable[[], Iterator[T]]) -> list[T]:
    return list(calls())


def _depth(place: Place) -> tuple[int, int]:
    """The order in which places are computed.

    Two kinds may be written at one hook (`attn`, and `resid.mid`, which follows it): the later
    one has to be written last.
    """
    return place.layer, NODE_KINDS[place.kind].stage


def _joined(parts: Sequence[_Entries]) -> _Entries:
    """All entries of a place; of those that overwrite the same activation, the last one."""
    fields = zip(*((p.row, p.position, p.unit, p.pair, p.donor) for p in parts), strict=True)
    table = np.stack([np.concatenate(arrays) for arrays in fields])[:, ::-1]
    where = np.ravel_multi_index(tuple(table[:3]), tuple(table[:3].max(axis=1) + 1))
    _, last = np.unique(where, return_index=True)
    return _Entries(*table[:, last])


def _patch(place: Place, entries: _Entries, donor: Run) -> Patch:
    values = donor.values[place]

    def tensor(array: Integers) -> Tensor:
        return torch.from_numpy(array.copy()).to(values.device)

    unit = None if unit_axis(place) is Unit.VECTOR else tensor(entries.unit)
    source = (tensor(entries.pair), tensor(entries.donor - donor.start))
    return Patch(
        place=place,
        row=tensor(entries.row),
        position=tensor(entries.position),
        unit=unit,
        value=values[source if unit is None else (*source, unit)],
    )
