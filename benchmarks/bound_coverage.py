"""How often the bound of subset sampling holds, and how far above the truth it is.

Every repeat has other prompts. The exact effect of every query, key, value and output of every
head at every position is measured; AtP (with the QK fix) estimates them; the best of the
estimates are verified and left out of the sets; and random sets give a bound on all other
nodes. It holds if it is not below the largest true |mean effect| of these.

Three models of four layers: the embedded `tiny` on four of the tasks that it was trained for,
and two random ones on random tokens. In the first of these weights are as large as where
training starts, in the other so large that attention saturates and effects are far from
adding up: there the bound is expected to fail.

    python -m benchmarks.bound_coverage [--repeats 20] [--samples 1000] [--pairs 1 8]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from rich.console import Console
from transformers import GPT2Config, GPT2LMHeadModel

import atpdsl
from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair, TokenPairs
from atpdsl.checked import Checked
from atpdsl.methods.lower import lower
from atpdsl.models.files import ModelFiles
from atpdsl.models.shape import ModelShape
from atpdsl.numerics.bounds import bound
from atpdsl.passes import optimize
from atpdsl.planning.outcome import Arms, Outcome
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import LoadedModel, bridge_from_hf, load_model
from atpdsl.runtime.selection import flat_numbers
from atpdsl.semantics.diagnosis import Diagnosis, Partition, SubsetSampling
from atpdsl.semantics.experiment import (
    Direction,
    Experiment,
    MethodCall,
    RunSettings,
    VerifyCall,
)

SPECS = Path(__file__).parents[1] / "specs"
TASKS = ("ioi", "agreement", "gender", "greater_than")
KINDS = ("heads.q", "heads.k", "heads.v", "heads.z")
CONFIDENCES = (0.9, 0.99, 0.999)
INCLUSIONS = (0.01, 0.03)
LAYERS, HEADS, WIDTH, VOCABULARY, TOKENS = 4, 4, 64, 101, 12
# Standard deviation of weights: 0.8 / sqrt(width), as TransformerLens initialises, and more.
SCALES = {"random": 0.1, "saturated": 0.25}
TOP = 32


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model, and prompts for it."""

    name: str
    loaded: LoadedModel
    tasks: tuple[Bound, ...]


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One bound, and what it should not be below.

    Attributes:
        upper: for each of `CONFIDENCES`; None where nothing can be said.
        truth: the largest |mean effect| of the nodes that were not verified.
        largest: the largest of all nodes.
        left: how many nodes these are.
    """

    upper: tuple[float | None, ...]
    truth: float
    largest: float
    r2: float | None
    left: int


def tiny() -> Model:
    """The embedded model on tasks that it does."""
    checked = [atpdsl.check(SPECS / f"{task}.atp").only() for task in TASKS]
    bounds = [_bound(point) for point in checked]
    files = checked[0].files
    if files is None:
        raise ValueError("no files of the embedded model")
    loaded = load_model(files, bounds[0].shape, dtype="float32", device="cpu")
    return Model(name="tiny", loaded=loaded, tasks=tuple(bounds))


def _bound(point: Checked) -> Bound:
    if point.bound is None:
        raise ValueError(f"`{point.source.name}` has errors")
    return point.bound


def random_model(name: str, like: Bound) -> Model:
    """A random GPT-2 on random tokens.

    Args:
        name: one of `SCALES`.
        like: an experiment with the metric `logit_diff`.
    """
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=TOKENS,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=SCALES[name],
    )
    shape = ModelShape(
        architecture="GPT2LMHeadModel",
        family="gpt2",
        n_layers=LAYERS,
        n_heads=HEADS,
        n_kv_heads=HEADS,
        d_model=WIDTH,
        d_head=WIDTH // HEADS,
        d_mlp=4 * WIDTH,
        d_vocab=VOCABULARY,
        n_context=TOKENS,
    )
    loaded = LoadedModel(
        bridge=bridge_from_hf(GPT2LMHeadModel(config)),
        shape=shape,
        files=ModelFiles(name=name, directory=None, kind=None),  # type: ignore[arg-type]
        device="cpu",
        dtype="float32",
        n_parameters=0,
    )
    lot = np.random.default_rng(1)
    pairs = tuple(_random_pair(like.pairs.pairs[0], lot) for _ in range(64))
    prompts = TokenPairs(pairs=pairs, pad_id=0, bos_id=None)
    return Model(name=name, loaded=loaded, tasks=(replace(like, shape=shape, pairs=prompts),))


def _random_pair(like: TokenPair, lot: np.random.Generator) -> TokenPair:
    """Random tokens, of which two of the first half are others in the corrupted prompt."""
    clean = lot.integers(1, VOCABULARY, size=TOKENS)
    corrupted = clean.copy()
    changed = lot.choice(np.arange(1, TOKENS // 2), size=2, replace=False)
    corrupted[changed] = lot.integers(1, VOCABULARY, size=2)
    right, wrong = lot.choice(np.arange(1, VOCABULARY), size=2, replace=False)
    return replace(
        like,
        clean=tuple(clean.tolist()),
        corrupted=tuple(corrupted.tolist()),
        answers=(int(right),),
        foils=(int(wrong),),
        positions={"last": (TOKENS - 1, TOKENS - 1)},
        partner=tuple(range(TOKENS)),
    )


def all_attention(shape: ModelShape, pairs: TokenPairs) -> tuple[NodeSet, ...]:
    """Every head's query, key, value and output at every position."""
    return tuple(
        NodeSet(
            kind=kind,
            layers=tuple(range(shape.n_layers)),
            indices=tuple(range(shape.n_heads)),
            positions=tuple(map(str, range(pairs.longest))),
        )
        for kind in KINDS
    )


