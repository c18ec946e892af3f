"""Floating-point operations, compared with those that torch counts in a model's own run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from atpdsl.binding.nodeset import NodeSet
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Backward, Contract, Forward, PatchSweep
from atpdsl.planning.plan import walk
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.planning.work import Kind, Works, matrix_elements, per_token_layer, unembedding
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import experiment, make_plan, token_pair

GPT2 = ModelShape(
    architecture="GPT2LMHeadModel",
    family="gpt2",
    n_layers=3,
    n_heads=4,
    n_kv_heads=4,
    d_model=32,
    d_head=8,
    d_mlp=96,
    d_vocab=50,
    n_context=16,
)
LLAMA = replace(GPT2, architecture="LlamaForCausalLM", family="llama", n_kv_heads=2, d_mlp=80)
TOKENS = 8


def model_of(shape):
    if shape.family == "gpt2":
        config = GPT2Config(
            n_layer=shape.n_layers,
            n_head=shape.n_heads,
            n_embd=shape.d_model,
            n_inner=shape.d_mlp,
            vocab_size=shape.d_vocab,
            n_positions=shape.n_context,
            bos_token_id=0,
            eos_token_id=0,
        )
        model = GPT2LMHeadModel(config)
    else:
        config = LlamaConfig(
            num_hidden_layers=shape.n_layers,
            num_attention_heads=shape.n_heads,
            num_key_value_heads=shape.n_kv_heads,
            hidden_size=shape.d_model,
            intermediate_size=shape.d_mlp,
            vocab_size=shape.d_vocab,
            max_position_embeddings=shape.n_context,
        )
        model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")
    return model.eval().requires_grad_(requires_grad=False)


def planned(shape, *methods, nodes=None, n_pairs=2, target=BRIDGE, settings=None):
    nodes = nodes or NodeSet(kind="resid.pre", layers=(0,), indices=(0,), positions=("0",))
    pairs = [token_pair(range(TOKENS), range(1, TOKENS + 1), 7, 8) for _ in range(n_pairs)]
    asked = experiment(
        methods=[(name, Direction.NOISING) for name in methods],
        settings=settings,
        run=RunSettings(executor=target.name),
    )
    return optimize(make_plan(pairs, (nodes,), asked, shape), target)


def works_of(plan, kind):
    works = Works(plan)
    found = [works.of(op) for op in walk(plan) if isinstance(op, kind)]
    return [work for work in found if work is not None]


@pytest.mark.parametrize("shape", [GPT2, LLAMA], ids=["gpt2", "llama"])
def test_forward_and_backward_are_those_that_torch_counts(shape):
    model = model_of(shape)
    embedded = model.get_input_embeddings()(torch.zeros(2, TOKENS, dtype=torch.long))
    embedded.requires_grad_(requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        logits = model(inputs_embeds=embedded, logits_to_keep=1, use_cache=False).logits
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()

    plan = planned(shape, "atp")
    (base, donor), (gradient,) = works_of(plan, Forward), works_of(plan, Backward)

    # torch counts a few rotations too.
    assert base.flops == donor.flops == pytest.approx(forward.get_total_flops(), rel=0.01)
    assert gradient.flops == pytest.approx(backward.get_total_flops(), rel=0.01)
    assert (base.kind, gradient.kind) == (Kind.FORWARD, Kind.BACKWARD)


def test_a_gated_mlp_has_three_matrices():
    ungated = replace(LLAMA, family="gpt2")

    assert matrix_elements(LLAMA) - matrix_elements(ungated) == 32 * 80
    assert matrix_elements(GPT2) == 4 * 32 * 32 + 2 * 32 * 96


def test_patched_runs_are_whole_runs_on_a_bridge():
    nodes = NodeSet(kind="mlp", layers=(0, 1, 2), indices=(0,), positions=("3", "5"))
    (work,) = works_of(planned(GPT2, "ap", nodes=nodes), PatchSweep)

    # In the last layer nothing but the last position can matter.
    rows = 2 * 2 * 2
    run = TOKENS * 3 * per_token_layer(GPT2, TOKENS) + unembedding(GPT2)
    assert work.flops == rows * run
    assert work.kind is Kind.PATCHED
    assert work.calls == 3


def test_resumed_runs_cost_what_is_left_of_them():
    nodes = NodeSet(kind="mlp", layers=(2,), indices=(0,), positions=("7",))
    plan = planned(GPT2, "ap", nodes=nodes, target=NATIVE)
    (work,) = works_of(plan, PatchSweep)

    assert 0 < work.flops <= 2 * per_token_layer(GPT2, TOKENS)


def test_the_qk_fix_costs_products_with_every_key():
    nodes = NodeSet(kind="heads.q", layers=(1, 2), indices=(0, 1), positions=("3",))
    plain, fixed = (
        works_of(planned(GPT2, "atp", nodes=nodes, settings={"qk_fix": fix}), Contract)[0]
        for fix in (False, True)
    )

    assert fixed.flops - plain.flops == 2 * 2 * 4 * TOKENS * 4 * 8
    assert fixed.elements > plain.elements


def test_operations_that_only_look_cost_nothing():
    plan = planned(GPT2, "atp")
    works = Works(plan)

    idle = [op for op in walk(plan) if not isinstance(op, Forward | Backward | Contract)]
    assert idle
    assert all(works.of(op) is None for op in idle)


# ---- what comes with corrections and diagnostics


def gradient_work(grad_drop, diagnosed=None):
    """The work of the backward and of the contraction of heads, of one batch."""
    nodes = NodeSet(
        kind="heads.z", layers=(0, 1, 2), indices=(0, 1, 2, 3), positions=tuple("01234567")
    )
    asked = experiment(
        methods=(("atp", Direction.NOISING),),
        settings={"qk_fix": False, "grad_drop": grad_drop},
        diagnosis=diagnosed,
        run=RunSettings(executor="native"),
    )
    pair = token_pair(list(range(8)), [9, *range(1, 8)], 7, 8)
    plan = optimize(make_plan([pair], (nodes,), asked, GPT2))
    works = Works(plan)
    found = {type(op): works.of(op) for op in walk(plan) if isinstance(op, Backward | Contract)}
    return found[Backward], found[Contract]


def test_parts_by_first_reader_are_carried_into_each_layer():
    """Three layers: 1 + 2 + 3 parts that come later, the logits' and the MLP's own."""
    plain, _ = gradient_work("off")
    parted, _ = gradient_work("first_reader")
    per_part = 2 * 32 * 32 + 4 * TOKENS * 32

    assert parted.flops - plain.flops == 9 * TOKENS * per_part


def test_every_stream_is_multiplied_with_every_node():
    """A layer has its plain gradient and one stream for each layer above: 1, 2 and 3."""
    _, plain = gradient_work("off")
    _, dropped = gradient_work("every_layer")
    numbers = TOKENS * 3 * 32

    assert dropped.elements - plain.elements == numbers


def test_a_resumed_sweep_is_charged_for_what_it_runs():
    """A row joins in with one token, and the last layer is keys and values alone."""
    nodes = NodeSet(kind="mlp", layers=(0, 1, 2), indices=(0,), positions=("2", "3"))
    pair = token_pair(list(range(8)), [9, *range(1, 8)], 7, 8)
    asked = experiment(methods=(("ap", Direction.NOISING),), run=RunSettings(executor="native"))
    plan = optimize(make_plan([pair], (nodes,), asked, GPT2), NATIVE)
    (sweep,) = (op for op in walk(plan) if isinstance(op, PatchSweep))
    work = Works(plan).of(sweep)
    everything = counts(sweep, plan).forward_layers * per_token_layer(GPT2, TOKENS)

    assert sweep.incremental
    assert 0.1 * everything < work.flops < 0.6 * everything
