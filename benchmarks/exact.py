"""Exact patching of all heads' z and all MLPs against TransformerLens and a plain loop.

Every node at every position is set to its corrupted value, one at a time, all pairs at once.
TransformerLens does it with `transformer_lens.patching`, the plain loop with one forward of
`benchmarks.plain` per node. All must give the same numbers: that is checked first, in float32
on the prompts that are timed and in float64 on a smaller model.

    python -m benchmarks.exact [--sizes small] [--pairs 8] [--tokens 16] [--rounds 3] [--short]
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atpdsl.planning.outcome import Outcome
from benchmarks.apart import contest_apart
from benchmarks.experiments import EXACT, QUESTIONS, present, work
from benchmarks.floor import floor, metric
from benchmarks.measuring import Measured, Work, contest
from benchmarks.models import hugging_face, loaded
from benchmarks.options import Defaults, Options, read
from benchmarks.plain import Patch, Plain, Sites, plain_model
from benchmarks.prompts import ANSWER, FOIL, Pairs, random_pairs
from benchmarks.tables import Report

Effects = dict[str, NDArray[np.float64]]
"""`z` -> [layer, head, pos] and `mlp` -> [layer, pos]: mean effects over pairs."""

FLOOR, LOOP, LENS = "floor", "plain torch loop", "TransformerLens patching"
SINGLE, DOUBLE = 1e-5, 1e-12
"""The largest difference between effects that counts as none, in float32 and float64."""


def ours(outcome: Outcome) -> Effects:
    """The effects that an executor found."""
    heads, mlps = (one.mean for one in outcome.methods[0].statistics)
    return {"z": heads, "mlp": mlps[:, 0]}


def plain_loop(model: Plain, pairs: Pairs) -> Effects:
    """One plain forward per node."""
    sizes, length = model.sizes, pairs.length
    with torch.inference_mode():
        donor: Sites = {}
        model.logits(model.embed(pairs.corrupted), sites=donor)
        stream = model.embed(pairs.clean)
        base = metric(model.logits(stream)).double().mean()

        def effect(kind: str, layer: int, position: int, head: int = 0) -> float:
            value = donor[f"{kind}.{layer}"][:, position]
            if kind == "z":
                value = value[:, head * sizes.head : (head + 1) * sizes.head]
            patch = Patch(kind, layer, head, position, value)
            changed = metric(model.logits(stream, patch=patch)).double().mean()
            return float(changed - base)

        places, layers = range(length), range(sizes.layers)
        heads = [
            [[effect("z", n, p, head) for p in places] for head in range(sizes.heads)]
            for n in layers
        ]
        mlps = [[effect("mlp", n, p) for p in places] for n in layers]
    return {"z": np.array(heads), "mlp": np.array(mlps)}


def lens_patching(bridge: Any, pairs: Pairs) -> Effects:
    """TransformerLens' own loops: one hooked forward per node, from layer 0, all logits."""
    from transformer_lens import patching

    def mean(logits: torch.Tensor) -> torch.Tensor:
        return (logits[:, -1, ANSWER] - logits[:, -1, FOIL]).mean()

    # Its progress bars.
    with torch.no_grad(), contextlib.redirect_stderr(io.StringIO()):
        _, cache = bridge.run_with_cache(pairs.corrupted)
        base = mean(bridge(pairs.clean))
        heads = patching.get_act_patch_attn_head_out_by_pos(bridge, pairs.clean, cache, mean)
        mlps = patching.get_act_patch_mlp_out(bridge, pairs.clean, cache, mean)
    return {
        "z": (heads - base).double().cpu().numpy().transpose(0, 2, 1),
        "mlp": (mlps - base).double().cpu().numpy(),
    }


