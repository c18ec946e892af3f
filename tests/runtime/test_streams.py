"""Walking gradients back: known answers on a stream of one number, and laws on small models."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from itertools import chain, combinations

import pytest
import torch
from torch import Tensor

from atpdsl.nodes.attention import attention_write, block_input, mlp_write
from atpdsl.planning.cost import walked
from atpdsl.planning.ops import Backward, Drop, Forward, Measure, Place, Side
from atpdsl.problems import RunError
from atpdsl.runtime import pullback
from atpdsl.runtime.drops import Dropped, dropped_at, parts_at
from atpdsl.runtime.streams import Segments, walk_back
from atpdsl.semantics.experiment import MetricCall
from tests.engine import NOWHERE
from tests.oracle.float64 import in_float64
from tests.oracle.metrics import logit_diff
from tests.runtime.walks import EVERY_DROP, CutRun, cut_run, write
from tests.small_models import FAMILIES, N_LAYERS, bridge, random_tokens, small_model

WALKED = (Drop.EVERY_LAYER, Drop.EVERY_SUBLAYER)
METRIC = logit_diff([[4], [17]], [[9], [33]])
STREAM = ("resid.pre", "resid.mid", "resid.post", "embed")
Reader = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def run():
    """A cut run of a small GPT-2."""
    model = small_model("gpt2")
    with in_float64(model):
        return cut_run(model, random_tokens(2, 6), METRIC)


# A residual stream of one number: layer 0's MLP writes n, each later MLP reads the stream.


def inert(x: Tensor) -> Tensor:
    return 0 * x


def toy(n: float, *readers: Reader) -> CutRun:
    """metric = n + reader(n) + ..., each reader a layer's MLP that reads what came before."""
    value = torch.full((1, 1, 1), n, dtype=torch.float64)
    stream = torch.zeros((1, 1, 1), dtype=torch.float64, requires_grad=True)
    segments, sites = Segments(), {"hook_embed": stream}

    def cut(tensor: Tensor) -> Tensor:
        segments.outputs.append(tensor)
        segments.inputs.append(tensor.detach().requires_grad_(True))
        return segments.inputs[-1]

    stream = stream + 0
    for layer, reader in enumerate((lambda x: 0 * x + value, *readers)):
        stream = cut(stream)
        attention = 0 * stream
        mlp = reader(stream + attention)
        sites |= {attention_write(layer): attention, mlp_write(layer): mlp}
        stream = stream + attention + mlp
    metric = cut(stream).sum((1, 2))
    places = (Place("mlp", 0), Place("embed", 0))
    return CutRun(metric, sites, segments, places)


def estimates(drop: Drop, found, place: Place, change: float) -> tuple[float, float]:
    """AtP's estimate and GradDrop's magnitude of a node in a toy."""
    plain = change * found.plain[write(place)]
    by = found.parts[place] if drop is Drop.FIRST_READER else found.dropped[drop][place]
    return plain.item(), by.magnitude(plain, change * by.streams).item()


CASES = {
    "relu cancels": (1.0, -3.0, [lambda x: -x.relu()], 0.0, -3.0, 4.0),
    "with a layer that does nothing": (1.0, -3.0, [lambda x: -x.relu(), inert], 0.0, -3.0, 2.0),
    "and before": (1.0, -3.0, [inert, lambda x: -x.relu()], 0.0, -3.0, 2.0),
    "sine": (0.0, math.pi, [lambda x: -x.sin()], 0.0, math.pi, math.pi),
    "exact cancellation": (0.5, 2.0, [lambda x: -x], 0.0, 0.0, 1.5),
    "brittle": (0.0, 1.0, [lambda x: -0.99 * x - 0.2 * x**2], 0.01, -0.19, 1.0),
}


@pytest.mark.parametrize("drop", [Drop.EVERY_LAYER, Drop.FIRST_READER], ids=str)
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_known_answers(case, drop):
    start, end, readers, atp, effect, magnitude = case
    base, node = toy(start, *readers), Place("mlp", 0)
    found = base.walk([drop], [node])

    measured = (toy(end, *readers).metric - base.metric).item()
    assert measured == pytest.approx(effect, abs=1e-12)
    assert estimates(drop, found, node, end - start) == pytest.approx(
        (atp, magnitude), abs=1e-12
    )


def test_the_direct_part_shows_the_brittle_cancellation():
    node = Place("mlp", 0)
    parts = toy(0.0, *CASES["brittle"][2]).walk([Drop.FIRST_READER], [node]).parts[node]

    direct, reader = parts.streams.flatten().tolist()
    assert (direct, reader) == pytest.approx((1.0, -0.99))
    assert direct / 0.19 == pytest.approx(5.263, abs=1e-3)


def test_the_mean_over_drops_by_hand():
    """Three drops of three nodes, L = 3: (2 + 1 + 3) / 2, (4 + 2 + 1) / 2, (0 + 2 + 4) / 2."""
    drops = torch.tensor([[1.0, -2.0, 0.0], [-3.0, 4.0, 2.0], [2.0, -1.0, -4.0]])
    found = Dropped(streams=drops, plain=0, divisor=2)

    assert found.magnitude(torch.zeros(3), drops).tolist() == [3.0, 3.5, 3.0]


