from typing import Any

import pytest
import torch
from torch import Tensor

from atpdsl.problems import RunError
from atpdsl.runtime.hooked import check_bridge, hook_point, hooked
from tests.small_models import bridge, no_downcast, random_tokens

Z = "blocks.1.attn.hook_z"
POST = "blocks.1.hook_resid_post"


@pytest.fixture
def gpt2() -> Any:
    return bridge("gpt2")


def attached(model: Any) -> list[str]:
    return [name for name, point in model.hook_dict.items() if point._forward_hooks]


def double(tensor: Tensor, hook: object) -> Tensor:
    return 2 * tensor


def keep(tensor: Tensor, hook: object) -> None:
    return None


def fail(tensor: Tensor, hook: object) -> Tensor:
    raise ZeroDivisionError


def run(model: Any, name: str, function: Any) -> Tensor:
    with torch.no_grad(), hooked(model, [(name, function)]):
        return model(random_tokens())


def test_every_name_finds_the_point_of_the_dictionary(family: str) -> None:
    model = bridge(family)

    assert all(hook_point(model, name) is point for name, point in model.hook_dict.items())


@pytest.mark.parametrize("name", ["", "blocks", "blocks.9.hook_resid_post", "cfg.n_layers"])
def test_name_without_a_hook_is_an_error(gpt2: Any, name: str) -> None:
    with pytest.raises(KeyError):
        hook_point(gpt2, name)


def test_hook_edits_the_model_only_inside_the_block(gpt2: Any) -> None:
    before = gpt2(random_tokens())
    inside = run(gpt2, Z, double)

    assert not torch.equal(inside, before)
    assert torch.equal(gpt2(random_tokens()), before)
    assert attached(gpt2) == []


def test_hook_that_only_looks_leaves_the_logits_bit_for_bit(family: str) -> None:
    model = bridge(family, torch.float32)
    names = [name for name in model.hook_dict if model._gated_hook_reason(name) is None]
    before = model(random_tokens())

    with hooked(model, [(name, keep) for name in names]):
        found = model(random_tokens())

    assert torch.equal(found, before)


@pytest.mark.parametrize("where", [Z, "nowhere"])
def test_hooks_are_gone_after_an_exception(gpt2: Any, where: str) -> None:
    with (
        pytest.raises((ZeroDivisionError, KeyError)),
        hooked(gpt2, [(POST, double), (where, fail)]),
    ):
        gpt2(random_tokens())

    assert attached(gpt2) == []


def test_hooks_of_others_stay(gpt2: Any) -> None:
    seen: list[str] = []
    gpt2.add_hook(Z, lambda tensor, hook: seen.append("theirs"))
    gpt2.add_hook(POST, lambda tensor, hook: seen.append("permanent"), is_permanent=True)

    run(gpt2, Z, double)
    gpt2(random_tokens())

    assert seen == ["theirs", "permanent"] * 2


def test_hook_that_others_add_inside_the_block_stays(gpt2: Any) -> None:
    with hooked(gpt2, [(Z, double)]):
        gpt2.add_hook(Z, keep)

    assert len(gpt2.hook_dict[Z].fwd_hooks) == 1


def test_blocks_nest_and_take_away_only_their_own(gpt2: Any) -> None:
    with hooked(gpt2, [(Z, double)]):
        twice = run(gpt2, Z, double)
        once = gpt2(random_tokens())

    assert torch.equal(once, run(gpt2, Z, double))
    assert torch.equal(twice, run(gpt2, Z, lambda tensor, hook: 4 * tensor))


def test_edit_in_place_counts_even_if_nothing_is_returned(gpt2: Any) -> None:
    def zero(tensor: Tensor, hook: object) -> None:
        tensor[:, 0] = 0

    def zeroed(tensor: Tensor, hook: object) -> Tensor:
        return torch.cat((torch.zeros_like(tensor[:, :1]), tensor[:, 1:]), dim=1)

    assert torch.equal(run(gpt2, Z, zero), run(gpt2, Z, zeroed))


