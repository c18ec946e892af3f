"""The engine on a real model in float32, against patching by hand on the plain model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from atpdsl.binding.nodeset import NodeSet
from atpdsl.models.config import read_shape
from atpdsl.models.tokenizer import load_tokenizer
from atpdsl.nodes import NODE_KINDS
from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import load_model
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import experiment, make_plan, token_pair
from tests.oracle.plain import Node, capture, part, patched_logits, run

pytestmark = [pytest.mark.slow, pytest.mark.real_model]

CLEAN = "When Mary and John went to the store, John gave a drink to"
CORRUPTED = "When Mary and John went to the store, Mary gave a drink to"
ANSWER, FOIL = " Mary", " John"
LAYERS = (0, 11, 29)
POSITIONS = ("10", "12", "14")


def sample() -> tuple[NodeSet, ...]:
    """207 nodes of all kinds, early and late, from the first differing token on."""
    sets = []
    for kind in NODE_KINDS:
        layers = LAYERS if kind.layered else (0,)
        indices = {"head": (1, 8), "kv_head": (0, 2), "neuron": (7, 600, 1500)}
        chosen = indices.get(kind.unit.value, (0,))
        if kind.layered and len(chosen) == 1:
            layers = (0, 5, 11, 17, 23, 28, 29)
        sets.append(NodeSet(kind=kind.name, layers=layers, indices=chosen, positions=POSITIONS))
    return tuple(sets)


@pytest.fixture(scope="module")
def ids(smollm2):
    tokenizer = load_tokenizer(smollm2.directory)

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text)[0])

    bos = [tokenizer.bos_id]
    return bos + encode(CLEAN), bos + encode(CORRUPTED), encode(ANSWER)[0], encode(FOIL)[0]


@pytest.fixture(scope="module")
def outcome(smollm2, ids) -> Outcome:
    shape = read_shape(smollm2.directory)
    model = load_model(smollm2, shape, dtype="float32", device="cpu")
    asked = experiment(
        methods=(("ap", Direction.NOISING), ("atp", Direction.NOISING)),
        run=RunSettings(per_pair=True),
    )
    plan = optimize(make_plan([token_pair(*ids)], sample(), asked, shape))
    return BridgeExecutor().execute(plan, model, Silent())


@pytest.fixture(scope="module")
def plain(smollm2):
    return AutoModelForCausalLM.from_pretrained(
        smollm2.directory,
        local_files_only=True,
        use_safetensors=True,
        attn_implementation="eager",
        dtype=torch.float32,
    ).eval()


def test_the_prompts_are_what_the_test_thinks(ids, outcome):
    clean, corrupted, _, _ = ids

    assert len(clean) == len(corrupted) == 15
    assert [i for i in range(15) if clean[i] != corrupted[i]] == [10]
    assert outcome.clean_metric[0] > 2 > -2 > outcome.corrupted_metric[0]


def test_two_hundred_effects_agree_with_patching_by_hand(plain, ids, outcome):
    clean, corrupted = torch.tensor([ids[0]]), torch.tensor([ids[1]])
    answer, foil = ids[2], ids[3]

    def metric(logits):
        return (logits[:, -1, answer] - logits[:, -1, foil]).item()

    donated = capture(plain, corrupted)
    unpatched = metric(run(plain, clean))
    scale = abs(unpatched - metric(run(plain, corrupted)))
    compared = 0
    for nodes, found in zip(sample(), outcome.methods[0].per_pair, strict=True):
        for flat in range(len(nodes)):
            layer, index, position = nodes.at(flat)
            node = Node(kind=nodes.kind, layer=layer, index=index, position=int(position))
            value = part(donated[nodes.kind, layer], node)
            expected = metric(patched_logits(plain, clean, node, value)) - unpatched
            assert found[0].reshape(-1)[flat] == pytest.approx(expected, abs=1e-3 * scale)
            compared += 1

    assert compared >= 200


def test_estimates_of_linear_nodes_follow_their_effects(outcome):
    # Values and head outputs enter the stream linearly and change it little; keys, queries and
    # whole streams do not, and there a first-order estimate may be far off.
    linear = [n for n, nodes in enumerate(sample()) if nodes.kind in {"heads.v", "heads.z"}]
    effects, estimates = (
        np.concatenate([method.per_pair[n].reshape(-1) for n in linear])
        for method in outcome.methods
    )

    assert np.corrcoef(effects, estimates)[0, 1] > 0.95


def test_replacing_the_whole_stream_at_the_difference_replaces_the_answer(outcome):
    gap = outcome.corrupted_metric[0] - outcome.clean_metric[0]
    kinds = [nodes.kind for nodes in sample()]
    embed = outcome.methods[0].per_pair[kinds.index("embed")].reshape(-1)

    # The prompts differ in one token: its embedding carries all of the difference.
    assert embed[0] == pytest.approx(gap, abs=1e-3 * abs(gap))


def test_the_bridge_computes_what_hugging_face_does(smollm2, plain, ids):
    model = load_model(smollm2, read_shape(smollm2.directory), dtype="float32", device="cpu")
    tokens = torch.tensor([ids[0]])

    with torch.no_grad():
        expected, logits = plain(tokens).logits, model.bridge(tokens)

    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)  # logits up to 20, float32
