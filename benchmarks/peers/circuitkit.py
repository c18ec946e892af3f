"""circuitkit's node scores, EAP and AtP with GradDrop, against the floor.

    python -m benchmarks.peers.environments circuitkit
    benchmarks/.environments/circuitkit/bin/python -m benchmarks.peers.circuitkit [--short]

Its scorers tokenize strings; here they are given token ids. They sum over positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

# circuitkit changes TransformerLens while that is imported, and so has to be first.
from circuitkit.backends.eap import attribute_node  # isort: skip
from circuitkit.backends.eap.graph import Graph
from transformer_lens import HookedTransformer, HookedTransformerConfig

from benchmarks.measuring import Work
from benchmarks.peers.against_floor import main
from benchmarks.plain import Sizes
from benchmarks.prompts import ANSWER, FOIL, Pairs

GRAD_DROP = "atp-gd (GradDrop), heads z + MLPs"


def hooked_transformer(sizes: Sizes) -> HookedTransformer:
    """A random model of the shape, with the flags that the scorers need."""
    config = HookedTransformerConfig(
        n_layers=sizes.layers,
        d_model=sizes.width,
        n_heads=sizes.heads,
        d_head=sizes.head,
        d_mlp=sizes.mlp,
        d_vocab=sizes.vocabulary,
        n_ctx=sizes.context,
        act_fn="gelu_new",
        normalization_type="LN",
        seed=0,
        device="cpu",
    )
    model = HookedTransformer(config).eval()
    model.cfg.use_attn_result = True
    model.cfg.use_split_qkv_input = True
    model.cfg.use_hook_mlp_in = True
    model.setup()
    return model


@contextmanager
def given_tokens(pairs: Pairs) -> Iterator[None]:
    """Token ids where the scorers would tokenize strings."""
    mask = torch.ones_like(pairs.clean)
    lengths = torch.full((len(pairs),), pairs.length)

    def tokens(*_: object, **__: object) -> tuple[Any, ...]:
        return pairs.clean, pairs.corrupted, mask, mask, lengths, pairs.length

    original = attribute_node.tokenize_batch_pair
    attribute_node.tokenize_batch_pair = tokens
    try:
        yield
    finally:
        attribute_node.tokenize_batch_pair = original


def metric(logits: torch.Tensor, *_: object) -> torch.Tensor:
    """The logit difference at the last position, summed over pairs."""
    return (logits[:, -1, ANSWER] - logits[:, -1, FOIL]).sum()


def contestants(sizes: Sizes, pairs: Pairs) -> Mapping[str, Work]:
    """Both scorers of nodes."""
    model = hooked_transformer(sizes)
    graph = Graph.from_model(model)
    batches = [([""] * len(pairs), [""] * len(pairs), torch.zeros(len(pairs)))]

    def score(scorer: Any) -> object:
        with given_tokens(pairs):
            return scorer(model, graph, batches, metric, quiet=True)

    return {
        "EAP, heads z + MLPs": partial(score, attribute_node.get_scores_eap),
        GRAD_DROP: partial(score, attribute_node.get_scores_atp_grad_drop),
    }


if __name__ == "__main__":
    main("circuitkit 0.2.0", __doc__, contestants, slow=(GRAD_DROP,))
