"""Cases of GradDrop whose answers are known: a residual stream of width one.

The node is what layer 0 adds, n. Later layers add f(stream), so that the metric, the stream at
the end, is n + f(n). Its direct and its indirect part are made to cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from atpdsl.planning.ops import Drop, Place
from atpdsl.runtime.drops import Dropped
from atpdsl.runtime.segments import Segments
from atpdsl.runtime.sites import contributions
from atpdsl.runtime.streams import walk_back
from atpdsl.selftesting.checks import Check, Compared, judged

ALLOWED = {torch.float64: 1e-12, torch.float32: 1e-6}
NODE = Place("mlp", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """A stream whose later layers add `layers` of it; the node goes from `start` to `end`."""

    name: str
    layers: Sequence[Callable[[Tensor], Tensor]]
    start: float
    end: float
    atp: float
    magnitude: float


def _nothing(stream: Tensor) -> Tensor:
    return 0 * stream


def _minus(stream: Tensor) -> Tensor:
    return -stream


def _minus_relu(stream: Tensor) -> Tensor:
    return -stream.relu()


def _minus_sine(stream: Tensor) -> Tensor:
    return -stream.sin()


def _brittle(stream: Tensor) -> Tensor:
    return -0.99 * stream - 0.2 * stream**2


TOYS = (
    Toy(name="n - relu(n)", layers=(_minus_relu,), start=1, end=-3, atp=0, magnitude=4),
    Toy(
        name="n - relu(n), and a layer that adds nothing",
        layers=(_minus_relu, _nothing),
        start=1,
        end=-3,
        atp=0,
        magnitude=2,
    ),
    Toy(name="n - sin(n)", layers=(_minus_sine,), start=0, end=pi, atp=0, magnitude=pi),
    Toy(name="n - n", layers=(_minus,), start=1, end=3, atp=0, magnitude=2),
    Toy(name="0.01 n - 0.2 n^2", layers=(_brittle,), start=0, end=1, atp=0.01, magnitude=1),
)


def layer_cases(dtype: torch.dtype, device: str) -> Iterator[Check]:
    """GradDrop, and AtP beside it, in one precision, on one device."""
    found = [(toy, *_estimates(toy, dtype, device)) for toy in TOYS]
    kind, allowed = NODE.kind, ALLOWED[dtype]
    plain = [Compared(toy.name, atp, toy.atp) for toy, atp, _ in found]
    yield judged("AtP, cancelling paths", kind, plain, relative=allowed, rounding=allowed)
    dropped = [Compared(toy.name, size, toy.magnitude) for toy, _, size in found]
    yield judged("GradDrop, cancelling paths", kind, dropped, relative=allowed, rounding=0)
    yield _mean(dtype, device)


def _mean(dtype: torch.dtype, device: str) -> Check:
    """The mean over drops, with the node's own layer as the factor L / (L - 1)."""
    estimates = torch.tensor([[1, -2, 0], [-3, 4, 2], [2, -1, -4]], dtype=dtype, device=device)
    drops = Dropped(streams=estimates, plain=0, divisor=2)
    sizes = drops.magnitude(torch.zeros_like(estimates[0]), estimates).tolist()
    compared = [
        Compared(f"node {number}", size, expected)
        for number, (size, expected) in enumerate(zip(sizes, (3, 3.5, 3), strict=True))
    ]
    return judged("GradDrop, mean of layers", "", compared, relative=0, rounding=0)


def _estimates(toy: Toy, dtype: torch.dtype, device: str) -> tuple[float, float]:
    """(AtP's signed estimate, GradDrop's magnitude), by the engine's walk back."""
    sites: dict[str, Tensor] = {}
    segments = Segments()
    with torch.enable_grad():
        stream = torch.zeros(1, 1, 1, dtype=dtype, device=device, requires_grad=True)
        start = torch.full_like(stream, toy.start)
        layers = (lambda stream: 0 * stream + start, *toy.layers)
        for number, layer in enumerate(layers):
            stream = _layer(number, layer, _cut(stream, segments), sites)
        metric = _cut(stream, segments)[:, 0, 0]
        found = list(
            walk_back(metric, sites, segments, (NODE,), (Drop.EVERY_LAYER,), release=True)
        )
    step = toy.end - toy.start
    # The last that is yielded is layer 0, which the node is in.
    plain = step * found[-1].plain[contributions(0)[1]].sum()
    dropped = found[-1].dropped[Drop.EVERY_LAYER][NODE]
    each = step * dropped.streams.flatten(1).sum(1)
    return float(plain), float(dropped.magnitude(plain, each))


def _layer(
    number: int, layer: Callable[[Tensor], Tensor], stream: Tensor, sites: dict[str, Tensor]
) -> Tensor:
    """A block whose attention adds nothing and whose MLP adds `layer` of the stream."""
    attention, mlp = contributions(number)
    sites[attention] = 0 * stream
    middle = stream + sites[attention]
    sites[mlp] = layer(middle)
    return middle + sites[mlp]


def _cut(stream: Tensor, segments: Segments) -> Tensor:
    """As `runtime.segments` does at the input of every block."""
    leaf = stream.detach().requires_grad_(True)
    segments.outputs.append(stream)
    segments.inputs.append(leaf)
    return leaf
