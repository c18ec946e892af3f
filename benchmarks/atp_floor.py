"""AtP and exact patching against the floor and against TransformerLens, side by side.

The floor of attribution patching is two forward passes and one backward pass with respect to
activations (parameters frozen) of the plain Hugging Face model. Everything runs on random
weights in the shape of GPT-2 small (vocabulary cut to 8,192), so nothing is downloaded.
Each round runs every contestant once, in turn; the table gives medians of process CPU time
and their ratios, taken round by round.

    python -m benchmarks.atp_floor [--layers 12] [--pairs 8] [--tokens 16] [--rounds 5]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable, Sequence
from types import MappingProxyType

import torch
from rich.console import Console
from rich.table import Table
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.methods.lower import lower
from atpdsl.models.files import ModelFiles
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.plan import Plan
from atpdsl.problems import Source, Span
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import LoadedModel, bridge_from_hf
from atpdsl.semantics.experiment import (
    Align,
    Direction,
    Experiment,
    MethodCall,
    MetricCall,
    ModelRef,
    Prompts,
    RunSettings,
)

NOWHERE = Span(0, 0)
WIDTH, HEADS, VOCABULARY = 768, 12, 8192
ANSWER, FOIL = 5, 6


def make_model(layers: int) -> PreTrainedModel:
    """A GPT-2 with random weights, frozen, in evaluation mode."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=WIDTH,
        n_layer=layers,
        n_head=HEADS,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )
    return GPT2LMHeadModel(config).eval().requires_grad_(False)


def make_pairs(pairs: int, tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts that differ in a quarter of their tokens, spread over the prompt."""
    generator = torch.Generator().manual_seed(1)
    clean = torch.randint(10, VOCABULARY, (pairs, tokens), generator=generator)
    corrupted = clean.clone()
    corrupted[:, ::4] = torch.randint(10, VOCABULARY, corrupted[:, ::4].shape)
    return clean, corrupted


def token_pair(clean: Sequence[int], corrupted: Sequence[int]) -> TokenPair:
    """A pair without text."""
    text = TextPair(
        clean="",
        corrupted="",
        answers=(),
        foils=(),
        marks={},
        align="strict",
        origin=NOWHERE,
        row=0,
    )
    return TokenPair(
        text=text,
        clean=tuple(clean),
        corrupted=tuple(corrupted),
        answers=(ANSWER,),
        foils=(FOIL,),
        positions={"last": (len(clean) - 1, len(corrupted) - 1)},
        partner=tuple(range(len(clean))),
    )


def make_plan(
    clean: torch.Tensor, corrupted: torch.Tensor, shape: ModelShape, kinds: str, call: str
) -> Plan:
    """A plan for one method on all nodes of some kinds, at every position.

    Args:
        call: a method's name, and for AtP its corrections: `atp qk_fix every_layer`.
    """
    method, *corrections = call.split()
    drop = [one for one in corrections if one != "qk_fix"]
    settings = {
        "qk_fix": "qk_fix" in corrections,
        "grad_drop": drop[0] if drop else "off",
    }
    experiment = Experiment(
        name="benchmark",
        source=Source("benchmark", ""),
        doc="",
        model=ModelRef(name="random", span=NOWHERE),
        prompts=Prompts(
            name="", parts=(), positions=(), align=Align.STRICT, bos=False, span=NOWHERE
        ),
        metric=MetricCall(name="logit_diff", position="last", span=NOWHERE),
        nodes=(),
        methods=(
            MethodCall(
                label=method,
                method=method,
                direction=Direction.NOISING,
                settings=MappingProxyType(settings if method == "atp" else {}),
                span=NOWHERE,
            ),
        ),
        verify=None,
        run=RunSettings(),
        exports=(),
    )
    rows = zip(clean.tolist(), corrupted.tolist(), strict=True)
    pairs = TokenPairs(pairs=tuple(token_pair(*row) for row in rows), pad_id=0, bos_id=None)
    units = {"mlp": 1, "neurons": shape.d_mlp}
    nodes = tuple(
        NodeSet(
            kind=kind,
            layers=tuple(range(shape.n_layers)),
            indices=tuple(range(units.get(kind, shape.n_heads))),
            positions=tuple(map(str, range(clean.shape[1]))),
        )
        for kind in kinds.split()
    )
    bound = Bound(experiment=experiment, shape=shape, pairs=pairs, nodes=nodes)
    return optimize(lower(bound))


def floor(model: PreTrainedModel, clean: torch.Tensor, corrupted: torch.Tensor) -> None:
    """Two forwards and one activation-only backward of the plain model."""
    with torch.no_grad():
        model(corrupted, use_cache=False, logits_to_keep=1)
    embedded = model.transformer.wte(clean).detach().requires_grad_(True)
    logits = model(inputs_embeds=embedded, use_cache=False, logits_to_keep=1).logits[:, -1]
    (logits[:, ANSWER] - logits[:, FOIL]).sum().backward()


def transformer_lens_patching(
    bridge: object, clean: torch.Tensor, corrupted: torch.Tensor
) -> None:
    """TransformerLens' own loop: heads' z and MLP outputs, one patched forward per node."""
    from transformer_lens import patching

    with torch.no_grad():
        _, cache = bridge.run_with_cache(corrupted)  # type: ignore[attr-defined]

        def metric(logits: torch.Tensor) -> torch.Tensor:
            return (logits[:, -1, ANSWER] - logits[:, -1, FOIL]).mean()

        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
            patching.get_act_patch_attn_head_out_by_pos(bridge, clean, cache, metric)
            patching.get_act_patch_mlp_out(bridge, clean, cache, metric)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Process CPU time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(
    contestants: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """CPU seconds per contestant and round, after one round that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + 1):
        for name, work in contestants.items():
            seconds = cpu_seconds(work)
            if round_number:
                times[name].append(seconds)
    return times


