"""The sizes of a model, as plain integers."""

from __future__ import annotations

from dataclasses import dataclass

GATED = frozenset({"llama", "gemma3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """What the compiler needs to know of a model, read from its `config.json`.

    Attributes:
        architecture: the Hugging Face class, such as `GPT2LMHeadModel`.
        family: `gpt2`, `neox`, `llama` (Llama, Mistral, Qwen2, Qwen3) or `gemma3`.
        parallel: attention and MLP read the same residual (no `resid.mid`).
        n_context: the longest prompt in tokens, BOS included.
        tied: the unembedding is the embedding, stored once.
    """

    architecture: str
    family: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    d_mlp: int
    d_vocab: int
    n_context: int
    parallel: bool = False
    tied: bool = True

    @property
    def gated(self) -> bool:
        """Whether the MLP multiplies two projections, and so has three matrices."""
        return self.family in GATED
