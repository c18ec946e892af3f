"""Exact patching: many nodes per run of the model, one node per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.metrics import Metric, Targets
from atpdsl.nodes import Unit
from atpdsl.planning.ops import Place
from atpdsl.runtime.forward import Patch, Run, run_patched
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.prompts import Prompts, rows_of
from atpdsl.runtime.sites import unit_axis
from atpdsl.runtime.spots import Spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a patched run needs to know of its batch.

    Attributes:
        base: the prompts of the run that is patched.
        base_metric: its metric, [pair].
        donor: the run that values come from.
        done: called with the number of rows after each run of the model.
        frozen: the base run, where everything after a patched node is held at its values in
            it: then the direct effect remains.
    """

    model: LoadedModel
    metric: Metric
    targets: Targets
    base: Prompts
    base_metric: Tensor
    donor: Run
    rows_per_call: int
    done: Callable[[int], None]
    frozen: Run | None = None


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
    n_pairs = len(spots.exists)
    effects = np.zeros((n_pairs, *nodes.shape))
    pair, label = np.nonzero(spots.live)
    total = len(nodes.layers) * len(nodes.indices) * len(pair)
    for start in range(0, total, scene.rows_per_call):
        number = np.arange(start, min(start + scene.rows_per_call, total))
        rest, spot = np.divmod(number, len(pair))
        layer, index = np.divmod(rest, len(nodes.indices))
        groups = [
            Rows(
                place=Place(nodes.kind, nodes.layers[one]),
                spots=spots,
                start=int(np.argmax(layer == one)),
                unit=np.asarray(nodes.indices)[index[layer == one]],
                pair=pair[spot[layer == one]],
                label=label[spot[layer == one]],
            )
            for one in np.unique(layer)
        ]
        effects[pair[spot], layer, index, label[spot]] = _effects(scene, groups)
    return effects


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
    for start in range(0, len(rows), scene.rows_per_call):
        part = rows[start : start + scene.rows_per_call]
        part = part[np.lexsort((part[:, 1], part[:, 0]))]
        pair, node = part[:, 4], part[:, 5]
        effects[pair, node] = _effects(scene, list(_grouped(part, sets, spots)))
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
        live = np.flatnonzero(spots[number].live[:, label])
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
    device = scene.base.tokens.device
    pair = torch.from_numpy(np.concatenate([rows.pair for rows in groups])).to(device)
    prompts = Prompts(tokens=scene.base.tokens[pair], reads=scene.base.reads[pair])
    patches = [_patch(rows, scene.donor) for rows in groups]
    if scene.frozen is not None:
        patches += freeze(groups, scene.frozen)
    logits = run_patched(scene.model, prompts, patches)
    patched = scene.metric.compute(logits, rows_of(scene.targets, pair))
    scene.done(len(pair))
    difference: Floats = (patched.double() - scene.base_metric.double()[pair]).cpu().numpy()
    return difference


def _patch(rows: Rows, donor: Run) -> Patch:
    """The entries that a group of rows overwrites: one per position that a node covers."""
    covers = rows.spots.covers[rows.pair, rows.label]
    row, cover = np.nonzero(covers)
    values = donor.values[rows.place]

    def tensor(array: Integers) -> Tensor:
        return torch.from_numpy(array).to(values.device)

    pair, label = rows.pair[row], rows.label[row]
    source = (tensor(pair), tensor(rows.spots.donor[pair, label, cover]))
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
    for place, values in base.values.items():
        if place.kind not in first:
            continue
        held = np.flatnonzero(first[place.kind] <= place.layer)
        if len(held):
            patches.append(_held(place, values, row[held], pair[held]))
    return patches


def first_frozen(place: Place, kind: str) -> int:
    """The first layer whose attention (`attn`) or MLP (`mlp`) comes after a node."""
    if place.kind in {"embed", "resid.pre"}:
        return place.layer
    before_mlp = place.kind not in {"mlp", "neurons", "resid.post"}
    return place.layer if kind == "mlp" and before_mlp else place.layer + 1


def _held(place: Place, values: Tensor, row: Integers, pair: Integers) -> Patch:
    """Every position of some rows set to the base run's values."""
    positions = values.shape[1]

    def tensor(array: Integers) -> Tensor:
        return torch.from_numpy(array).to(values.device)

    return Patch(
        place=place,
        row=tensor(np.repeat(row, positions)),
        position=tensor(np.tile(np.arange(positions), len(row))),
        unit=None,
        value=values[tensor(pair)].flatten(0, 1),
    )
