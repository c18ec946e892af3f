"""Model folders made by hand: complete in form, with a few zeros for weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atpdsl.problems import Problem, Span
from atpdsl.semantics.experiment import ModelRef

LLAMA: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "vocab_size": 61,
    "max_position_embeddings": 128,
}


def safetensors_bytes(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """A safetensors file with float32 zeros of the given shapes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


def write_model(folder: Path, config: Mapping[str, Any] = LLAMA) -> Path:
    """A complete folder with 6 + 4 parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(safetensors_bytes({"a": (2, 3), "b": (4,)}))
    return folder


def ref(name: str, revision: str | None = None) -> ModelRef:
    """A model as a spec would name it, at characters 6 to 10."""
    return ModelRef(name=name, revision=revision, span=Span(6, 10))


def code(result: object) -> str:
    """The code of a result that has to be a problem."""
    assert isinstance(result, Problem), result
    return result.code
