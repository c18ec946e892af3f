"""Plain functional forwards of GPT-2 and Llama: what the mathematics costs, and nothing else.

Only torch is needed, so that the floor can be measured in any peer's environment too. Weights
are frozen; q, k and v come from one product; attention is torch's fused one; only the last
position is unembedded.

    python -m benchmarks.floor     compares this with the Hugging Face model of the same shape
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as nnf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of a model; `family` is `gpt2` or `llama`."""

    name: str
    family: str = "gpt2"
    layers: int
    width: int
    heads: int
    kv_heads: int
    mlp: int
    vocabulary: int = 8192
    context: int = 1024

    @property
    def head(self) -> int:
        """The width of a head."""
        return self.width // self.heads

    @property
    def fused(self) -> tuple[int, int, int]:
        """The widths of queries, keys and values of all heads, which come from one product."""
        return self.heads * self.head, self.kv_heads * self.head, self.kv_heads * self.head

    def __str__(self) -> str:
        return f"{self.name} ({self.layers} layers, d {self.width}, {self.heads} heads)"


GPT2_SMALL = Sizes(name="gpt2s", layers=12, width=768, heads=12, kv_heads=12, mlp=3072)
SMALL = Sizes(name="small", layers=6, width=256, heads=8, kv_heads=8, mlp=1024)
TINY = Sizes(name="tiny", layers=3, width=32, heads=4, kv_heads=4, mlp=64, vocabulary=64)
LLAMA_TINY = Sizes(
    name="llama-tiny",
    family="llama",
    layers=3,
    width=32,
    heads=4,
    kv_heads=2,
    mlp=64,
    vocabulary=64,
)
LLAMA_1B = Sizes(
    name="llama-1b",
    family="llama",
    layers=16,
    width=2048,
    heads=32,
    kv_heads=8,
    mlp=8192,
    vocabulary=128_256,
    context=2048,
)
SIZES = {one.name: one for one in (GPT2_SMALL, SMALL, TINY, LLAMA_TINY, LLAMA_1B)}


@dataclass(frozen=True, slots=True)
class Patch:
    """A node set to other values in all rows.

    Attributes:
        kind: `z` or `mlp`.
        value: [row, d]: of one head's z, or of the MLP's output.
    """

    kind: str
    layer: int
    head: int
    position: int
    value: Tensor


Sites = dict[str, Tensor]
"""`qkv.L`, `z.L`, `post.L`, `mlp.L` -> a tensor of the graph, [row, pos, width]."""


class Plain(Protocol):
    """A model as plain functions of its weights."""

    @property
    def sizes(self) -> Sizes:
        """Its shape."""
        ...

    def embed(self, tokens: Tensor) -> Tensor:
        """The residual stream before the first block, [row, pos, d]."""
        ...

    def logits(
        self, stream: Tensor, *, sites: Sites | None = None, patch: Patch | None = None
    ) -> Tensor:
        """Logits at the last position, [row, vocabulary], of a stream before the first block.

        Args:
            sites: filled with the activations that a method may ask the gradient of.
            patch: a node to set to something else.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The weights of a block: matrices are [in, out], as GPT-2 stores them."""

    norm1: tuple[Tensor, Tensor | None]
    qkv: tuple[Tensor, Tensor | None]
    out: tuple[Tensor, Tensor | None]
    norm2: tuple[Tensor, Tensor | None]
    into: tuple[Tensor, Tensor | None]
    down: tuple[Tensor, Tensor | None]


def keep(sites: Sites | None, name: str, layer: int, value: Tensor) -> None:
    """Remember an activation, where somebody wants to know of it."""
    if sites is not None:
        sites[f"{name}.{layer}"] = value


def product(rows: Tensor, weights: tuple[Tensor, Tensor | None]) -> Tensor:
    """[..., in] -> [..., out]."""
    matrix, bias = weights
    flat = rows.reshape(-1, rows.shape[-1])
    done = flat @ matrix if bias is None else torch.addmm(bias, flat, matrix)
    return done.view(*rows.shape[:-1], -1)


