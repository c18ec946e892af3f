"""The floor of attribution patching: two forwards and one backward to the activations.

The corrupted run keeps no graph; the clean run keeps one; one backward gives the gradient of
the metric at every head's q, k, v and z, every neuron and every MLP's output. Parameters take
no gradients. Nothing is contracted: it is what any method of this kind has to spend at least.
It is written in plain torch (`benchmarks.plain`) and measured against the same in the Hugging
Face model, so that one can see that the floor is a good one.

    python -m benchmarks.floor [--sizes gpt2s] [--pairs 8] [--tokens 16] [--rounds 9]
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import Work, contest
from benchmarks.plain import Plain, Sites
from benchmarks.prompts import ANSWER, FOIL, Pairs


def metric(logits: Tensor) -> Tensor:
    """The logit difference, [row]."""
    return logits[:, ANSWER] - logits[:, FOIL]


def floor(model: Plain, pairs: Pairs) -> Sites:
    """Two forwards and one activation-only backward; gives the gradients by site."""
    with torch.inference_mode():
        model.logits(model.embed(pairs.corrupted))
    return forward_and_backward(model, pairs.clean)


def forward(model: Plain, tokens: Tensor) -> Tensor:
    """One forward without a graph."""
    with torch.inference_mode():
        return model.logits(model.embed(tokens))


def forward_and_backward(model: Plain, tokens: Tensor, *, keep_sites: bool = True) -> Sites:
    """One forward with a graph, and one backward to the activations.

    Args:
        keep_sites: whether the gradients at all sites are kept, or only the embedding's.
    """
    with torch.enable_grad():
        embedded = model.embed(tokens).detach().requires_grad_(True)
        sites: Sites = {} if keep_sites else {"embed": embedded}
        total = metric(model.logits(embedded, sites=sites if keep_sites else None)).sum()
        gradients = torch.autograd.grad(total, list(sites.values()))
    return dict(zip(sites, gradients, strict=True))


def hugging_face_floor(model: Any, pairs: Pairs) -> None:
    """The same in the Hugging Face model, which must be frozen: gradients reach every site."""
    with torch.inference_mode():
        model(pairs.corrupted, use_cache=False, logits_to_keep=1)
    with torch.enable_grad():
        embedded = model.get_input_embeddings()(pairs.clean).detach().requires_grad_(True)
        found = model(inputs_embeds=embedded, use_cache=False, logits_to_keep=1)
        torch.autograd.grad(metric(found.logits[:, -1]).sum(), [embedded])


def hugging_face_forward(model: Any, tokens: Tensor) -> None:
    """One forward of the Hugging Face model without a graph."""
    with torch.inference_mode():
        model(tokens, use_cache=False, logits_to_keep=1)


def main() -> None:
    """Measure and print."""
    from benchmarks.models import hugging_face
    from benchmarks.options import read
    from benchmarks.plain import plain_model
    from benchmarks.tables import Report

    options = read(__doc__, rounds=9)
    pairs = options.random_pairs()
    sdpa = hugging_face(options.sizes, attention="sdpa")
    eager = hugging_face(options.sizes, attention="eager")
    plain = plain_model(sdpa, options.sizes)
    contestants: dict[str, Work] = {
        "floor": lambda: floor(plain, pairs),
        "forward": lambda: forward(plain, pairs.clean),
        "forward + backward": lambda: forward_and_backward(plain, pairs.clean),
        "HF forward, sdpa": lambda: hugging_face_forward(sdpa, pairs.clean),
        "HF floor, sdpa": lambda: hugging_face_floor(sdpa, pairs),
        "HF floor, eager": lambda: hugging_face_floor(eager, pairs),
    }
    times = contest(contestants, options.rounds)
    report = Report("floor", "The floor", options)
    for name, one in times.items():
        who = "Hugging Face" if name.startswith("HF") else "plain torch"
        report.line(name.removeprefix("HF "), who, one, ("floor", times["floor"]))
    report.finish()


if __name__ == "__main__":
    main()