def check(name: str, found: Mapping[str, Callable[[], Effects]], allowed: float) -> str:
    """Runs everybody once; a sentence, or an error where they do not agree.

    Raises:
        ValueError: when somebody's effects are not those of the first.
    """
    effects = {who: run() for who, run in found.items()}
    reference, *others = effects
    right = effects[reference]
    largest = max(float(np.abs(of_kind).max()) for of_kind in right.values())
    worst = {
        who: max(float(np.abs(effects[who][kind] - right[kind]).max()) for kind in right)
        for who in others
    }
    said = ", ".join(f"{who} {error:.1e}" for who, error in worst.items())
    if any(not error <= allowed for error in worst.values()):
        raise ValueError(f"{name}: not the effects of the {reference}: {said}")
    whose = f"{name}: largest difference from the {reference}"
    return f"{whose}: {said} (largest effect {largest:.2g})"


def contestants(
    options: Options, pairs: Pairs, dtype: torch.dtype = torch.float32
) -> dict[str, Callable[[], Effects]]:
    """Who does the same work: plain loop, TransformerLens, executors."""
    sizes = options.sizes
    plain = plain_model(hugging_face(sizes, attention="sdpa", dtype=dtype), sizes)
    model = loaded(sizes, dtype=dtype)
    found: dict[str, Callable[[], Effects]] = {
        LOOP: lambda: plain_loop(plain, pairs),
        LENS: lambda: lens_patching(model.bridge, pairs),
    }

    def run(patch: Callable[[], Outcome]) -> Effects:
        return ours(patch())

    for name in present(options.executors):
        found[name] = partial(run, work(QUESTIONS[EXACT], pairs, model, name))
    return found


def measure(report: Report, options: Options, title: str, pairs: Pairs) -> None:
    """Checks, and adds a line for each contestant."""
    found = contestants(options, pairs)
    # Running everybody for the check is the round that does not count.
    report.note(check(f"float32, {title}", found, SINGLE))
    plain = plain_model(hugging_face(options.sizes, attention="sdpa"), options.sizes)
    times = contest({FLOOR: lambda: floor(plain, pairs), **found}, options.rounds, warm=0)
    tell(report, title, times)
    if options.apart:
        names = (FLOOR, LOOP, LENS, *present(options.executors))
        make = partial(contestant, options, pairs)
        tell(report, f"{title}, apart", contest_apart(make, names, options.rounds))


def tell(report: Report, title: str, times: Mapping[str, Measured]) -> None:
    """A line for each contestant against the floor, and of ours against the others."""
    for name in times:
        report.line(title, name, times[name], (FLOOR, times[FLOOR]))
        for other in (LOOP, LENS):
            if name not in {FLOOR, LOOP, LENS}:
                report.faster(title, name, times[name], (other, times[other]))


def contestant(options: Options, pairs: Pairs, name: str) -> Work:
    """What a contestant does in a process of its own."""
    if name == FLOOR:
        plain = plain_model(hugging_face(options.sizes, attention="sdpa"), options.sizes)
        return lambda: floor(plain, pairs)
    return contestants(options, pairs)[name]


def double_check(options: Options) -> str:
    """The same effects in float64, on three layers and short prompts."""
    smaller = replace(options, sizes=replace(options.sizes, layers=3))
    pairs = random_pairs(2, 6, smaller.sizes.vocabulary)
    found = contestants(smaller, pairs, torch.float64)
    return check("float64", {k: v for k, v in found.items() if k != LENS}, DOUBLE)


def main() -> None:
    """Measure and print."""
    usual = Defaults(sizes="small", pairs=8, tokens=16)
    options = read(__doc__, rounds=3, short=1, defaults=usual)
    if options.short:
        layers = min(3, options.sizes.layers)
        options = replace(
            options, sizes=replace(options.sizes, layers=layers), pairs=4, tokens=12
        )
    report = Report("exact", "Exact patching, all heads z + MLPs, every position", options)
    report.note(double_check(options))
    measure(report, options, "random prompts", options.random_pairs())
    measure(report, options, "half of the prompt shared", options.random_pairs(shared=0.5))
    report.finish()


if __name__ == "__main__":
    main()