@pytest.mark.parametrize("kind", ["heads.q", "neurons", "attn", "mlp"])
def test_a_single_layer_leaves_the_plain_estimate(kind):
    place, none = Place(kind, 0), torch.empty(0, 4)
    estimate = torch.tensor([1.0, -2.0, 0.5, 0.0])

    for found in (
        dropped_at(place, Drop.EVERY_LAYER, 1, none),
        parts_at(place, 1, estimate[None], 0),
    ):
        terms = none if isinstance(found, Dropped) else estimate[None]
        assert torch.equal(found.magnitude(estimate, terms), estimate.abs())


def test_a_model_of_one_layer_is_walked():
    found = toy(3.0).walk()
    node = Place("mlp", 0)

    for drop in EVERY_DROP:
        assert estimates(drop, found, node, 2.0) == pytest.approx((2.0, 2.0))


@pytest.mark.parametrize("drop", [Drop.EVERY_LAYER, Drop.FIRST_READER], ids=str)
def test_the_embedding_survives_every_drop_and_is_divided_by_all(drop):
    """A node x before three layers, metric = x - relu(x): (|0| + 1 + |0|) / 3 of the change."""
    base = toy(0.0, lambda x: -(x + 1).relu(), inert)
    found = base.walk([drop], [Place("embed", 0)])

    assert estimates(drop, found, Place("embed", 0), 6.0) == pytest.approx((0.0, 2.0))
    by = found.parts if drop is Drop.FIRST_READER else found.dropped[drop]
    assert by[Place("embed", 0)].divisor == 3


# Laws, on a small model.


