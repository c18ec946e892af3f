"""The tokenizer that the embedded models share.

It is a byte-level BPE in the format of GPT-2's, with no merges: every word of the corpus is one
token, spelled with its leading space as GPT-2 spells it, numbers go two digits at a time, and
any other text falls back to bytes, so that decoding always restores it. Like GPT-2's it adds no
token of its own; `<|endoftext|>` (id 0) begins, ends and pads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from training import corpus

END_OF_TEXT = "<|endoftext|>"
END_OF_TEXT_ID = 0
FIRST_WORD_ID = 257
CONTEXT = 64


def pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    """Pairs of digits first, then the words of GPT-2's own regular expression."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\d\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def byte_symbols() -> list[str]:
    """The 256 printable characters that stand for the bytes, in a fixed order."""
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def corpus_words(split: pre_tokenizers.PreTokenizer) -> list[str]:
    """Every word that the corpus can contain, as the pre-tokenizer writes it."""
    frames = [re.sub(r"\{\w+\}|\|", "", template) for template in corpus.all_templates()]
    numbers = (form for n in range(100) for form in (f"{n:02d}", f" {n:02d}"))
    texts: Iterable[str] = (
        *frames,
        *(f" {frame}" for frame in frames),
        *(f" {word}" for word in corpus.inner_words()),
        *corpus.opening_words(),
        *numbers,
    )
    words = {word for text in texts for word, _ in split.pre_tokenize_str(text)}
    words.discard("ĠĠ")  # two spaces stand only where a slot was taken out
    return sorted(words, key=lambda word: (len(word), word))


def build_tokenizer() -> PreTrainedTokenizerFast:
    """The shared tokenizer; the same on every call."""
    split = pre_tokenizer()
    vocabulary = {END_OF_TEXT: END_OF_TEXT_ID}
    for symbol in (*byte_symbols(), *corpus_words(split)):
        vocabulary.setdefault(symbol, len(vocabulary))
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    backend.pre_tokenizer = split
    backend.decoder = decoders.ByteLevel()
    wrap: Callable[..., PreTrainedTokenizerFast] = PreTrainedTokenizerFast
    return wrap(
        tokenizer_object=backend,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        unk_token=END_OF_TEXT,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
