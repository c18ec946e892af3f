"""The three models: their shapes, and what they are trained on and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from training.batches import Batch, repeated_batches, sentence_batches
from training.tokenizer import CONTEXT, END_OF_TEXT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What it takes to train one of the models."""

    build: Callable[[int], PreTrainedModel]
    batches: Callable[[PreTrainedTokenizerFast, int, int], Iterator[Batch]]
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float


def build_gpt2(vocabulary: int, *, layers: int, inner: int | None = None) -> GPT2LMHeadModel:
    """A randomly initialised GPT-2 of width 128 with 4 heads and no dropout."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_positions=CONTEXT,
            n_embd=128,
            n_layer=layers,
            n_head=4,
            n_inner=inner,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=END_OF_TEXT_ID,
            eos_token_id=END_OF_TEXT_ID,
            pad_token_id=END_OF_TEXT_ID,
        )
    )


def build_tiny(vocabulary: int) -> PreTrainedModel:
    """Four layers in GPT-2's format."""
    return build_gpt2(vocabulary, layers=4)


def build_attention_only(vocabulary: int) -> PreTrainedModel:
    """Two layers whose MLPs have one neuron, frozen at zero, since GPT-2 allows none."""
    model = build_gpt2(vocabulary, layers=2, inner=1)
    for name, parameter in model.named_parameters():
        if ".mlp." in name:
            parameter.data.zero_()
            parameter.requires_grad = False
    return model


def build_llama(vocabulary: int) -> PreTrainedModel:
    """Four layers with rotary positions, grouped queries (4 over 2) and gated MLPs."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            max_position_embeddings=CONTEXT,
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            bos_token_id=END_OF_TEXT_ID,
            eos_token_id=END_OF_TEXT_ID,
            pad_token_id=END_OF_TEXT_ID,
        )
    )


RECIPES: Mapping[str, Recipe] = {
    "tiny": Recipe(
        build=build_tiny,
        batches=sentence_batches,
        steps=4500,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.05,
    ),
    "induction": Recipe(
        build=build_attention_only,
        batches=repeated_batches,
        steps=2000,
        batch_size=64,
        learning_rate=2e-3,
        weight_decay=0.02,
    ),
    "tiny-llama": Recipe(
        build=build_llama,
        batches=sentence_batches,
        steps=4500,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.05,
    ),
}