def patched(value: Tensor, patch: Patch | None, kind: str, layer: int, width: int) -> Tensor:
    """The activations with the patch written into them, if it is meant for them."""
    if patch is None or patch.kind != kind or patch.layer != layer:
        return value
    changed = value.clone()
    units = slice(patch.head * width, (patch.head + 1) * width)
    changed[:, patch.position, units] = patch.value
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpt2:
    """GPT-2: layer norms, learned positions, tied embeddings."""

    sizes: Sizes
    blocks: list[Block]
    embedding: Tensor
    positions: Tensor
    last: tuple[Tensor, Tensor]

    @classmethod
    def random(cls, sizes: Sizes, dtype: torch.dtype = torch.float32) -> Gpt2:
        """Random weights, with no other library than torch."""
        drawn = torch.Generator().manual_seed(0)

        def matrix(*shape: int) -> Tensor:
            return (0.02 * torch.randn(shape, generator=drawn)).to(dtype)

        def norm() -> tuple[Tensor, Tensor]:
            return torch.ones(width, dtype=dtype), torch.zeros(width, dtype=dtype)

        def linear(inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
            return matrix(inputs, outputs), torch.zeros(outputs, dtype=dtype)

        width = sizes.width
        blocks = [
            Block(
                norm1=norm(),
                qkv=linear(width, 3 * width),
                out=linear(width, width),
                norm2=norm(),
                into=linear(width, sizes.mlp),
                down=linear(sizes.mlp, width),
            )
            for _ in range(sizes.layers)
        ]
        return cls(
            sizes=sizes,
            blocks=blocks,
            embedding=matrix(sizes.vocabulary, width),
            positions=matrix(sizes.context, width),
            last=norm(),
        )

    @classmethod
    def of(cls, model: Any, sizes: Sizes) -> Gpt2:
        """The weights of a Hugging Face `GPT2LMHeadModel`, shared with it."""

        def weights(module: Any) -> tuple[Tensor, Tensor]:
            return module.weight.detach(), module.bias.detach()

        core = model.transformer
        blocks = [
            Block(
                norm1=weights(block.ln_1),
                qkv=weights(block.attn.c_attn),
                out=weights(block.attn.c_proj),
                norm2=weights(block.ln_2),
                into=weights(block.mlp.c_fc),
                down=weights(block.mlp.c_proj),
            )
            for block in core.h
        ]
        return cls(
            sizes=sizes,
            blocks=blocks,
            embedding=core.wte.weight.detach(),
            positions=core.wpe.weight.detach(),
            last=weights(core.ln_f),
        )

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens and positions, [row, pos, d]."""
        return self.embedding[tokens] + self.positions[: tokens.shape[1]]

    def logits(
        self, stream: Tensor, *, sites: Sites | None = None, patch: Patch | None = None
    ) -> Tensor:
        """Logits at the last position, [row, vocabulary]."""
        sizes = self.sizes
        rows, length = stream.shape[:2]
        for number, block in enumerate(self.blocks):
            qkv = product(self._norm(stream, block.norm1), block.qkv)
            keep(sites, "qkv", number, qkv)
            parts = qkv.view(rows, length, 3, sizes.heads, sizes.head).permute(2, 0, 3, 1, 4)
            z = nnf.scaled_dot_product_attention(*parts.unbind(0), is_causal=True)
            z = z.transpose(1, 2).reshape(rows, length, sizes.width)
            z = patched(z, patch, "z", number, sizes.head)
            keep(sites, "z", number, z)
            stream = stream + product(z, block.out)
            before = product(self._norm(stream, block.norm2), block.into)
            post = nnf.gelu(before, approximate="tanh")
            keep(sites, "post", number, post)
            mlp = patched(product(post, block.down), patch, "mlp", number, sizes.width)
            keep(sites, "mlp", number, mlp)
            stream = stream + mlp
        return self._norm(stream[:, -1], self.last) @ self.embedding.T

    def _norm(self, rows: Tensor, weights: tuple[Tensor, Tensor | None]) -> Tensor:
        return nnf.layer_norm(rows, (self.sizes.width,), *weights, eps=1e-5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Llama:
    """Llama: RMS norms, rotary positions, grouped queries, gated MLP.

    Attributes:
        angles: a length -> cosines and sines, [pos, d_head].
    """

    sizes: Sizes
    blocks: list[Block]
    embedding: Tensor
    unembedding: Tensor
    last: Tensor
    angles: Callable[[int], tuple[Tensor, Tensor]]
    epsilon: float

    @classmethod
    def of(cls, model: Any, sizes: Sizes) -> Llama:
        """The weights of a Hugging Face `LlamaForCausalLM`; joint ones are copied together."""

        def weights(*modules: Any) -> tuple[Tensor, None]:
            joined = torch.cat([m.weight.detach() for m in modules]).T
            return joined.contiguous(), None

        def norm(module: Any) -> tuple[Tensor, None]:
            return module.weight.detach(), None

        core = model.model
        blocks = [
            Block(
                norm1=norm(one.input_layernorm),
                qkv=weights(one.self_attn.q_proj, one.self_attn.k_proj, one.self_attn.v_proj),
                out=weights(one.self_attn.o_proj),
                norm2=norm(one.post_attention_layernorm),
                into=weights(one.mlp.gate_proj, one.mlp.up_proj),
                down=weights(one.mlp.down_proj),
            )
            for one in core.layers
        ]
        embedding = core.embed_tokens.weight.detach()

        def angles(length: int) -> tuple[Tensor, Tensor]:
            places = torch.arange(length, device=embedding.device)[None]
            cos, sin = core.rotary_emb(embedding[:1, None], places)
            return cos[0], sin[0]

        return cls(
            sizes=sizes,
            blocks=blocks,
            embedding=embedding,
            unembedding=model.lm_head.weight.detach(),
            last=core.norm.weight.detach(),
            angles=angles,
            epsilon=model.config.rms_norm_eps,
        )

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens, [row, pos, d]; positions come in at queries and keys."""
        return self.embedding[tokens]

    def logits(
        self, stream: Tensor, *, sites: Sites | None = None, patch: Patch | None = None
    ) -> Tensor:
        """Logits at the last position, [row, vocabulary]."""
        sizes = self.sizes
        rows, length = stream.shape[:2]
        cos, sin = self.angles(length)
        for number, block in enumerate(self.blocks):
            qkv = product(self._norm(stream, block.norm1[0]), block.qkv)
            keep(sites, "qkv", number, qkv)
            q, k, v = (
                part.view(rows, length, -1, sizes.head).transpose(1, 2)
                for part in qkv.split(sizes.fused, dim=-1)
            )
            q, k = rotated(q, cos, sin), rotated(k, cos, sin)
            z = nnf.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            z = z.transpose(1, 2).reshape(rows, length, sizes.width)
            z = patched(z, patch, "z", number, sizes.head)
            keep(sites, "z", number, z)
            stream = stream + product(z, block.out)
            both = product(self._norm(stream, block.norm2[0]), block.into)
            gate, up = both.split(sizes.mlp, dim=-1)
            post = nnf.silu(gate) * up
            keep(sites, "post", number, post)
            mlp = patched(product(post, block.down), patch, "mlp", number, sizes.width)
            keep(sites, "mlp", number, mlp)
            stream = stream + mlp
        return self._norm(stream[:, -1], self.last) @ self.unembedding.T

    def _norm(self, rows: Tensor, weight: Tensor) -> Tensor:
        return nnf.rms_norm(rows, (self.sizes.width,), weight, self.epsilon)


def rotated(rows: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Queries or keys turned by their position; Su et al. 2021, halves as in Llama."""
    first, second = rows.chunk(2, dim=-1)
    return rows * cos + torch.cat((-second, first), dim=-1) * sin


def plain_model(model: Any, sizes: Sizes) -> Plain:
    """The plain functions of a Hugging Face model."""
    return Gpt2.of(model, sizes) if sizes.family == "gpt2" else Llama.of(model, sizes)


def with_sizes(name: str, *, layers: int | None, vocabulary: int | None) -> Sizes:
    """One of `SIZES`, with other numbers of layers or tokens where they are given."""
    found = SIZES[name]
    return replace(
        found,
        layers=layers or found.layers,
        vocabulary=vocabulary or found.vocabulary,
    )
