"""Where the graph of a run is cut, so that gradients are walked back block by block."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from atpdsl.nodes.attention import block_input, block_output
from atpdsl.runtime.sites import HookFunction


@dataclass(slots=True)
class Segments:
    """The pieces of a graph that is cut at the input of every block.

    Attributes:
        inputs: n_layers + 1 leaves: at the input of each block, and at the output of the last.
        outputs: what they were cut from; the first hangs on the embedding.
    """

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)


def segment_hooks(n_layers: int, segments: Segments) -> list[tuple[str, HookFunction]]:
    """Hooks that cut the graph of a run; set first, so that all others see the leaves."""

    def cut(tensor: Tensor, hook: object) -> Tensor:  # noqa: ARG001 (their signature)
        leaf = tensor.detach().requires_grad_(True)
        segments.outputs.append(tensor)
        segments.inputs.append(leaf)
        return leaf

    names = [block_input(layer) for layer in range(n_layers)] + [block_output(n_layers - 1)]
    return [(name, cut) for name in names]
