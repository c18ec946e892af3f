"""auto-circuit's mask gradients (attribution of all edges) against the floor.

    python -m benchmarks.peers.environments auto_circuit
    benchmarks/.environments/auto_circuit/bin/python -m benchmarks.peers.auto_circuit

It has no scorer of nodes: edges, summed over positions, are its fastest attribution.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from auto_circuit.data import PromptDataLoader, PromptDataset
from auto_circuit.prune_algos.mask_gradient import mask_gradient_prune_scores
from auto_circuit.utils.graph_utils import patchable_model
from transformer_lens import HookedTransformer, HookedTransformerConfig

from benchmarks.measuring import Work
from benchmarks.peers.against_floor import main
from benchmarks.plain import Sizes
from benchmarks.prompts import ANSWER, FOIL, Pairs


def contestants(sizes: Sizes, pairs: Pairs) -> Mapping[str, Work]:
    """The gradient of every edge's mask."""
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
    model.cfg.use_attn_in = True
    model.cfg.use_split_qkv_input = True
    model.cfg.use_hook_mlp_in = True
    # It leaves freezing to its caller.
    model.requires_grad_(False)
    loader = PromptDataLoader(
        PromptDataset(
            pairs.clean,
            pairs.corrupted,
            [torch.tensor([ANSWER])] * len(pairs),
            [torch.tensor([FOIL])] * len(pairs),
        ),
        seq_len=pairs.length,
        diverge_idx=0,
        batch_size=len(pairs),
        shuffle=False,
    )
    patchable = patchable_model(
        model,
        factorized=True,
        slice_output="last_seq",
        separate_qkv=True,
        device=torch.device("cpu"),
    )

    def edges() -> object:
        return mask_gradient_prune_scores(
            patchable,
            loader,
            None,
            grad_function="logit",
            answer_function="avg_diff",
            mask_val=0.0,
        )

    return {"EAP by mask gradients, all edges": edges}


if __name__ == "__main__":
    main("auto-circuit 1.0.1", __doc__, contestants)
