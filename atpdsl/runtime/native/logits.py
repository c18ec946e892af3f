"""From the residual stream to the logits."""

from __future__ import annotations

import torch
from torch import Tensor

from atpdsl.runtime.native.norms import normed
from atpdsl.runtime.native.weights import NativeModel
from atpdsl.runtime.sites import at_least_float32


def logits_of(model: NativeModel, stream: Tensor, tokens: Tensor | None = None) -> Tensor:
    """Logits [row, vocab], or of some tokens, from the stream where it is read, [row, 1, d]."""
    read = normed(model.final_norm, stream[:, 0])
    unembed = model.unembed
    if tokens is None:
        logits = unembed(read)
    else:
        bias = None if unembed.bias is None else unembed.bias[tokens]
        logits = torch.nn.functional.linear(read, unembed.weight[tokens], bias)
    logits = at_least_float32(logits)
    if model.soft_cap is not None:
        logits = model.soft_cap * torch.tanh(logits / model.soft_cap)
    return logits
