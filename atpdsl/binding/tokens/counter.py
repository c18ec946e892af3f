"""The tokenizer as formulas see it."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.models.tokenizer import ModelTokenizer


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts the tokens of texts."""

    tokenizer: ModelTokenizer

    def count(self, text: str) -> int:
        """How many tokens a text has by itself, without BOS."""
        return len(self.tokenizer.encode(text)[0])
