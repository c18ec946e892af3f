"""Attribution patching with nnsight as its tutorial writes it, against the floor.

    python -m benchmarks.peers.environments nnsight
    benchmarks/.environments/nnsight/bin/python -m benchmarks.peers.nnsight [--rounds 5]

The tutorial scores heads' z; the MLPs' outputs are added here. Parameters are frozen, which it
does not do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from nnsight import NNsight

from benchmarks.measuring import Work
from benchmarks.peers.against_floor import main
from benchmarks.peers.transformer_lens import gpt2
from benchmarks.plain import Sizes
from benchmarks.prompts import ANSWER, FOIL, Pairs


def places(model: NNsight) -> Iterator[Any]:
    """Where nodes are, from the first layer on."""
    for block in model.transformer.h:
        yield block.attn.c_proj.input
        yield block.mlp.output


def contestants(sizes: Sizes, pairs: Pairs) -> Mapping[str, Work]:
    """The tutorial's two traces: corrupted activations, then clean ones and gradients."""
    hugging_face = gpt2(sizes, "sdpa")
    # Gradients have to begin somewhere: where the tutorial has all parameters, the positions.
    hugging_face.transformer.wpe.weight.requires_grad_(True)
    model = NNsight(hugging_face)

    def nodes() -> object:
        # What a trace finds has to go into something that was there before it.
        corrupted: list[Any] = []
        clean: list[Any] = []
        gradients: list[Any] = []
        with torch.no_grad(), model.trace(pairs.corrupted, logits_to_keep=1):
            corrupted.extend(place.save() for place in places(model))
        with model.trace(pairs.clean, logits_to_keep=1):
            clean.extend(place.save() for place in places(model))
            logits = model.lm_head.output[:, -1]
            total = (logits[:, ANSWER] - logits[:, FOIL]).sum()
            with total.backward():
                gradients.extend(place.grad.save() for place in reversed(clean))
        with torch.no_grad():
            return [
                (c - b).mul(g).unflatten(-1, (sizes.heads, -1)).sum(-1)
                for c, b, g in zip(corrupted, clean, reversed(gradients), strict=True)
            ]

    return {"tutorial, heads z + MLPs": nodes}


if __name__ == "__main__":
    main("nnsight 0.8.1", __doc__, contestants)
