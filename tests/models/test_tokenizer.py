"""`load_tokenizer` agrees with transformers and reads the special tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, processors

from atpdsl.models.tokenizer import ModelTokenizer, load_tokenizer
from atpdsl.problems import SpecError

EMBEDDED = Path(__file__).parents[2] / "atpdsl" / "embedded"
TEXTS = (
    "When Mary and John went to the store, John gave a drink to",
    "The war lasted from the year 1732 to the year 17",
    " two  spaces, a\nline and a\ttab ",
    "Zoë, 日本 and 🙂 are not in the corpus",
    "<|endoftext|>When Mary",
    "",
)

Folder = Callable[..., Path]


def llama_style() -> Tokenizer:
    """Spaces as `▁`, one before the text, bytes for what is unknown, BOS put by a template."""
    words = ["▁When", "▁Mary", "▁and", "▁John", "▁went", "▁to", "▁the", "▁store"]
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    merges: list[tuple[str, str]] = []
    for word in words:
        for end in range(1, len(word)):
            merge = (word[:end], word[end])
            pieces += [word[end], word[: end + 1]]
            merges += [] if merge in merges else [merge]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    backend = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=merges,
            unk_token="<unk>",  # noqa: S106 - a token of text
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    backend.add_special_tokens(["<unk>", "<s>", "</s>"])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return backend


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def make(**files: object) -> Path:
        llama_style().save(str(tmp_path / "tokenizer.json"))
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    return make


def same_as_transformers(directory: Path, text: str) -> tuple[list[int], list[int]]:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(directory)
    ours, _ = load_tokenizer(directory).encode(text)
    return list(ours), theirs(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", ["tiny", "induction"])
def test_embedded_tokenizers_give_the_ids_of_transformers(model: str, text: str) -> None:
    ours, theirs = same_as_transformers(EMBEDDED / model, text)

    assert ours == theirs


@pytest.mark.parametrize("text", TEXTS)
def test_a_llama_style_tokenizer_gives_the_ids_of_transformers(
    folder: Folder, text: str
) -> None:
    settings = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "tokenizer_class": "PreTrainedTokenizerFast",
    }

    ours, theirs = same_as_transformers(folder(tokenizer_config=settings), text)

    assert ours == theirs


def test_no_special_token_is_added_unless_asked_for(folder: Folder) -> None:
    tokenizer = load_tokenizer(folder(tokenizer_config={"bos_token": "<s>"}))
    plain, _ = tokenizer.encode("When")
    special, offsets = tokenizer.encode("When", add_special=True)

    assert special == (1, *plain)
    assert offsets[0] == (0, 0)


def test_special_tokens_of_the_embedded_model() -> None:
    tokenizer = load_tokenizer(EMBEDDED / "tiny")

    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (0, 0, 0)


def test_the_digest_is_that_of_the_file() -> None:
    path = EMBEDDED / "tiny" / "tokenizer.json"

    assert load_tokenizer(path.parent).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_null_bos_token_means_none_whatever_config_json_says(folder: Folder) -> None:
    directory = folder(tokenizer_config={"bos_token": None}, config={"bos_token_id": 1})

    assert load_tokenizer(directory).bos_id is None


def test_config_json_is_asked_when_no_tokenizer_file_speaks_of_bos(folder: Folder) -> None:
    directory = folder(
        tokenizer_config={"model_max_length": 64},
        config={"bos_token_id": 1, "eos_token_id": [2, 1]},
    )
    tokenizer = load_tokenizer(directory)

    assert (tokenizer.bos_id, tokenizer.eos_id) == (1, 2)


def test_special_tokens_may_be_objects_and_in_the_tokens_map(folder: Folder) -> None:
    directory = folder(
        tokenizer_config={},
        special_tokens_map={"bos_token": {"content": "<s>", "lstrip": False}},
    )

    assert load_tokenizer(directory).bos_id == 1


def test_padding_falls_back_to_the_end_of_text(folder: Folder) -> None:
    directory = folder(tokenizer_config={"eos_token": "</s>", "bos_token": "<s>"})

    assert load_tokenizer(directory).pad_id == 2


def test_a_saved_truncation_does_not_cut_prompts(tmp_path: Path) -> None:
    backend = llama_style()
    backend.enable_truncation(max_length=2)
    backend.enable_padding(length=12)
    backend.save(str(tmp_path / "tokenizer.json"))

    tokens, _ = load_tokenizer(tmp_path).encode("When Mary and John went")

    assert len(tokens) == 5


def test_a_token_shows_its_space_in_every_tokenizer(folder: Folder) -> None:
    byte_level = load_tokenizer(EMBEDDED / "tiny")
    metaspace = load_tokenizer(folder(tokenizer_config={"bos_token": "<s>"}))
    shown = [
        tokenizer.pieces(tokenizer.encode("When Mary")[0])
        for tokenizer in (byte_level, metaspace)
    ]

    assert shown == [("When", " Mary"), (" When", " Mary")]


def test_special_unknown_and_broken_tokens_are_shown_as_something() -> None:
    tokenizer = load_tokenizer(EMBEDDED / "tiny")
    half_a_letter = tokenizer.encode("ë")[0][0]

    assert tokenizer.decode_token(0) == "<|endoftext|>"
    assert tokenizer.decode_token(99_999) == "<99999>"
    assert tokenizer.decode_token(half_a_letter) == "Ã"


@given(text=st.text(max_size=30))
def test_the_tokens_of_the_embedded_model_cover_the_text_in_order(text: str) -> None:
    tokens, offsets = EMBEDDED_TOKENIZER.encode(text)

    assert len(tokens) == len(offsets)
    assert "".join(text[start:end] for start, end in dict.fromkeys(offsets)) == text


EMBEDDED_TOKENIZER: ModelTokenizer = load_tokenizer(EMBEDDED / "tiny")


def test_a_folder_without_a_tokenizer_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_tokenizer(tmp_path)

    assert caught.value.problems[0].code == "ATP240"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "1.0"}'])
def test_a_broken_tokenizer_file_is_a_problem(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")

    with pytest.raises(SpecError, match="ATP240"):
        load_tokenizer(tmp_path)


def test_a_broken_settings_file_is_a_problem(folder: Folder) -> None:
    directory = folder()
    (directory / "tokenizer_config.json").write_text("[1]", encoding="utf-8")

    with pytest.raises(SpecError, match="holds no JSON object"):
        load_tokenizer(directory)


def test_a_bos_token_that_the_tokenizer_lacks_is_a_problem(folder: Folder) -> None:
    directory = folder(tokenizer_config={"bos_token": "<bos>"})

    with pytest.raises(SpecError, match="names `<bos>` as `bos_token`"):
        load_tokenizer(directory)