def test_what_is_known_of_every_drop(run):
    """m drops leave the plain gradient, and in the last layer all but the node's own."""
    found = run.walk()
    change = torch.randn(100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    for place, dropped in found.dropped[Drop.EVERY_LAYER].items():
        plain = found.plain[write(place)].flatten()[:100]
        estimate, others = change * plain, change * dropped.streams.flatten(1)[:, :100]
        magnitude = dropped.magnitude(estimate, others)
        least = dropped.plain / dropped.divisor * estimate.abs()

        assert dropped.plain + len(dropped.streams) == dropped.divisor
        assert (magnitude >= least - 1e-15).all()
        if place.kind in STREAM:
            assert dropped.divisor == N_LAYERS
            continue
        assert (dropped.plain, dropped.divisor) == (place.layer, N_LAYERS - 1)
        if place.layer == N_LAYERS - 1:
            torch.testing.assert_close(magnitude, estimate.abs(), rtol=1e-15, atol=0)


SUBSETS = list(chain.from_iterable(combinations(EVERY_DROP, n) for n in range(4)))


@pytest.mark.parametrize("lowest", range(N_LAYERS))
@pytest.mark.parametrize("drops", SUBSETS, ids=str)
def test_as_many_streams_are_walked_as_the_plan_says(run, drops, lowest):
    places = (Place("heads.z", lowest), Place("mlp", N_LAYERS - 1))
    forward = Forward(batch=0, side=Side.CLEAN)
    measure = Measure(
        forward=forward, metric=MetricCall(name="logit_diff", position="last", span=NOWHERE)
    )
    op = Backward(measure=measure, places=places, drops=drops)

    assert sum(run.walk(drops, places).streams) == walked(op, N_LAYERS)


@pytest.mark.parametrize("drops", [(), (Drop.EVERY_LAYER,)], ids=str)
def test_streams_are_counted_as_they_go_through_a_block(run, drops, monkeypatch):
    outputs = {id(tensor) for tensor in run.segments.outputs[1:]}
    through: list[int] = []
    gradient = torch.autograd.grad

    def counted(output, inputs, grad_outputs, **how):
        if id(output) in outputs:
            through.append(len(grad_outputs) if how.get("is_grads_batched") else 1)
        return gradient(output, inputs, grad_outputs=grad_outputs, **how)

    monkeypatch.setattr(torch.autograd, "grad", counted)
    found = run.walk(drops, [Place("heads.z", 0), Place("neurons", 2)])

    assert through == found.streams
    assert sum(through) == (N_LAYERS * (N_LAYERS + 1) // 2 if drops else N_LAYERS)


def everything(found) -> dict[object, Tensor]:
    tensors: dict[object, Tensor] = dict(found.plain)
    tensors |= {("part", place): parts.streams for place, parts in found.parts.items()}
    for drop, by_place in found.dropped.items():
        tensors |= {(drop, place): dropped.streams for place, dropped in by_place.items()}
    return tensors


@pytest.mark.parametrize("family", FAMILIES)
def test_streams_one_by_one_give_what_they_give_together(family, monkeypatch):
    model = small_model(family)
    gradient, batched = torch.autograd.grad, []

    def spied(*args, **how):
        result = gradient(*args, **how)
        batched.append(how.get("is_grads_batched", False))
        return result

    def refused(*args, is_grads_batched=False, **how):
        if is_grads_batched:
            raise RuntimeError("Batching rule not implemented for aten::something")
        return gradient(*args, **how)

    with in_float64(model):
        run = cut_run(model, random_tokens(2, 6), METRIC)
        monkeypatch.setattr(torch.autograd, "grad", spied)
        together = everything(run.walk())
        monkeypatch.setattr(torch.autograd, "grad", refused)
        one_by_one = everything(run.walk())

    assert any(batched)
    assert together.keys() == one_by_one.keys()
    for key, value in together.items():
        torch.testing.assert_close(one_by_one[key], value, rtol=0, atol=1e-13)


def test_streams_in_small_groups_give_what_they_give_together(run, monkeypatch):
    together = everything(run.walk())
    monkeypatch.setattr(pullback, "MOST_NUMBERS", 2 * run.segments.inputs[0].numel() + 1)
    in_twos = everything(run.walk())

    for key, value in together.items():
        torch.testing.assert_close(in_twos[key], value, rtol=0, atol=1e-13)


def test_after_one_refusal_nothing_is_tried_together_again(run, monkeypatch):
    gradient, tried = torch.autograd.grad, []

    def refused(*args, is_grads_batched=False, **how):
        if is_grads_batched:
            tried.append(1)
            raise RuntimeError("Batching rule not implemented for aten::something")
        return gradient(*args, **how)

    monkeypatch.setattr(torch.autograd, "grad", refused)
    run.walk()

    assert len(tried) == 1


def test_too_little_memory_is_not_taken_for_an_operation_without_a_batching_rule(
    run, monkeypatch
):
    gradient = torch.autograd.grad

    def full(*args, is_grads_batched=False, **how):
        if is_grads_batched:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return gradient(*args, **how)

    monkeypatch.setattr(torch.autograd, "grad", full)
    with pytest.raises(RuntimeError, match="out of memory"):
        run.walk()


def test_a_graph_that_is_kept_can_be_walked_again(run):
    first, second = everything(run.walk()), everything(run.walk())

    for key, value in first.items():
        assert torch.equal(second[key], value)


def test_each_layer_is_yielded_by_itself_and_its_graph_goes():
    model = small_model("llama")
    with in_float64(model):
        run = cut_run(model, random_tokens(1, 5), logit_diff([[4]], [[9]]))
        kept = everything(run.walk())
        alive = [weakref.ref(run.sites[attention_write(layer)]) for layer in range(N_LAYERS)]
        layers, left = [], []
        for found in walk_back(run.metric, run.sites, run.segments, run.places, EVERY_DROP):
            layers.append({place.layer for place in found.parts})
            left.append([reference() is not None for reference in alive])
            for name, gradient in found.plain.items():
                assert torch.equal(gradient, kept[name])
            for drop, by_place in found.dropped.items():
                for place, dropped in by_place.items():
                    assert torch.equal(dropped.streams, kept[drop, place])

    assert not run.sites
    assert layers == [{2}, {1}, {0}, {0}]  # the embedding is last
    assert left == [[True, True, False], [True, False, False], [False] * 3, [False] * 3]


def test_a_walk_stops_at_the_lowest_place(run):
    places = [Place("heads.k", 1), Place("resid.pre", 2), Place("resid.post", 2)]
    found, whole = run.walk(places=places), run.walk()

    assert len(found.streams) == 2
    assert set(found.plain) == {write(place) for place in places}
    for key, value in everything(found).items():
        torch.testing.assert_close(value, everything(whole)[key], rtol=0, atol=1e-14)


def test_no_parameter_and_no_leaf_gets_a_gradient():
    model = small_model("qwen3")
    with in_float64(model):
        run = cut_run(model, random_tokens(1, 5), logit_diff([[4]], [[9]]))
        run.walk()

    assert all(leaf.grad is None for leaf in run.segments.inputs)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert run.sites["hook_embed"].grad is None


def test_a_place_that_no_gradient_reaches_is_refused(run):
    elsewhere = torch.zeros(2, 6, 4, 8, dtype=torch.float64, requires_grad=True)
    sites = run.sites | {write(Place("heads.q", 1)): elsewhere}

    for drops in ((), WALKED):
        with pytest.raises(RunError) as caught:
            list(walk_back(run.metric, sites, run.segments, run.places, drops, release=False))
        assert caught.value.problems[0].code == "ATP405"


def test_values_do_not_change_where_the_graph_is_cut():
    model, tokens = small_model("gemma3"), random_tokens(2, 6)
    with in_float64(model):
        run = cut_run(model, tokens, METRIC)
        uncut = METRIC(bridge(model)(tokens, return_type="logits", use_cache=False))

    assert torch.equal(run.metric, uncut)
    assert torch.equal(run.sites[block_input(0)], run.segments.inputs[0])
