"""What AtP and its corrections find of circuits that are known: the tables of the docs.

Every attention node (q, k, v, z of each head) and every MLP at every position, for each pair of
prompts by itself. A node is true if the program has an effect there, and found if its estimate
is above 0.001 of the model's largest true effect. Tables are printed as Markdown.

    python -m benchmarks.known_circuits [--dtype float64] [--roc FILE.csv]
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from atpdsl.numerics.roc import roc
from atpdsl.runtime.load import DTYPES
from tests.known_circuits.hand_built import HAND_BUILT
from tests.known_circuits.models import (
    COMPILED,
    KnownModel,
    compiled,
    with_idle_layer,
    with_sharpness,
)
from tests.known_circuits.plain import nodes_of, slope
from tests.known_circuits.recovery import Estimates, estimates, with_measured_truth

ESTIMATES = ("atp", "atp+qk_fix", "atp+grad_drop", "atp*")
SHARPNESS = (1.0, 0.5, 0.2, 0.1)


def all_models() -> tuple[KnownModel, ...]:
    """Those made by hand, then the compiled ones."""
    by_hand = tuple(make() for make in HAND_BUILT.values())
    return by_hand + tuple(compiled(name) for name in COMPILED)


def found_table(measured: Sequence[Estimates]) -> Iterable[Sequence[object]]:
    """How many true nodes each method finds, and how many others."""
    yield "model", "nodes", "true", *ESTIMATES
    for one in measured:
        counts = [
            f"{len(found & one.true())} + {len(found - one.true())} false"
            if found - one.true()
            else len(found & one.true())
            for found in map(one.found, ESTIMATES)
        ]
        yield one.model.name, len(scores(one, "ap")[0]), len(one.true()), *counts


def area_table(measured: Sequence[Estimates]) -> Iterable[Sequence[object]]:
    """The area under the ROC curve of each method."""
    yield "model", *ESTIMATES
    for one in measured:
        yield one.model.name, *(f"{one.auroc(method):.3f}" for method in ESTIMATES)


def cause_table(measured: Sequence[Estimates]) -> Iterable[Sequence[object]]:
    """Why AtP misses what it misses, and what becomes of it."""
    yield (
        "model", "missed by atp", "own attention saturated", "paths cancel", "later flat",
        "missed by atp*", "later flat", "lost by GradDrop",
    )  # fmt: skip
    for one in measured:
        missed, left = one.missed("atp"), one.missed("atp*")
        fixed = missed & one.found("atp+qk_fix")
        cancel = missed & one.found("atp+grad_drop") - fixed
        lost = left & one.found("atp+qk_fix")
        yield (
            one.model.name, len(missed), len(fixed), len(cancel),
            count_flat(one, missed - fixed - cancel),
            len(left), count_flat(one, left - lost), len(lost),
        )  # fmt: skip


def count_flat(one: Estimates, missed: set[tuple[int, str]]) -> str:
    """How many nodes there are whose head or MLP can be moved a little without any effect.

    Marked if there are others among them, which would be unexplained.
    """
    nodes = {str(node): node for node in nodes_of(one.model)}
    slopes = [slope(one.model, one.model.pairs[n], nodes[name]) for n, name in missed]
    flat = sum(max(abs(s.derivative), abs(s.one_sided)) < one.least for s in slopes)
    return str(flat) if flat == len(missed) else f"{flat} (and {len(missed) - flat} others)"


def sharpness_table(dtype: torch.dtype) -> Iterable[Sequence[object]]:
    """The induction program with its attention scores scaled down, exact patching as truth."""
    yield "scores times", "idle layers", "true", *ESTIMATES
    for sharpness in SHARPNESS:
        for idle in (0, 1):
            model = compiled("induction")
            for _ in range(idle):
                model = with_idle_layer(model)
            one = estimates(with_measured_truth(with_sharpness(model, sharpness)), dtype=dtype)
            found = [len(one.found(method) & one.true()) for method in ESTIMATES]
            yield sharpness, idle, len(one.true()), *found


def scores(one: Estimates, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes of all nodes of all pairs, and which of them are true."""
    rows = [
        (size, (number, node) in one.true())
        for number, methods in enumerate(one.measured)
        for node, size in methods[method].magnitude.items()
    ]
    return np.array([size for size, _ in rows]), np.array([true for _, true in rows])


def write_curves(measured: Sequence[Estimates], path: Path) -> None:
    """The ROC curves: model, method, rate of false and of true positives."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("model", "method", "false_positive_rate", "true_positive_rate"))
        for one in measured:
            for method in ESTIMATES:
                for point in zip(*roc(*scores(one, method)), strict=True):
                    rows.writerow((one.model.name, method, *point))


def markdown(title: str, rows: Iterable[Sequence[object]]) -> None:
    """Prints a table."""
    head, *body = [[str(cell) for cell in row] for row in rows]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    sys.stdout.write(f"\n{title}\n\n")
    sys.stdout.writelines(f"| {' | '.join(line)} |\n" for line in lines)
    sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.known_circuits", description=__doc__)
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--roc", type=Path, metavar="FILE", help="write the curves as CSV")
    arguments = parser.parse_args()
    dtype = DTYPES[arguments.dtype]
    measured = [estimates(model, dtype=dtype) for model in all_models()]
    markdown("True nodes found", found_table(measured))
    markdown("Area under the ROC curve", area_table(measured))
    markdown("Why nodes are missed", cause_table(measured))
    markdown("Induction, with softer attention", sharpness_table(dtype))
    if arguments.roc is not None:
        write_curves(measured, arguments.roc)
    return 0


if __name__ == "__main__":
    sys.exit(main())
