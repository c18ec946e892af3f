"""A model's tokenizer, read from its directory without transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from atpdsl.problems import Problem, SpecError

TOKENIZER_FILE = "tokenizer.json"
# Metaspace tokenizers write a space inside a word piece as this character.
METASPACE = "\u2581"
UNDECODED = "\ufffd"
DAMAGED = "copy or download the model again"

Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTokenizer:
    """A tokenizer with the special tokens that its model was trained with.

    Attributes:
        bos_id: the token that begins a text, None where the model has none.
        eos_id: the token that ends a text, None where the model has none.
        pad_id: a token to fill short prompts with; it is always masked out.
        vocab_size: tokens in the vocabulary, added ones included.
        digest: sha256 of `tokenizer.json`, in hexadecimal.
    """

    backend: Tokenizer = field(repr=False, compare=False)
    bos_id: int | None
    eos_id: int | None
    pad_id: int
    vocab_size: int
    digest: str

    def encode(self, text: str, add_special: bool = False) -> tuple[tuple[int, ...], Offsets]:
        """Token ids, and for each the half-open range of characters of `text` it stands for.

        A range may or may not include the space that belongs to a token; the parts of a
        character that is several tokens all have the range of the character.
        """
        encoding = self.backend.encode(text, add_special_tokens=add_special)
        return tuple(encoding.ids), tuple(encoding.offsets)

    def decode_token(self, token: int) -> str:
        """The text of one token, its space included.

        A part of a character, which is no text, is written as in the vocabulary; an id that
        the vocabulary lacks as `<id>`.
        """
        symbol = self.backend.id_to_token(token)
        if symbol is None:
            return f"<{token}>"
        if METASPACE in symbol:
            return symbol.replace(METASPACE, " ")
        text = self.backend.decode([token], skip_special_tokens=False)
        return symbol if not text or UNDECODED in text else text

    def pieces(self, tokens: tuple[int, ...]) -> tuple[str, ...]:
        """The texts of several tokens."""
        return tuple(self.decode_token(token) for token in tokens)


def load_tokenizer(directory: Path) -> ModelTokenizer:
    """Read the tokenizer of a Hugging Face model directory.

    Special tokens are taken from the first of `tokenizer_config.json`,
    `special_tokens_map.json` and `config.json` that speaks of them; a null there means that
    the model has none.

    Raises:
        SpecError: when a file is missing or cannot be understood.
    """
    path = directory / TOKENIZER_FILE
    if not path.is_file():
        raise _unusable(
            f"`{directory}` has no `{TOKENIZER_FILE}`",
            "save the tokenizer with `tokenizer.save_pretrained`, as a fast tokenizer",
        )
    data = path.read_bytes()
    backend = _backend(path, data)
    bos = _special_id(directory, backend, "bos")
    eos = _special_id(directory, backend, "eos")
    pad = _special_id(directory, backend, "pad")
    return ModelTokenizer(
        backend=backend,
        bos_id=bos,
        eos_id=eos,
        pad_id=next((token for token in (pad, eos, bos) if token is not None), 0),
        vocab_size=backend.get_vocab_size(with_added_tokens=True),
        digest=hashlib.sha256(data).hexdigest(),
    )


def _backend(path: Path, data: bytes) -> Tokenizer:
    try:
        backend = Tokenizer.from_buffer(data)
    except Exception as error:  # tokenizers raises plain Exception
        raise _unusable(f"`{path}` cannot be read: {error}", DAMAGED) from error
    # A saved training setting: it would cut or fill up prompts without a word.
    backend.no_truncation()
    backend.no_padding()
    return backend


def _special_id(directory: Path, backend: Tokenizer, name: str) -> int | None:
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        content = _read_object(directory / file)
        if f"{name}_token" not in content:
            continue
        text = content[f"{name}_token"]
        if isinstance(text, dict):
            text = text.get("content")
        if text is None:
            return None
        token = backend.token_to_id(str(text))
        if token is None and name == "bos":
            raise _unusable(
                f"`{directory / file}` names `{text}` as `bos_token`,"
                f" which `{TOKENIZER_FILE}` does not have",
                DAMAGED,
            )
        return token
    number = _read_object(directory / "config.json").get(f"{name}_token_id")
    if isinstance(number, list) and number:
        number = number[0]
    return number if isinstance(number, int) else None


def _read_object(path: Path) -> Mapping[str, object]:
    """The object in a JSON file, empty if there is no such file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unusable(f"`{path}` cannot be read: {error}", DAMAGED) from error
    if not isinstance(content, dict):
        raise _unusable(f"`{path}` holds no JSON object", DAMAGED)
    return content


def _unusable(message: str, advice: str = "") -> SpecError:
    return SpecError([Problem(code="ATP240", message=message, help=advice)])