def repeats(model: Model, n_pairs: int, options: argparse.Namespace) -> Iterator[list[Repeat]]:
    """For every repeat, one result per cell of `cells`."""
    for number in range(options.repeats):
        task = model.tasks[number % len(model.tasks)]
        lot = np.random.default_rng(number)
        drawn = lot.choice(len(task.pairs), size=n_pairs, replace=False)
        pairs = replace(task.pairs, pairs=tuple(task.pairs.pairs[i] for i in drawn))
        here = replace(task, pairs=pairs, nodes=all_attention(task.shape, pairs))
        exact = run(model, with_method(here, "ap", seed=number))
        effects = np.concatenate([np.ravel(s.mean) for s in exact.methods[0].statistics])
        yield [
            _repeat(run(model, _sampled(here, cell, number, options)), effects)
            for cell in cells()
        ]


def cells() -> Iterator[tuple[Partition, float]]:
    """How sets are drawn, and the share of the nodes in each."""
    for inclusion in INCLUSIONS:
        for partition in (Partition.BALANCED, Partition.INDEPENDENT):
            yield partition, inclusion


def with_method(task: Bound, method: str, *, seed: int, **more: object) -> Bound:
    """The task with one method and nothing else; `more` are fields of the experiment."""
    span = task.experiment.methods[0].span
    settings = {"qk_fix": True, "grad_drop": "off"} if method == "atp" else {}
    call = MethodCall(
        label=method,
        method=method,
        direction=Direction.NOISING,
        settings=MappingProxyType(settings),
        span=span,
    )
    plain: Experiment = replace(
        task.experiment,
        methods=(call,),
        verify=None,
        exports=(),
        run=RunSettings(seed=seed, per_pair=True, device="cpu"),
    )
    return replace(task, experiment=replace(plain, **more))


def _sampled(
    task: Bound, cell: tuple[Partition, float], seed: int, options: argparse.Namespace
) -> Bound:
    partition, inclusion = cell
    span = task.experiment.methods[0].span
    sampling = SubsetSampling(
        samples=options.samples, inclusion=inclusion, partition=partition, span=span
    )
    return with_method(
        task,
        "atp",
        seed=seed,
        verify=VerifyCall(top=TOP, random=0, methods=("atp",), span=span),
        diagnosis=Diagnosis(subset_sampling=sampling),
    )


def run(model: Model, task: Bound) -> Outcome:
    """The whole pipeline below the language."""
    return BridgeExecutor().execute(optimize(lower(task)), model.loaded, Silent())


def _repeat(outcome: Outcome, effects: np.ndarray) -> Repeat:
    arms: Arms = outcome.bounds[0].arms
    unmeasured = arms.candidates.copy()
    verified = flat_numbers(outcome.methods[0].sets, outcome.verified[0].nodes)
    if unmeasured[verified].any():
        raise ValueError("a verified node was in a set")
    return Repeat(
        upper=tuple(bound(arms, unmeasured, level)[0] for level in CONFIDENCES),
        truth=float(np.abs(effects[unmeasured]).max()),
        largest=float(np.nanmax(np.abs(effects))),
        r2=arms.r2,
        left=int(unmeasured.sum()),
    )


def row(found: list[Repeat]) -> list[str]:
    """Coverage and tightness of one cell, over the repeats in which something can be said."""
    known = [r for r in found if None not in r.upper]
    texts = [f"{np.median([r.left for r in found]):.0f}", f"{len(known)}/{len(found)}"]
    for level in range(len(CONFIDENCES)):
        ratios = [(r.upper[level] or 0.0) / r.truth for r in known]
        held = sum(ratio >= 1 for ratio in ratios)
        middle = f"{np.median(ratios):.2f}" if ratios else "-"
        texts.append(f"{held}/{len(known)}, {middle}")
    r2 = [r.r2 for r in found if r.r2 is not None]
    missed = [r.truth / r.largest for r in found]
    return [*texts, f"{np.median(r2):.2f}", f"{np.median(missed):.2f}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    torch.set_num_threads(1)
    first = tiny()
    levels = [f"{100 * level:g} %" for level in CONFIDENCES]
    table = [
        ["model", "pairs", "partition", "share", "nodes", "known", *levels, "R²", "missed"]
    ]
    table.append(["---"] * len(table[0]))
    for model in (first, *(random_model(name, first.tasks[0]) for name in SCALES)):
        for n_pairs in options.pairs:
            found = list(repeats(model, n_pairs, options))
            for i, (partition, inclusion) in enumerate(cells()):
                cell = [str(n_pairs), str(partition), f"{100 * inclusion:g} %"]
                table.append([model.name, *cell, *row([repeat[i] for repeat in found])])
    console = Console(width=200, highlight=False, markup=False)
    for texts in table:
        console.print(f"| {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
