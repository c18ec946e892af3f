"""A model's shape and its limits, from `config.json` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atpdsl.models.files import CONFIG
from atpdsl.models.shape import ModelShape
from atpdsl.models.weights import read_json
from atpdsl.problems import Label, Problem
from atpdsl.registry import Registry, closest

Config = Mapping[str, Any]


class ShapeError(ValueError):
    """A configuration lacks a number that is needed, or has one that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A Hugging Face class that we support, and where its configuration keeps its sizes.

    Attributes:
        name: the class.
        model_type: the entry of the same name in the configuration.
        read: configuration -> shape.
        refuse: settings of the configuration that would make results wrong: setting ->
            (the one value that is supported, what another would mean).
    """

    name: str
    model_type: str
    family: str
    read: Callable[[Architecture, Config], ModelShape]
    refuse: Mapping[str, tuple[object, str]]


def read_shape(directory: Path, *, at: Label | None = None) -> ModelShape | Problem:
    """The shape of the model in a folder, or why it cannot be used.

    Args:
        directory: a folder with a `config.json`.
        at: the place in the spec that names the model.
    """
    try:
        config = read_json(directory / CONFIG)
    except (OSError, ValueError) as error:
        return Problem(
            code="ATP308",
            message=f"`{directory / CONFIG}` cannot be read: {error}",
            at=at,
            help="copy the model's folder again",
        )
    found = architecture(config, at=at)
    if isinstance(found, Problem):
        return found
    if problem := _refused(found, config, at):
        return problem
    try:
        return found.read(found, config)
    except ShapeError as error:
        return Problem(
            code="ATP308",
            message=f"`{directory / CONFIG}` does not describe a `{found.name}`: {error}",
            at=at,
            help="copy the model's folder again",
        )


def architecture(config: Config, *, at: Label | None = None) -> Architecture | Problem:
    """The architecture that a configuration names; by its model type where it names none."""
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named else None
    if name is None:
        model_type = config.get("model_type")
        name = next((a.name for a in ARCHITECTURES if a.model_type == model_type), model_type)
    if isinstance(name, str) and name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if name in EXPLAINED:
        reason = EXPLAINED[name]
        return Problem(code="ATP309", message=f"`{name}` is not supported: {reason}", at=at)
    listed = ", ".join(f"`{entry}`" for entry in ARCHITECTURES.names)
    near = closest(name, ARCHITECTURES.names) if isinstance(name, str) else None
    return Problem(
        code="ATP309",
        message=f"the architecture `{name}` is not supported yet",
        at=at,
        help=f"supported: {listed}" + (f"; the nearest is `{near}`" if near else ""),
    )


LENGTH_DEPENDENT = frozenset({"dynamic", "longrope", "su"})
"""Rotary scalings whose frequencies follow the longest sequence at hand."""


def _refused(found: Architecture, config: Config, at: Label | None) -> Problem | None:
    """A setting that the supported code for this architecture does not have, if any."""
    settings = {**REFUSED_EVERYWHERE, **found.refuse}
    for setting, (supported, meaning) in settings.items():
        value = config.get(setting, supported)
        if value != supported:
            return Problem(
                code="ATP310",
                message=f"`{setting}` is set in this model's configuration: {meaning}",
                at=at,
                help="use a model without it",
            )
    for setting in ("rope_scaling", "rope_parameters"):
        for kind in _rotary_kinds(config.get(setting)):
            if kind in LENGTH_DEPENDENT:
                return Problem(
                    code="ATP310",
                    message=f"`{setting}` is `{kind}` in this model's configuration: the "
                    "rotary embedding depends on the length of the batch, so that padding "
                    "would change the numbers",
                    at=at,
                    help="use a model without it",
                )
    return None


def _rotary_kinds(scaling: object) -> Iterator[str]:
    """The kinds of rotary scaling, of the whole model or of each type of layer."""
    if isinstance(scaling, Mapping):
        kind = scaling.get("rope_type", scaling.get("type"))
        if isinstance(kind, str):
            yield kind
        for part in scaling.values():
            yield from _rotary_kinds(part)


def _number(config: Config, *names: str, default: int | None = None) -> int:
    """The first of several settings that is there, a positive integer."""
    for name in names:
        value = config.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ShapeError(f"`{name}` is `{value}`, not a positive whole number")
        return value
    if default is None:
        raise ShapeError(f"`{names[0]}` is missing")
    return default


def _head_size(config: Config, d_model: int, n_heads: int) -> int:
    """The size of a head: as given, else the width divided among the heads."""
    if config.get("head_dim") is None and d_model % n_heads:
        raise ShapeError(f"a width of {d_model} cannot be divided among {n_heads} heads")
    return _number(config, "head_dim", default=d_model // n_heads)


def _is_tied(config: Config, *, unless_said: bool) -> bool:
    """Whether the unembedding is the embedding; configurations leave out the usual."""
    return config.get("tie_word_embeddings", unless_said) is True


def _gpt2(entry: Architecture, config: Config) -> ModelShape:
    d_model = _number(config, "n_embd")
    n_heads = _number(config, "n_head")
    return ModelShape(
        architecture=entry.name,
        family=entry.family,
        n_layers=_number(config, "n_layer"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=_head_size(config, d_model, n_heads),
        d_mlp=_number(config, "n_inner", default=4 * d_model),
        d_vocab=_number(config, "vocab_size"),
        n_context=_number(config, "n_positions", "n_ctx"),
        tied=_is_tied(config, unless_said=True),
    )


def _neox(entry: Architecture, config: Config) -> ModelShape:
    d_model = _number(config, "hidden_size")
    n_heads = _number(config, "num_attention_heads")
    return ModelShape(
        architecture=entry.name,
        family=entry.family,
        n_layers=_number(config, "num_hidden_layers"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=_head_size(config, d_model, n_heads),
        d_mlp=_number(config, "intermediate_size"),
        d_vocab=_number(config, "vocab_size"),
        n_context=_number(config, "max_position_embeddings"),
        parallel=config.get("use_parallel_residual", True) is True,
        tied=_is_tied(config, unless_said=False),
    )


def _llama(entry: Architecture, config: Config) -> ModelShape:
    d_model = _number(config, "hidden_size")
    n_heads = _number(config, "num_attention_heads")
    n_kv_heads = _number(config, "num_key_value_heads", default=n_heads)
    if n_heads % n_kv_heads:
        raise ShapeError(f"{n_heads} heads cannot share {n_kv_heads} key-value heads evenly")
    return ModelShape(
        architecture=entry.name,
        family=entry.family,
        n_layers=_number(config, "num_hidden_layers"),
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        d_model=d_model,
        d_head=_head_size(config, d_model, n_heads),
        d_mlp=_number(config, "intermediate_size"),
        d_vocab=_number(config, "vocab_size"),
        n_context=_number(config, "max_position_embeddings"),
        tied=_is_tied(config, unless_said=entry.family == "gemma3"),
    )


REFUSED_EVERYWHERE: Mapping[str, tuple[object, str]] = {
    "quantization_config": (None, "its weights are quantised, and effects need real numbers"),
    "is_encoder_decoder": (False, "it has an encoder, and only decoders are supported"),
    "add_cross_attention": (False, "it reads the output of another model"),
}
# TransformerLens 4.3 computes other attention scores than Hugging Face with the first and the
# last of these, and cannot split a joint projection without a bias.
GPT2_REFUSED: Mapping[str, tuple[object, str]] = {
    "scale_attn_weights": (True, "its attention scores are not divided by the head's size"),
}
NEOX_REFUSED: Mapping[str, tuple[object, str]] = {
    "attention_bias": (True, "its attention has no biases"),
}
GEMMA3_REFUSED: Mapping[str, tuple[object, str]] = {
    "attn_logit_softcapping": (None, "its attention scores are capped"),
    "use_bidirectional_attention": (False, "its tokens attend to later ones"),
}

ARCHITECTURES = Registry(
    "architecture",
    (
        Architecture(
            name="GPT2LMHeadModel",
            model_type="gpt2",
            family="gpt2",
            read=_gpt2,
            refuse=GPT2_REFUSED,
        ),
        Architecture(
            name="GPTNeoXForCausalLM",
            model_type="gpt_neox",
            family="neox",
            read=_neox,
            refuse=NEOX_REFUSED,
        ),
        *(
            Architecture(
                name=name, model_type=model_type, family="llama", read=_llama, refuse={}
            )
            for name, model_type in (
                ("LlamaForCausalLM", "llama"),
                ("MistralForCausalLM", "mistral"),
                ("Qwen2ForCausalLM", "qwen2"),
                ("Qwen3ForCausalLM", "qwen3"),
            )
        ),
        Architecture(
            name="Gemma3ForCausalLM",
            model_type="gemma3_text",
            family="gemma3",
            read=_llama,
            refuse=GEMMA3_REFUSED,
        ),
    ),
)

EXPLAINED: Mapping[object, str] = {
    "Gemma3ForConditionalGeneration": "it also reads images; of Gemma 3, the text models "
    "(270m, 1b; `Gemma3ForCausalLM`) are supported",
    "gemma3": "it also reads images; of Gemma 3, the text models (270m, 1b) are supported",
}
