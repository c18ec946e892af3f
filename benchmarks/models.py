"""Models for benchmarks: random weights in a given shape, or SmolLM2 where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, PreTrainedConfig

from atpdsl.models.convert import quiet
from atpdsl.models.files import SOURCE, ModelFiles, Origin, added_folder
from atpdsl.models.shape import ModelShape
from atpdsl.runtime.load import LoadedModel, bridge_from_hf
from benchmarks.plain import Sizes

SMOLLM2 = "smollm2"
DTYPES = {
    torch.float64: "float64",
    torch.float32: "float32",
    torch.bfloat16: "bfloat16",
}


def configuration(sizes: Sizes) -> PreTrainedConfig:
    """The Hugging Face configuration of a shape."""
    tokens = {"bos_token_id": 0, "eos_token_id": 0}
    if sizes.family == "gpt2":
        return GPT2Config(
            vocab_size=sizes.vocabulary,
            n_positions=sizes.context,
            n_embd=sizes.width,
            n_layer=sizes.layers,
            n_head=sizes.heads,
            n_inner=sizes.mlp,
            **tokens,
        )
    return LlamaConfig(
        vocab_size=sizes.vocabulary,
        max_position_embeddings=sizes.context,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.kv_heads,
        intermediate_size=sizes.mlp,
        tie_word_embeddings=True,
        **tokens,
    )


def hugging_face(
    sizes: Sizes,
    *,
    attention: str,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Any:
    """A Hugging Face model of a shape, frozen, in evaluation mode; always the same weights.

    Args:
        attention: `sdpa` or `eager`.
    """
    if sizes.name == SMOLLM2:
        with quiet():
            found = AutoModelForCausalLM.from_pretrained(
                added_folder(SMOLLM2),
                dtype=dtype,
                attn_implementation=attention,
                local_files_only=True,
                use_safetensors=True,
            )
    else:
        torch.manual_seed(0)
        with torch.device(device):
            found = AutoModelForCausalLM.from_config(
                configuration(sizes), attn_implementation=attention, dtype=dtype
            )
    return found.to(device=device, dtype=dtype).eval().requires_grad_(False)


def shape_of(sizes: Sizes) -> ModelShape:
    """What plans have to know of a shape."""
    names = {"gpt2": "GPT2LMHeadModel", "llama": "LlamaForCausalLM"}
    return ModelShape(
        architecture=names[sizes.family],
        family=sizes.family,
        n_layers=sizes.layers,
        n_heads=sizes.heads,
        n_kv_heads=sizes.kv_heads,
        d_model=sizes.width,
        d_head=sizes.head,
        d_mlp=sizes.mlp,
        d_vocab=sizes.vocabulary,
        n_context=sizes.context,
    )


def loaded(
    sizes: Sizes, *, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> LoadedModel:
    """A model for executors, with weights of its own."""
    model = hugging_face(sizes, attention="eager", dtype=dtype, device=device)
    return LoadedModel(
        bridge=bridge_from_hf(model),
        shape=shape_of(sizes),
        files=ModelFiles(name=sizes.name, directory=Path(), kind=Origin.LOCAL),
        device="cuda:0" if device == "cuda" else device,
        dtype=DTYPES[dtype],
        n_parameters=sum(p.numel() for p in model.parameters()),
    )


def installed_smollm2() -> Sizes | None:
    """The sizes of SmolLM2-135M, where `atpdsl model add smollm2` has been run."""
    if not (added_folder(SMOLLM2) / SOURCE).is_file():
        return None
    return Sizes(
        name=SMOLLM2,
        family="llama",
        layers=30,
        width=576,
        heads=9,
        kv_heads=3,
        mlp=1536,
        vocabulary=49_152,
        context=8192,
    )
