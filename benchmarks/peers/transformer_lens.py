"""TransformerLens' own attribution patching of nodes against the floor.

    python -m benchmarks.peers.transformer_lens [--sizes gpt2s] [--rounds 5] [--short]

It takes pairs one by one, and scores the heads' z and the MLPs' outputs at every position.
Its exact patching is measured in `benchmarks.exact`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.measuring import Work
from benchmarks.peers.against_floor import main
from benchmarks.plain import Sizes
from benchmarks.prompts import ANSWER, FOIL, Pairs


def gpt2(sizes: Sizes, attention: str) -> GPT2LMHeadModel:
    """A random Hugging Face model of the shape, frozen."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=sizes.vocabulary,
        n_positions=sizes.context,
        n_embd=sizes.width,
        n_layer=sizes.layers,
        n_head=sizes.heads,
        n_inner=sizes.mlp,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation=attention,
    )
    return GPT2LMHeadModel(config).eval().requires_grad_(False)


def contestants(sizes: Sizes, pairs: Pairs) -> Mapping[str, Work]:
    """Attribution patching of nodes."""
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
    from transformer_lens.tools.analysis.attribution_patching import attribution_patch

    # Its graph begins at the parameters; it asks for no gradients of theirs.
    model = gpt2(sizes, "eager").requires_grad_(True)
    bridge = build_bridge_from_module(
        model, "GPT2LMHeadModel", hf_config=model.config, tokenizer=None
    )
    bridge.eval()

    def metric(logits: torch.Tensor) -> torch.Tensor:
        return (logits[:, -1, ANSWER] - logits[:, -1, FOIL]).mean()

    def nodes() -> object:
        # Its clean prompt is the one that is patched from: the direction is ours by swapping.
        with torch.enable_grad():
            return attribution_patch(bridge, pairs.corrupted, pairs.clean, metric)

    return {"attribution_patch, heads z + MLPs": nodes}


if __name__ == "__main__":
    main("TransformerLens 4.3", __doc__, contestants)
