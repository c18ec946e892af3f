import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from atpdsl.models.config import ARCHITECTURES, read_shape
from atpdsl.models.shape import ModelShape
from atpdsl.problems import Problem
from tests.models.folders import LLAMA, code

GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "n_layer": 12,
    "n_head": 12,
    "n_embd": 768,
    "n_positions": 1024,
    "vocab_size": 50257,
}
NEOX = {
    "architectures": ["GPTNeoXForCausalLM"],
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "max_position_embeddings": 2048,
    "vocab_size": 50304,
}


def shape(tmp_path: Path, config: Mapping[str, Any] | str) -> ModelShape | Problem:
    text = config if isinstance(config, str) else json.dumps(config)
    (tmp_path / "config.json").write_text(text)
    return read_shape(tmp_path)


def test_gpt2_has_four_times_its_width_in_neurons_unless_told(tmp_path: Path) -> None:
    assert shape(tmp_path, GPT2) == ModelShape(
        architecture="GPT2LMHeadModel",
        family="gpt2",
        n_layers=12,
        n_heads=12,
        n_kv_heads=12,
        d_model=768,
        d_head=64,
        d_mlp=3072,
        d_vocab=50257,
        n_context=1024,
    )
    assert shape(tmp_path, GPT2 | {"n_inner": 5}).d_mlp == 5
    assert shape(tmp_path, GPT2 | {"n_inner": None}).d_mlp == 3072


@pytest.mark.parametrize(
    ("setting", "parallel"),
    [
        ({}, True),
        ({"use_parallel_residual": True}, True),
        ({"use_parallel_residual": False}, False),
    ],
)
def test_neox_is_parallel_unless_told(
    tmp_path: Path, setting: dict[str, bool], parallel: bool
) -> None:
    assert shape(tmp_path, NEOX | setting).parallel is parallel


def test_llama_shares_key_value_heads_and_may_say_its_head_size(tmp_path: Path) -> None:
    found = shape(tmp_path, LLAMA)
    assert (found.n_heads, found.n_kv_heads, found.d_head, found.family) == (4, 2, 8, "llama")

    alone = {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"}
    assert shape(tmp_path, alone).n_kv_heads == 4
    assert shape(tmp_path, {**LLAMA, "head_dim": 12}).d_head == 12


@pytest.mark.parametrize("name", ARCHITECTURES.names[2:])
def test_other_architectures_are_read_like_llama(tmp_path: Path, name: str) -> None:
    found = shape(tmp_path, {**LLAMA, "architectures": [name]})

    assert isinstance(found, ModelShape)
    assert found.family == ("gemma3" if name.startswith("Gemma") else "llama")


def test_model_type_stands_in_for_a_missing_architecture(tmp_path: Path) -> None:
    config = {key: value for key, value in LLAMA.items() if key != "architectures"}

    assert shape(tmp_path, config).architecture == "LlamaForCausalLM"


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        {**LLAMA, "num_hidden_layers": 0},
        {**LLAMA, "num_hidden_layers": "3"},
        {**LLAMA, "num_hidden_layers": True},
        {**LLAMA, "num_hidden_layers": 2.0},
        {**LLAMA, "num_key_value_heads": 3},
        {**LLAMA, "hidden_size": 33},
        {key: value for key, value in LLAMA.items() if key != "vocab_size"},
    ],
)
def test_configuration_that_describes_no_model_is_a_problem(
    tmp_path: Path, config: dict[str, Any] | str
) -> None:
    assert code(shape(tmp_path, config)) == "ATP308"


@pytest.mark.parametrize(
    "named", [["BertForMaskedLM"], ["LlamaForCausalLm"], [], None, [3], "llama", {}]
)
def test_unknown_architecture_names_those_that_are_supported(
    tmp_path: Path, named: object
) -> None:
    found = shape(tmp_path, {"architectures": named, "model_type": "bert"})

    assert code(found) == "ATP309"
    assert "`GPT2LMHeadModel`" in found.help


def test_gemma3_with_images_is_refused_with_the_reason(tmp_path: Path) -> None:
    found = shape(tmp_path, {"architectures": ["Gemma3ForConditionalGeneration"]})

    assert code(found) == "ATP309"
    assert "images" in found.message


@pytest.mark.parametrize(
    "config",
    [
        {**LLAMA, "quantization_config": {"bits": 4}},
        {**GPT2, "scale_attn_weights": False},
        {**GPT2, "add_cross_attention": True},
        {**NEOX, "attention_bias": False},
        {**LLAMA, "architectures": ["Gemma3ForCausalLM"], "attn_logit_softcapping": 50.0},
        {**LLAMA, "architectures": ["Gemma3ForCausalLM"], "use_bidirectional_attention": True},
    ],
)
def test_setting_that_would_give_wrong_numbers_is_refused(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    assert code(shape(tmp_path, config)) == "ATP310"


def test_setting_at_its_supported_value_is_fine(tmp_path: Path) -> None:
    config = {**GPT2, "scale_attn_weights": True, "quantization_config": None}

    assert isinstance(shape(tmp_path, config), ModelShape)


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_scaling": {"type": "dynamic", "factor": 2.0}},
        {"rope_scaling": {"rope_type": "longrope", "factor": 2.0}},
        {"rope_parameters": {"full_attention": {"rope_type": "longrope"}}},
    ],
)
def test_rotary_scaling_that_depends_on_the_length_is_refused(tmp_path, scaling):
    assert code(shape(tmp_path, {**LLAMA, **scaling})) == "ATP310"


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_scaling": None},
        {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}},
        {"rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}},
    ],
)
def test_rotary_scaling_that_does_not_is_accepted(tmp_path, scaling):
    assert isinstance(shape(tmp_path, {**LLAMA, **scaling}), ModelShape)
