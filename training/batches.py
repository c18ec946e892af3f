"""Endless batches of training rows, the same for the same seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from training import corpus
from training.tokenizer import CONTEXT, END_OF_TEXT_ID, FIRST_WORD_ID

BACKGROUND_WEIGHT = 0.1

Row = tuple[list[int], list[float]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one length, and the weight in the loss of predicting each token.

    `tokens` and `weights` have shape [row, position]; the first column is never predicted.
    """

    tokens: Tensor
    weights: Tensor


def weighted_rows(texts: list[corpus.Pieces], tokenizer: PreTrainedTokenizerFast) -> list[Row]:
    """Each text between two `<|endoftext|>`, with weight 1 on answers and 0.1 elsewhere."""
    pieces = list(dict.fromkeys(piece for text in texts for piece in text))
    ids = dict(zip(pieces, tokenizer(pieces)["input_ids"], strict=True))
    rows = []
    for prompt, *rest in texts:
        tokens = [END_OF_TEXT_ID, *ids[prompt]]
        weights = [BACKGROUND_WEIGHT] * len(tokens)
        for piece in rest:
            tokens += ids[piece]
            weights += [1.0] + [BACKGROUND_WEIGHT] * (len(ids[piece]) - 1)
        rows.append(([*tokens, END_OF_TEXT_ID], [*weights, BACKGROUND_WEIGHT]))
    return rows


def sentence_batches(
    tokenizer: PreTrainedTokenizerFast, batch_size: int, seed: int
) -> Iterator[Batch]:
    """Batches from a fixed pool of texts; rows of one length, so that nothing is padded."""
    by_length: defaultdict[int, list[Row]] = defaultdict(list)
    texts = corpus.sample_texts(seed=seed, count=corpus.POOL_SIZE)
    for row in weighted_rows(texts, tokenizer):
        by_length[len(row[0])].append(row)
    pools = [
        Batch(torch.tensor([row[0] for row in rows]), torch.tensor([row[1] for row in rows]))
        for _, rows in sorted(by_length.items())
        if len(rows) >= batch_size
    ]
    sizes = torch.tensor([len(pool.tokens) for pool in pools], dtype=torch.float)
    generator = torch.Generator().manual_seed(seed)
    while True:
        pool = pools[int(torch.multinomial(sizes, 1, generator=generator))]
        chosen = torch.randint(len(pool.tokens), (batch_size,), generator=generator)
        yield Batch(pool.tokens[chosen], pool.weights[chosen])


def repeated_batches(
    tokenizer: PreTrainedTokenizerFast, batch_size: int, seed: int
) -> Iterator[Batch]:
    """Random words said twice; the weight is on the second half, past its first word."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        length = int(torch.randint(5, CONTEXT // 2 - 1, (), generator=generator))
        shape = (batch_size, length)
        half = torch.randint(FIRST_WORD_ID, len(tokenizer), shape, generator=generator)
        begin = torch.full((batch_size, 1), END_OF_TEXT_ID)
        weights = torch.full((batch_size, 2 * length + 1), 0.05)
        weights[:, length + 2 :] = 1.0
        yield Batch(torch.cat([begin, half, half], 1), weights)
