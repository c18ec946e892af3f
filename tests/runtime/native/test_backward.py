"""The backward by hand is autograd's: every block, every start, many streams at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from atpdsl.planning.ops import Backward, Measure, Place
from atpdsl.runtime.native.backward import BlockBackward
from atpdsl.runtime.native.block import LAST, WIDE, Narrow, Trace, run_block
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.pieces import NativePieces
from atpdsl.runtime.native.weights import Block
from atpdsl.semantics.experiment import MetricCall
from tests.engine import NOWHERE
from tests.runtime.native.twins import (
    LENGTH,
    engines,
    forward,
    places,
    prompts,
    randoms,
    weights_of,
)
from tests.small_models import N_LAYERS, no_downcast

NODES = ("heads.q", "heads.k", "heads.v", "heads.z", "neurons")
SPARE = Narrow(queries=False, rest=True)
"""A last layer whose attention is looked at."""
STREAMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A block's run with its graph: the tensors that gradients are taken at, by kind."""

    block: Block
    frame: Frame
    trace: Trace
    sites: dict[str, Tensor]
    output: Tensor


def walked(family: str, narrow: Narrow, number: int = 1) -> Walked:
    """A block run with leaves, in the middle of the model."""
    model, given = weights_of(family), prompts()
    x = randoms(torch.zeros(3, LENGTH, 32, dtype=torch.float64), 1)[0].requires_grad_(True)
    frame = Frame(model, x, 0, LENGTH, given.reads)
    sites: dict[str, Tensor] = {"resid.pre": x}

    def keep(kind: str, tensor: Tensor) -> Tensor:
        return sites.setdefault(kind, tensor)

    block = model.blocks[number]
    output, trace = run_block(block, x, frame, keep, past=None, narrow=narrow)
    return Walked(block=block, frame=frame, trace=trace, sites=sites, output=output)


def pulled(source: Tensor, at: Tensor, streams: Tensor) -> Tensor:
    """By autograd, one stream after the other, [stream, pair, pos, ...]."""
    found = [torch.autograd.grad(source, at, one, retain_graph=True) for one in streams]
    return torch.stack([gradient for (gradient,) in found])


def by_autograd(run: Walked, source: str, kind: str, streams: Tensor) -> Tensor:
    """From what attention or MLP writes to a place in it."""
    return pulled(run.sites[source], run.sites[kind], streams)


def everywhere(run: Walked, gradient: Tensor, start: int) -> Tensor:
    """At the positions from `start` on, whether it is narrow or not."""
    if gradient.shape[2] == 1:
        return run.frame.spread_gradient(gradient, start)
    return gradient[:, :, start:] if gradient.shape[2] == LENGTH else gradient


@pytest.mark.parametrize("start", [0, 1, 3, 6])
@pytest.mark.parametrize("narrow", [WIDE, LAST, SPARE], ids=["wide", "last", "spare"])
def test_every_piece_of_a_block_is_autograds(family, narrow, start):
    with no_downcast():
        run = walked(family, narrow)
        back = BlockBackward(run.block, run.trace, run.frame, start)
        # Of the cotangents only those from the start on: gradients walk backwards in time.
        streams = randoms(run.output.detach(), STREAMS)
        mine = streams if narrow.rest else streams[:, :, start:].contiguous()
        if not narrow.rest:
            streams[:, :, :start] = 0
        by_mlp, neurons = back.mlp(mine, {"neurons"})
        by_attention, heads = back.attention(mine, set(NODES[:4]), to_input=True)
        assert by_attention is not None

        expected = by_autograd(run, "mlp", "neurons", streams)
        torch.testing.assert_close(
            everywhere(run, neurons["neurons"], start), everywhere(run, expected, start)
        )
        read = run.trace.written.read
        expected = pulled(run.sites["mlp"], read, streams)
        torch.testing.assert_close(
            everywhere(run, by_mlp, start), everywhere(run, expected, start)
        )
        for kind, gradient in heads.items():
            expected = by_autograd(run, "attn", kind, streams)
            torch.testing.assert_close(
                everywhere(run, gradient, start), everywhere(run, expected, start), msg=kind
            )
        expected = by_autograd(run, "attn", "resid.pre", streams)
        torch.testing.assert_close(by_attention, expected[:, :, start:])


def test_only_what_is_wanted_is_computed(family):
    run = walked(family, WIDE)
    back = BlockBackward(run.block, run.trace, run.frame, 0)
    streams = randoms(run.output.detach(), 1)

    below, found = back.attention(streams, {"heads.z"}, to_input=False)
    assert below is None
    assert set(found) == {"heads.z"}
    _, found = back.attention(streams, {"heads.q", "heads.v"}, to_input=False)
    assert set(found) == {"heads.q", "heads.v"}
    assert back.mlp(streams, ())[1] == {}


def gradients(family: str, engine, start: int) -> Iterator[tuple[str, Tensor, int]]:
    """Of a difference of logits at every place of a run."""
    op = forward(family, tracked=True, segmented=True)
    metric = MetricCall(name="logit_diff", position="last", span=NOWHERE)
    asked = Backward(
        measure=Measure(forward=op, metric=metric), places=places(family), start=start
    )
    run = engine.run(prompts(), op, None)
    with torch.enable_grad():
        value = run.logits[:, 5] - run.logits[:, 6].square()
    for found in engine.gradients(asked, value, run, more=False):
        for name, gradient in found.plain.items():
            yield name, gradient, found.start


@pytest.mark.parametrize("start", [0, 2, 6])
def test_the_gradients_of_a_run_are_the_bridges(family, start):
    bridge, native = engines(family)
    with no_downcast():
        expected = {name: g for name, g, _ in gradients(family, bridge, 0)}
        found = {name: (g, at) for name, g, at in gradients(family, native, start)}

    assert set(found) == set(expected)
    for name, (gradient, at) in found.items():
        assert at == start
        torch.testing.assert_close(gradient, expected[name][:, start:], msg=name)


def test_gradients_begin_no_later_than_what_is_read():
    _, native = engines("gpt2")

    assert {at for _, _, at in gradients("gpt2", native, 8)} == {6}


def test_traces_are_let_go_as_they_are_walked():
    _, native = engines("gpt2")
    run = native.run(prompts(), forward("gpt2", tracked=True), None)
    assert run.native is not None
    pieces = NativePieces(weights_of("gpt2"), run.native, run.logits, 0, release=True)
    for layer in reversed(range(N_LAYERS)):
        pieces.forget(layer)

    assert run.native.traces == [None] * N_LAYERS
    with pytest.raises(ValueError, match="nothing is kept of layer 1"):
        pieces.by_mlp(1, torch.zeros(3, LENGTH, 32, dtype=torch.float64))


def test_an_embedding_has_the_gradient_of_the_first_block(family):
    """What is added to it, a position's embedding, is a constant."""
    _, native = engines(family)
    found = {name: g for name, g, _ in gradients(family, native, 0)}
    embedding, stream = (
        next(g for name, g in found.items() if site in name)
        for site in ("embed", "blocks.0.hook_resid_pre")
    )

    assert torch.equal(embedding, stream)
    assert Place("embed", 0) in places(family)
