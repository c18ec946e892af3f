"""What a metric may read of some tokens, one number per pair; a new one goes into the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, TokenRows
from atpdsl.registry import Registry
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """A reading of a set of tokens.

    Attributes:
        read: (logits, tokens) -> [pair]; uses tensor methods only.
        unit: what the number is measured in.
        of_logits: only the tokens' logits are read.
    """

    signature: Signature
    read: Callable[[Logits, TokenRows], Tensor]
    unit: str
    of_logits: bool = False

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.signature.name


def logit(logits: Logits, tokens: TokenRows) -> Tensor:
    """Mean logit of the tokens: [pair]."""
    return _of_tokens(logits.values, tokens).sum(-1) / tokens.mask.sum(-1)


def prob(logits: Logits, tokens: TokenRows) -> Tensor:
    """Probability of any of the tokens: [pair]."""
    return _of_tokens(logits.probabilities, tokens).sum(-1)


def logprob(logits: Logits, tokens: TokenRows) -> Tensor:
    """Log of the probability of any of the tokens: [pair], in nats."""
    each = logits.logprobs.gather(-1, tokens.ids)
    return each.masked_fill(tokens.mask == 0, float("-inf")).logsumexp(-1)


def loss(logits: Logits, tokens: TokenRows) -> Tensor:
    """Minus the log-probability: [pair], in nats."""
    return -logprob(logits, tokens)


def rank(logits: Logits, tokens: TokenRows) -> Tensor:
    """How many tokens have a larger logit than the best of these: [pair]."""
    each = logits.values.gather(-1, tokens.ids)
    best = each.masked_fill(tokens.mask == 0, float("-inf")).amax(-1, keepdim=True)
    return (logits.values > best).sum(-1).to(logits.values.dtype)


def _of_tokens(values: Tensor, tokens: TokenRows) -> Tensor:
    """Values of the tokens, zero where the mask is: [pair, vocab] -> [pair, k]."""
    return values.gather(-1, tokens.ids) * tokens.mask


READINGS = Registry(
    "reading",
    (
        TokenReading(
            signature=Signature(name="logit", summary="mean logit of the tokens"),
            read=logit,
            of_logits=True,
            unit="logits",
        ),
        TokenReading(
            signature=Signature(name="prob", summary="probability of any of the tokens"),
            read=prob,
            unit="probability",
        ),
        TokenReading(
            signature=Signature(
                name="logprob", summary="log of the probability of any of the tokens"
            ),
            read=logprob,
            unit="nats",
        ),
        TokenReading(
            signature=Signature(name="loss", summary="minus the log-probability"),
            read=loss,
            unit="nats",
        ),
        TokenReading(
            signature=Signature(
                name="rank",
                summary="how many tokens have a larger logit than the best of these: 0 is the "
                "top; has no gradient",
                differentiable=False,
            ),
            read=rank,
            unit="places",
        ),
    ),
)
