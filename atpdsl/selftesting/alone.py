"""One pair of the test, run by itself: a row for each thing that is tried, and no padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from atpdsl.metrics import metric_of
from atpdsl.nodes.attention import attention_hooks
from atpdsl.planning.ops import Forward, Place, Side
from atpdsl.runtime.forward import Patch, run, run_patched
from atpdsl.runtime.load import hooked
from atpdsl.runtime.prompts import Prompts, prompts, rows_of, targets
from atpdsl.selftesting.subject import Subject

EMBEDDING = Place("embed", 0)
# Rows of one call of the model, in tokens.
TOKENS_PER_CALL = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one row does at one place: it sets positions of a unit to values.

    Attributes:
        unit: head or neuron; None for kinds of one vector, or for all units.
        positions: token positions, each once.
        values: [position, ...], as the place has them.
    """

    place: Place
    unit: int | None
    positions: tuple[int, ...]
    values: Tensor


class Alone:
    """The runs of one pair.

    Args:
        places: where activations of both runs are kept.
    """

    def __init__(self, subject: Subject, number: int, places: Iterable[Place]) -> None:
        pair, bound = subject.pairs[number], subject.bound
        self._subject = subject
        self.base = self._prompts(subject.side, number)
        self.donor = self._prompts(subject.donor_side, number)
        captures = tuple(sorted({*places, EMBEDDING}))
        forward = Forward(batch=0, side=subject.side, captures=captures)
        self.base_run = run(subject.model, self.base, forward)
        self.donor_run = run(
            subject.model, self.donor, replace(forward, side=subject.donor_side)
        )
        self._metric = metric_of(bound.experiment.metric)
        clean = self.base_run if subject.side is Side.CLEAN else self.donor_run
        self._targets = replace(targets((pair,), subject.model.device), reference=clean.logits)
        self.base_metric = float(self._measure(self.base_run.logits))
        self.donor_metric = float(self._measure(self.donor_run.logits))

    def _prompts(self, side: Side, number: int) -> Prompts:
        subject = self._subject
        return prompts(
            (subject.pairs[number],),
            side,
            subject.bound.experiment.metric.position,
            subject.bound.pairs.pad_id,
            subject.model.device,
        )

    @property
    def length(self) -> int:
        """Tokens of the base prompt."""
        return self.base.tokens.shape[1]

    def metrics(self, rows: Sequence[Sequence[Change]]) -> list[float]:
        """The metric of each row, with its changes made in the base run."""
        each = max(1, TOKENS_PER_CALL // self.length)
        found: list[float] = []
        for start in range(0, len(rows), each):
            logits = self._logits(rows[start : start + each])
            found += self._measure(logits).tolist()
        return found

    def logits_again(self) -> Tensor:
        """The logits of the base run, run once more, [1, vocab]."""
        return self._logits([[]])

    def output_with(self, change: Change, layer: int) -> Tensor:
        """The output z of a layer's attention, [pos, head, d_head], after a change."""
        seen: list[Tensor] = []
        with hooked(
            self._subject.model.bridge,
            [(attention_hooks(layer).output, lambda tensor, _: seen.append(tensor))],
        ):
            self._logits([[change]])
        return seen[0][0]

    def _logits(self, rows: Sequence[Sequence[Change]]) -> Tensor:
        base = Prompts(
            tokens=self.base.tokens.expand(len(rows), -1),
            reads=self.base.reads.expand(len(rows)),
        )
        return run_patched(self._subject.model, base, _patches(rows))

    def _measure(self, logits: Tensor) -> Tensor:
        rows = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
        values = self._metric.compute(logits, rows_of(self._targets, rows))
        return values.detach().double().cpu()


def _patches(rows: Sequence[Sequence[Change]]) -> list[Patch]:
    """One patch per place, unit or not, and turn; later changes of a row are made later."""
    gathered: dict[tuple[int, Place, bool], list[tuple[int, Change]]] = {}
    for row, changes in enumerate(rows):
        for turn, change in enumerate(changes):
            key = (turn, change.place, change.unit is None)
            gathered.setdefault(key, []).append((row, change))
    return [_patch(key[1], gathered[key]) for key in sorted(gathered, key=lambda k: k[0])]


def _patch(place: Place, changes: Sequence[tuple[int, Change]]) -> Patch:
    device = changes[0][1].values.device
    row: list[int] = []
    position: list[int] = []
    unit: list[int] = []
    for number, change in changes:
        row += [number] * len(change.positions)
        position += change.positions
        unit += [change.unit or 0] * len(change.positions)
    units = None if changes[0][1].unit is None else torch.tensor(unit, device=device)
    return Patch(
        place=place,
        row=torch.tensor(row, device=device),
        position=torch.tensor(position, device=device),
        unit=units,
        value=torch.cat([change.values for _, change in changes]),
    )
