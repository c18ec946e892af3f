"""A run leaves the model as it found it, whether it ends well or not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.semantics.experiment import Direction
from tests.engine import experiment, loaded, make_plan, token_pair
from tests.oracle.cases import SAME_LENGTH, every_position, node_set
from tests.small_models import small_model

METHODS = pytest.mark.parametrize("method", ["ap", "atp"])
KINDS = ("heads.q", "heads.z", "neurons", "resid.mid", "embed")


class StoppedError(Exception):
    """What a user's own hook raises in the middle of a run."""


@pytest.fixture(params=["gpt2", "llama"])
def model(request: pytest.FixtureRequest) -> LoadedModel:
    """A model in its bridge, with one parameter that somebody trains.

    It has run once: TransformerLens puts hooks of its own on the norms when it first runs.
    """
    model = loaded(small_model(request.param))
    next(iter(model.bridge.parameters())).requires_grad_()
    logits(model)
    return model


def execute(model: LoadedModel, method: str) -> Outcome:
    """A run on this very bridge."""
    rows = zip(
        SAME_LENGTH.clean,
        SAME_LENGTH.corrupted,
        SAME_LENGTH.answers,
        SAME_LENGTH.foils,
        strict=True,
    )
    plain = small_model(model.bridge.original_model.config.model_type)
    sets = [node_set(plain, kind, every_position(SAME_LENGTH)) for kind in KINDS]
    asked = experiment(methods=((method, Direction.NOISING),))
    plan = make_plan([token_pair(*row) for row in rows], sets, asked)
    return BridgeExecutor().execute(optimize(plan), model, Silent())


def logits(model: LoadedModel) -> Tensor:
    with torch.no_grad():
        return model.bridge(torch.tensor(SAME_LENGTH.clean))


def hooks(bridge: nn.Module) -> dict[str, tuple[list[int], ...]]:
    """Module name -> the ids of all torch hooks on it."""
    return {
        name: (
            sorted(module._forward_hooks),
            sorted(module._forward_pre_hooks),
            sorted(module._backward_hooks),
            sorted(module._backward_pre_hooks),
        )
        for name, module in bridge.named_modules()
    }


@METHODS
def test_parameters_get_no_gradient_and_keep_value_and_flag(model, method):
    before = {
        name: (p.requires_grad, p.detach().clone())
        for name, p in model.bridge.named_parameters()
    }
    execute(model, method)

    for name, parameter in model.bridge.named_parameters():
        flag, value = before[name]
        assert parameter.grad is None
        assert parameter.requires_grad == flag
        assert torch.equal(parameter, value)


@METHODS
def test_logits_are_the_same_bits_after_a_run(model, method):
    before = logits(model)
    execute(model, method)

    assert torch.equal(logits(model), before)


@METHODS
def test_hooks_of_the_user_fire_and_stay_and_ours_go(model, method):
    calls: list[str] = []
    model.bridge.add_hook("blocks.1.mlp.hook_post", lambda *_, **__: calls.append("bridge"))
    model.bridge.unembed.register_forward_hook(lambda *_: calls.append("torch"))
    before = hooks(model.bridge)
    execute(model, method)

    assert set(calls) == {"bridge", "torch"}
    assert hooks(model.bridge) == before


@METHODS
@pytest.mark.parametrize("good_calls", [0, 1])
def test_an_exception_half_way_leaves_no_hook_and_no_gradient_behind(model, method, good_calls):
    calls: list[int] = []

    def stop(*_: object) -> None:
        calls.append(1)
        if len(calls) > good_calls:
            raise StoppedError

    model.bridge.blocks[1].register_forward_hook(stop)
    before = hooks(model.bridge)
    with pytest.raises(StoppedError):
        execute(model, method)

    assert hooks(model.bridge) == before
    assert all(parameter.grad is None for parameter in model.bridge.parameters())
    assert torch.is_grad_enabled()


@METHODS
def test_the_global_state_of_torch_is_left_alone(model, method):
    with torch.no_grad():
        execute(model, method)
        assert not torch.is_grad_enabled()
    generator, threads = torch.get_rng_state(), torch.get_num_threads()
    execute(model, method)

    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.get_num_threads() == threads