@pytest.mark.parametrize("part", ["hook_q", "hook_k", "hook_v", "hook_z"])
def test_what_a_hook_sees_is_in_the_graph_even_if_not_returned(family: str, part: str) -> None:
    model = bridge(family)
    seen: list[Tensor] = []

    with hooked(
        model,
        [
            ("hook_embed", lambda tensor, hook: tensor.detach().requires_grad_(True)),
            (f"blocks.1.attn.{part}", lambda tensor, hook: seen.append(tensor)),
        ],
    ):
        total = model(random_tokens())[0, -1, 3]
    (gradient,) = torch.autograd.grad(total, seen)

    assert gradient.abs().max() > 0


@pytest.mark.parametrize("flag", ["use_split_qkv_input", "use_attn_in"])
@pytest.mark.parametrize("name", ["attn.hook_in", "attn.q.hook_in", "ln1.hook_normalized"])
def test_hook_that_a_flag_silences_is_refused(gpt2: Any, flag: str, name: str) -> None:
    getattr(gpt2, f"set_{flag}")(True)

    with pytest.raises(RunError) as caught:
        run(gpt2, f"blocks.1.{name}", double)

    assert caught.value.problems[0].code == "ATP324"
    assert f"set_{flag}(False)" in caught.value.problems[0].help
    assert attached(gpt2) == []


def test_hook_that_needs_a_flag_is_refused_without_it(gpt2: Any) -> None:
    with pytest.raises(RunError) as caught:
        run(gpt2, "blocks.1.attn.hook_result", double)

    assert caught.value.problems[0].code == "ATP324"
    gpt2.set_use_attn_result(True)
    assert not torch.equal(
        run(gpt2, "blocks.1.attn.hook_result", double), gpt2(random_tokens())
    )


@pytest.mark.parametrize("flag", ["use_split_qkv_input", "use_attn_in", "use_attn_result"])
def test_flags_are_left_as_found(gpt2: Any, flag: str) -> None:
    getattr(gpt2, f"set_{flag}")(True)
    run(gpt2, Z, double)

    assert getattr(gpt2.cfg, flag)


def test_bridge_in_compatibility_mode_is_refused(gpt2: Any) -> None:
    gpt2.enable_compatibility_mode(no_processing=True)

    with pytest.raises(RunError) as caught:
        run(gpt2, Z, double)

    assert caught.value.problems[0].code == "ATP325"
    assert [problem.code for problem in check_bridge(gpt2)] == ["ATP325"]


@pytest.mark.parametrize("path", ["", "blocks.1.attn", "original_model"])
def test_part_in_training_mode_is_found(gpt2: Any, path: str) -> None:
    part = gpt2.original_model if path == "original_model" else gpt2.get_submodule(path)
    part.train()

    assert [problem.code for problem in check_bridge(gpt2)] == ["ATP326"]


def test_bridge_as_loaded_is_fine(family: str) -> None:
    assert check_bridge(bridge(family)) == ()


def test_gradient_at_a_hook_is_the_finite_difference(family: str) -> None:
    model, tokens, step = bridge(family), random_tokens(), 1e-6
    seen: list[Tensor] = []
    first = [("hook_embed", lambda tensor, hook: tensor.detach().requires_grad_(True))]
    with no_downcast():
        with hooked(model, [*first, (Z, lambda tensor, hook: seen.append(tensor))]):
            value = model(tokens)[0, -1, 3]
        (gradient,) = torch.autograd.grad(value, seen)
        direction = torch.randn(
            gradient.shape, generator=torch.Generator().manual_seed(0), dtype=gradient.dtype
        )

        def at(distance: float) -> Tensor:
            return run(model, Z, lambda tensor, hook: tensor + distance * direction)[0, -1, 3]

        slope = (at(step) - at(-step)) / (2 * step)

    # Central differences: the error is of order step^2 + 1e-15 / step.
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-6, atol=1e-8)
