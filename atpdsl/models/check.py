"""Whether a model's folder is complete, and whether loading it runs code of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from atpdsl.models.files import CONFIG, TOKENIZER
from atpdsl.models.hub import first_line
from atpdsl.models.weights import (
    DamagedWeightsError,
    inspect,
    pickled_files,
    read_json,
    weight_files,
)
from atpdsl.problems import Label, Problem

TOKENIZER_CONFIG = "tokenizer_config.json"


def check_folder(folder: Path, *, at: Label | None) -> Problem | None:
    """What a model's folder lacks, None if nothing."""
    if not (folder / CONFIG).is_file():
        gguf = any(folder.glob("*.gguf"))
        return Problem(
            code="ATP303",
            message=f"`{folder}` has no `{CONFIG}`, so it is not a model's folder",
            at=at,
            help="a GGUF file has to be converted first: load it with `transformers` "
            "(`from_pretrained(folder, gguf_file=...)`) and `save_pretrained` it"
            if gguf
            else "give the folder that `save_pretrained` wrote, or a snapshot of the hub cache",
        )
    if not (folder / TOKENIZER).is_file():
        return Problem(
            code="ATP304",
            message=f"`{folder}` has no `{TOKENIZER}`",
            at=at,
            help="write it: `AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`, "
            "or copy it from where the model comes from",
        )
    return _check_weights(folder, at)


def _check_weights(folder: Path, at: Label | None) -> Problem | None:
    """What is wrong with the safetensors of a folder, None if nothing."""
    try:
        files = weight_files(folder)
        missing = [path.name for path in files if not path.is_file()]
        for path in files:
            if path.is_file():
                inspect(path)
    except (DamagedWeightsError, OSError) as error:
        return Problem(
            code="ATP306",
            message=f"the weights in `{folder}` are damaged: {first_line(error)}",
            at=at,
            help="copy or download the model again",
        )
    if missing:
        return Problem(
            code="ATP306",
            message=f"`{folder}` lacks {len(missing)} of its {len(files)} weight files, "
            f"`{missing[0]}` first",
            at=at,
            help="copy or download the model again",
        )
    return None if files else _no_safetensors(folder, at)


def _no_safetensors(folder: Path, at: Label | None) -> Problem:
    pickled = pickled_files(folder)
    if not pickled:
        return Problem(
            code="ATP305",
            message=f"`{folder}` has no weights (`model.safetensors`)",
            at=at,
            help="copy or download the model again",
        )
    return Problem(
        code="ATP305",
        message=f"`{folder}` has only pickled weights (`{pickled[0].name}`), and reading "
        "those can run any code",
        at=at,
        help='if you trust them, convert them once: `python -c "import sys; from transformers '
        "import AutoModelForCausalLM as M; "
        'M.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[1])" FOLDER`',
    )


def remote_code(folder: Path) -> Iterator[str]:
    """The settings of a folder by which a library would run code that is not its own."""
    for file in (CONFIG, TOKENIZER_CONFIG):
        if (folder / file).is_file():
            try:
                data = read_json(folder / file)
            except (OSError, ValueError):
                continue
            yield from (f"{setting} in {file}" for setting in _code_settings(data))


def _code_settings(data: Any) -> Iterator[str]:
    """Settings that name code: `auto_map` anywhere, attention kernels from elsewhere."""
    waiting = [data]
    while waiting:
        match waiting.pop():
            case dict() as entries:
                for key, value in entries.items():
                    if (key == "auto_map" and value) or _is_foreign_kernel(key, value):
                        yield key
                    elif key not in {"added_tokens_decoder"}:
                        waiting.append(value)
            case list() as entries:
                waiting.extend(entries)


def _is_foreign_kernel(key: str, value: object) -> bool:
    """Whether a setting asks for an attention implementation from a hub repository."""
    named = key.strip("_").startswith("attn_implementation")
    return named and isinstance(value, str) and "/" in value


def untrusted(name: str, settings: tuple[str, ...], at: Label) -> Problem:
    """The refusal of a model that brings code."""
    return Problem(
        code="ATP307",
        message=f"`{name}` asks for Python code of its own to be run (`{settings[0]}`)",
        at=at,
        help="use a model that does not; or, if you have read that code, remove the setting "
        "from the file, or run with `--trust-remote-code`",
    )
