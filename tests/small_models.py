"""Small random models of every supported family, for tests and oracles.

They are plain Hugging Face models built from a configuration, so no file and no network is
needed. The weights are drawn large (biases and norm gains included), so that no node's effect
is lost in rounding and a bias that is dropped or added twice shows.

Float64 alone is not enough for tests to 1e-9: the Hugging Face code casts the inputs of RMS
norms and softmaxes to float32 whatever the model's dtype. Compute under `no_downcast()` where
that matters; it works for the plain model and for the bridge, forward and backward.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from atpdsl.runtime.load import bridge_from_hf
from tests.families import FAMILIES, GROUPED, PARALLEL

__all__ = [
    "FAMILIES",
    "GROUPED",
    "PARALLEL",
    "bridge",
    "llama_like",
    "no_downcast",
    "random_model",
    "random_tokens",
    "randomise",
    "small_model",
]

N_LAYERS = 3
N_HEADS = 4
N_KV_HEADS = 2
D_MODEL = 32
D_MLP = 48
VOCAB = 61
N_CONTEXT = 32
SLIDING_WINDOW = 4


def _gpt2() -> PreTrainedConfig:
    return GPT2Config(
        vocab_size=VOCAB,
        n_positions=N_CONTEXT,
        n_embd=D_MODEL,
        n_layer=N_LAYERS,
        n_head=N_HEADS,
        n_inner=D_MLP,
        bos_token_id=0,
        eos_token_id=0,
    )


def _neox(*, parallel: bool) -> PreTrainedConfig:
    return GPTNeoXConfig(
        vocab_size=VOCAB,
        max_position_embeddings=N_CONTEXT,
        hidden_size=D_MODEL,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=N_HEADS,
        intermediate_size=D_MLP,
        use_parallel_residual=parallel,
        hidden_dropout=0.1,
        attention_dropout=0.1,
        bos_token_id=0,
        eos_token_id=0,
    )


def llama_like(config: type[PreTrainedConfig], **more: Any) -> PreTrainedConfig:
    """A configuration of one of the classes that have Llama's settings."""
    return config(
        vocab_size=VOCAB,
        max_position_embeddings=N_CONTEXT,
        hidden_size=D_MODEL,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=N_HEADS,
        num_key_value_heads=N_KV_HEADS,
        intermediate_size=D_MLP,
        attention_dropout=0.1,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        **more,
    )


CONFIGS: dict[str, Callable[[], PreTrainedConfig]] = {
    "gpt2": _gpt2,
    "neox": lambda: _neox(parallel=True),
    "neox-sequential": lambda: _neox(parallel=False),
    "llama": lambda: llama_like(LlamaConfig),
    "qwen2": lambda: llama_like(Qwen2Config),
    # A head size that is not d_model / n_heads, as in the real Qwen3 and Gemma 3 models.
    "qwen3": lambda: llama_like(Qwen3Config, head_dim=12),
    "gemma3": lambda: llama_like(
        Gemma3TextConfig,
        head_dim=12,
        query_pre_attn_scalar=12,
        sliding_window=SLIDING_WINDOW,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
}


def small_model(
    family: str, dtype: torch.dtype = torch.float64, *, seed: int = 0, scale: float = 0.3
) -> PreTrainedModel:
    """A random model of one of `FAMILIES`, in evaluation mode, with eager attention.

    Args:
        family: one of `FAMILIES`.
        dtype: of all parameters and buffers.
        seed: of the weights; the global generator is left as found.
        scale: standard deviation of all weights, and of norm gains around 1.
    """
    return random_model(CONFIGS[family](), dtype, seed=seed, scale=scale)


def random_model(
    config: PreTrainedConfig,
    dtype: torch.dtype = torch.float64,
    *,
    seed: int = 0,
    scale: float = 0.3,
) -> PreTrainedModel:
    """A random model of a configuration; see `small_model`."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    randomise(model, seed=seed, scale=scale)
    return model.to(dtype).eval()


def randomise(model: nn.Module, *, seed: int, scale: float) -> None:
    """Draws every parameter anew: around 1 for norm gains that multiply, else around 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            centre = 1.0 if _is_gain(model, name) else 0.0
            parameter.copy_(centre + scale * noise)


def _is_gain(model: nn.Module, name: str) -> bool:
    """Whether a parameter is a norm's gain; Gemma's multiply by 1 + weight, so they are not."""
    path, _, leaf = name.rpartition(".")
    owner = type(model.get_submodule(path)).__name__
    return leaf == "weight" and "Norm" in owner and not owner.startswith("Gemma")


def bridge(
    family: str | PreTrainedModel, dtype: torch.dtype = torch.float64, *, seed: int = 0
) -> Any:
    """A small model, or a deep copy of the given one, in a `TransformerBridge`.

    Wrapping changes a model in place; the copy keeps the given one plain Hugging Face.
    """
    if isinstance(family, str):
        return bridge_from_hf(small_model(family, dtype, seed=seed))
    return bridge_from_hf(copy.deepcopy(family))


def random_tokens(rows: int = 2, length: int = 9, *, seed: int = 1) -> Tensor:
    """Token ids [rows, length], none of them the padding token 0 but the first (BOS)."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, VOCAB, (rows, length), generator=generator)
    tokens[:, 0] = 0
    return tokens


class no_downcast(TorchFunctionMode):  # noqa: N801
    """Keeps float64 tensors float64 where the code asks for float32 on the way.

    Casts (`to`, `float`) and `softmax(dtype=...)` to float32 leave float64 as it is; nothing
    else changes. Used as `with no_downcast(): ...` around forwards and backwards.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Drops the request for float32 from the few functions that carry one."""
        kwargs = dict(kwargs or {})
        double = bool(args) and isinstance(args[0], Tensor) and args[0].dtype == torch.float64
        if double and func is Tensor.float:
            return args[0]
        if double and func is Tensor.to:
            args = tuple(a for a in args if a is not torch.float32)
            if kwargs.get("dtype") is torch.float32:
                del kwargs["dtype"]
            if len(args) == 1 and not kwargs:
                return args[0]
        if double and kwargs.get("dtype") is torch.float32:
            kwargs["dtype"] = torch.float64
        return func(*args, **kwargs)
