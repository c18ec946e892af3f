"""A model whose layers are on several devices, because no single one could hold it.

Its prompts and everything that is computed of its activations are on one device, its home.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from atpdsl.runtime.attention import AttentionValues
from atpdsl.runtime.drops import Dropped, Parts
from atpdsl.runtime.forward import Run
from atpdsl.runtime.streams import LayerGradients


def at_home(gradients: LayerGradients, home: str) -> LayerGradients:
    """Gradients that a walk has found, at home."""

    def dropped(one: Dropped) -> Dropped:
        return replace(one, streams=one.streams.to(home))

    def parts(one: Parts) -> Parts:
        return replace(one, streams=one.streams.to(home))

    return replace(
        gradients,
        plain={name: tensor.to(home) for name, tensor in gradients.plain.items()},
        dropped={
            drop: {place: dropped(one) for place, one in of_drop.items()}
            for drop, of_drop in gradients.dropped.items()
        },
        parts={place: parts(one) for place, one in gradients.parts.items()},
    )


def kept_at_home(run: Run, home: str) -> Run:
    """A run with what it has kept at home; its graph stays where it is."""
    return replace(
        run,
        logits=run.logits.to(home),
        values={place: tensor.to(home) for place, tensor in run.values.items()},
        attention={layer: _attention(one, home) for layer, one in run.attention.items()},
    )


def _attention(values: AttentionValues, home: str) -> AttentionValues:
    tensors = {
        name: tensor.to(home)
        for name in AttentionValues.__dataclass_fields__
        if isinstance(tensor := getattr(values, name), Tensor)
    }
    return replace(values, **tensors)
