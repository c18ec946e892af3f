"""Tokenizers: the embedded one, and one that writes spaces as SentencePiece does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from atpdsl.models.tokenizer import ModelTokenizer, load_tokenizer

EMBEDDED = Path(__file__).parents[2] / "atpdsl" / "embedded"


@pytest.fixture(scope="session")
def tiny() -> ModelTokenizer:
    """Byte-level; ranges of tokens include the space; BOS is token 0."""
    return load_tokenizer(EMBEDDED / "tiny")


@pytest.fixture(scope="session")
def metaspace() -> ModelTokenizer:
    """Words with a space before them, also at the start; anything else in characters."""
    words = ["▁When", "▁Mary", "▁and", "▁John", "▁went", "▁to", "▁the", "▁store", ",", "."]
    characters = ["▁", *"abcdefghijklmnopqrstuvwxyzWMJ"]
    vocabulary = {word: n for n, word in enumerate(["<s>", *words, *characters])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    backend.add_special_tokens(["<s>"])
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation("isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="first"),
        ]
    )
    backend.decoder = decoders.Metaspace(prepend_scheme="first")
    return ModelTokenizer(
        backend=backend,
        bos_id=0,
        eos_id=None,
        pad_id=0,
        vocab_size=backend.get_vocab_size(),
        digest="",
    )
