"""A `SetPatcher` for bare token ids, as the executor would make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import metric_of
from atpdsl.planning.ops import Forward, Side, places_of
from atpdsl.planning.plan import Batch
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.forward import run
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.patch_sets import SetPatcher
from atpdsl.runtime.patching import Scene
from atpdsl.runtime.prompts import prompts, targets
from atpdsl.runtime.spots import spots
from tests.engine import experiment


def patcher(
    model: LoadedModel,
    pairs: Sequence[TokenPair],
    sets: Sequence[NodeSet],
    *,
    base: Side = Side.CLEAN,
    batches: Sequence[Sequence[int]] | None = None,
    rows_per_call: int = 7,
    counted: list[int] | None = None,
    metric: Any = "logit_diff",
) -> SetPatcher:
    """Patches `sets` in `pairs`; every run's number of rows is appended to `counted`."""
    numbers = [tuple(range(len(pairs)))] if batches is None else [tuple(b) for b in batches]
    parts = [Batch(number=i, pairs=b) for i, b in enumerate(numbers)]
    rows: list[int] = [] if counted is None else counted
    scenes = [
        _scene(model, [pairs[i] for i in part.pairs], sets, base, metric, rows_per_call, rows)
        for part in parts
    ]
    where = [
        [spots([pairs[i] for i in p.pairs], s, base, skip_equal_prefix=True) for s in sets]
        for p in parts
    ]
    return SetPatcher(scenes, parts, sets, where)


def _scene(
    model: LoadedModel,
    pairs: Sequence[TokenPair],
    sets: Sequence[NodeSet],
    base: Side,
    metric: Any,
    rows_per_call: int,
    counted: list[int],
) -> Scene:
    asked = metric_of(experiment(metric=metric).metric)
    captures = tuple(sorted({place for nodes in sets for place in places_of(nodes)}))
    here = prompts(pairs, base, "last", 0, "cpu")
    other = Side.CORRUPTED if base is Side.CLEAN else Side.CLEAN
    there = prompts(pairs, other, "last", 0, "cpu")
    known = targets(pairs, "cpu")
    patched = run(model, here, Forward(batch=0, side=base))
    return Scene(
        engine=BridgeEngine(model),
        metric=asked,
        targets=known,
        tokens=None,
        prompts=here,
        base=None,
        base_metric=asked.compute(patched.logits, known),
        donor=run(model, there, Forward(batch=0, side=other, captures=captures)),
        rows_per_call=rows_per_call,
        done=lambda rows, _: counted.append(rows),
    )