def report(times: dict[str, list[float]], reference: str, title: str) -> Table:
    """Medians, and ratios to the reference of the same round."""
    table = Table(title=title, title_justify="left")
    for column, justify in (("work", "left"), ("CPU s", "right"), (f"x {reference}", "right")):
        table.add_column(column, justify=justify)
    for name, seconds in times.items():
        ratios = [a / b for a, b in zip(seconds, times[reference], strict=True)]
        table.add_row(
            name, f"{statistics.median(seconds):.3f}", f"{statistics.median(ratios):.2f}"
        )
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, default in (("layers", 12), ("pairs", 8), ("tokens", 16), ("rounds", 5)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--sweep", action="store_true", help="exact patching too (slow)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    plain = make_model(options.layers)
    bridge = bridge_from_hf(make_model(options.layers))
    shape = ModelShape(
        architecture="GPT2LMHeadModel",
        family="gpt2",
        n_layers=options.layers,
        n_heads=HEADS,
        n_kv_heads=HEADS,
        d_model=WIDTH,
        d_head=WIDTH // HEADS,
        d_mlp=4 * WIDTH,
        d_vocab=VOCABULARY,
        n_context=1024,
    )
    model = LoadedModel(
        bridge=bridge,
        shape=shape,
        files=ModelFiles(name="random", directory=None, kind=None),  # type: ignore[arg-type]
        device="cpu",
        dtype="float32",
        n_parameters=0,
    )
    clean, corrupted = make_pairs(options.pairs, options.tokens)

    def ours(kinds: str, method: str) -> Callable[[], object]:
        plan = make_plan(clean, corrupted, shape, kinds, method)
        return lambda: BridgeExecutor().execute(plan, model, Silent())

    heads = "heads.q heads.k heads.v heads.z mlp"
    size = f"{options.layers} layers, {options.pairs} pairs x {options.tokens} tokens"
    console = Console()
    contestants = {
        "floor": lambda: floor(plain, clean, corrupted),
        "atp, heads q/k/v/z + MLPs": ours(heads, "atp"),
        "atp, the same and all neurons": ours(f"{heads} neurons", "atp"),
        "QK fix, heads + MLPs": ours(heads, "atp qk_fix"),
        "AtP* (QK fix and GradDrop), heads + MLPs": ours(heads, "atp qk_fix every_layer"),
        "QK fix and first readers, heads + MLPs": ours(heads, "atp qk_fix first_reader"),
    }
    console.print(report(measure(contestants, options.rounds), "floor", f"AtP: {size}"))
    if options.sweep:
        sweeps = {
            "atpdsl": ours("heads.z mlp", "ap"),
            "TransformerLens": lambda: transformer_lens_patching(bridge, clean, corrupted),
        }
        title = f"Exact patching of every head z and MLP, every position: {size}"
        console.print(report(measure(sweeps, 1), "atpdsl", title))


if __name__ == "__main__":
    main()
