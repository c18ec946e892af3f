"""Compiles the programs and writes their weights, their circuits and the effects of all nodes.

    python -m training.tracr.export [--out tests/known_circuits/models] [NAME ...]

Needs tracr beside this package: `pip install tracr-pypi`. Nothing else in the repository does;
what this writes is read without it. The same programs give the same files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from safetensors.torch import save_file
from tracr.compiler import compiling
from tracr.rasp import rasp
from transformer_lens.utilities.tracr import (
    make_tracr_transformer_bridge_config,
    make_tracr_transformer_bridge_state_dict,
)

from training.tracr.interventions import Exchange, Slot, Value, Values, run
from training.tracr.layout import Layout, expressions, layout
from training.tracr.programs import PAD, Program, Token, programs

PAIRS = 8
SEED = 0
MODELS = Path(__file__).parents[2] / "tests" / "known_circuits" / "models"
CONFIG = (
    "n_layers", "n_heads", "d_model", "d_head", "d_mlp", "n_ctx", "d_vocab", "d_vocab_out",
    "act_fn", "attention_dir", "normalization_type",
)  # fmt: skip


def export(program: Program, out: Path) -> None:
    """Writes `NAME.safetensors` and `NAME.json`."""
    model = compiling.compile_rasp_to_model(
        program.sop,
        vocab=set(program.vocabulary),
        max_seq_len=program.length,
        causal=program.causal,
    )
    config = make_tracr_transformer_bridge_config(model)
    weights = make_tracr_transformer_bridge_state_dict(model, program.sop.label)
    save_file(
        {k: v.contiguous() for k, v in weights.items()}, out / f"{program.name}.safetensors"
    )
    ids = {str(token): number for token, number in model.input_encoder.encoding_map.items()}
    outputs = model.output_encoder.encoding_map
    parts = layout(program)
    written = {
        "name": program.name,
        "about": program.about,
        "config": {name: getattr(config, name) for name in CONFIG},
        "tokens": sorted(ids, key=ids.__getitem__),
        "outputs": [str(value) for value in sorted(outputs, key=outputs.__getitem__)],
        "residual": list(model.residual_labels),
        "circuit": list(_circuit(program, parts)),
        "pairs": list(_pairs(program, parts, ids, outputs)),
    }
    (out / f"{program.name}.json").write_text(_layed_out(written) + "\n")


def _circuit(program: Program, parts: Layout) -> Iterator[dict[str, str]]:
    """What each used head and MLP computes, from which expressions."""
    known = expressions(program)
    for head in parts.heads:
        expression = known[head.expression]
        yield {
            "part": f"heads.L{head.layer}.H{head.head}",
            "computes": head.expression,
            "query": expression.selector.queries.label,
            "key": expression.selector.keys.label,
            "value": expression.sop.label if isinstance(expression, rasp.Aggregate) else "one",
        }
    for mlp in parts.mlps:
        yield {"part": f"mlp.L{mlp.layer}", "computes": ", ".join(mlp.expressions)}


def _pairs(
    program: Program, parts: Layout, ids: dict[str, int], outputs: dict[Any, int]
) -> Iterator[dict[str, Any]]:
    """Random pairs of prompts whose outputs differ where the metric reads.

    After the first `PAIRS` only those are taken in which a part has an effect that had none
    before, until all have.
    """
    random = Random(SEED)
    idle = {part["part"] for part in _circuit(program, parts)}
    taken = 0
    while taken < PAIRS or idle:
        pair = _pair(program, parts, ids, outputs, random)
        used = {_part(node) for node in pair["effects"]}
        if taken < PAIRS or used & idle:
            yield pair
            taken += 1
            idle -= used


def _part(node: str) -> str:
    """The head or MLP of a node: `heads.q.L0.H1@2` is of `heads.L0.H1`."""
    kind, where = node.partition("@")[0].split(".L", 1)
    return f"{kind.split('.')[0]}.L{where}"


def _pair(
    program: Program,
    parts: Layout,
    ids: dict[str, int],
    outputs: dict[Any, int],
    random: Random,
) -> dict[str, Any]:
    """A random pair, and the effects of its nodes."""
    clean, corrupted, read = _drawn(program, random)
    base, donor = (_run(program, tokens) for tokens in (clean, corrupted))
    answer, foil = (_only(values[program.sop.label][read]) for values in (base, donor))

    def metric(values: Values) -> float:
        found = values[program.sop.label][read]
        assert isinstance(found, dict)  # noqa: S101 (outputs are categorical)
        return found.get(answer, 0.0) - found.get(foil, 0.0)

    effects = {
        node: metric(_run(program, clean, exchange)) - metric(base)
        for node, exchange in _exchanges(program, parts, donor)
    }
    return {
        "clean": [ids[compiling.COMPILER_BOS], *(_id(ids, t) for t in clean)],
        "corrupted": [ids[compiling.COMPILER_BOS], *(_id(ids, t) for t in corrupted)],
        "read": read + 1,
        "answer": outputs[answer],
        "foil": outputs[foil],
        "effects": {node: round(e, 9) for node, e in effects.items() if abs(e) > 1e-9},
    }


def _drawn(program: Program, random: Random) -> tuple[list[Token], list[Token], int]:
    """Two prompts, and a position (after the first token's, 0) where both outputs differ."""
    while True:
        clean, corrupted = program.draw(random), program.draw(random)
        one, other = (_run(program, t)[program.sop.label] for t in (clean, corrupted))
        differ = [
            at
            for at, (a, b) in enumerate(zip(one, other, strict=True))
            if a and b and a != b and PAD not in (clean[at], corrupted[at])
        ]
        if differ:
            return clean, corrupted, random.choice(differ)


def _exchanges(
    program: Program, parts: Layout, donor: Values
) -> Iterator[tuple[str, Exchange]]:
    """Every node of a used part, and what patching it exchanges."""
    roles = {"q": "query", "k": "key", "v": "value", "z": "output"}
    for position in range(program.length):
        other = (position, donor)
        for head in parts.heads:
            for letter, role in roles.items():
                name = f"heads.{letter}.L{head.layer}.H{head.head}@{position + 1}"
                yield name, {Slot(head.expression, role): other}
        for mlp in parts.mlps:
            slots = {Slot(label, "output"): other for label in mlp.expressions}
            yield f"mlp.L{mlp.layer}@{position + 1}", slots


def _run(program: Program, tokens: list[Token], exchange: Exchange | None = None) -> Values:
    seen = [None if token == PAD else token for token in tokens]
    return run(program.sop, seen, program.causal, exchange or {})


def _only(value: Value) -> Any:
    assert isinstance(value, dict)  # noqa: S101 (outputs are categorical)
    (only,) = value
    return only


def _id(ids: dict[str, int], token: Token) -> int:
    return ids[compiling.COMPILER_PAD if token == PAD else str(token)]


def _layed_out(written: dict[str, Any]) -> str:
    """JSON with a line for each pair and part, so that it can be read and compared."""
    lines = []
    for key, value in written.items():
        if key in {"circuit", "pairs"}:
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f" {json.dumps(key)}: [\n  {rows}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="training.tracr.export")
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs; all of them")
    parser.add_argument("--out", type=Path, default=MODELS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for program in programs():
        if not arguments.names or program.name in arguments.names:
            export(program, arguments.out)
            size = (arguments.out / f"{program.name}.safetensors").stat().st_size
            sys.stdout.write(f"{program.name}: {size:,} bytes\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
