"""Models made by hand, each with a circuit that plain AtP misses, for one reason each.

Heads have one dimension: a query, a key, a value and a write are linear forms of named
directions of the residual stream. There are no norms and no position embeddings. The effects
beside each pair follow from a few lines of arithmetic, said where the model is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import torch
from torch import Tensor

from tests.known_circuits.models import KnownModel, Pair

Form = Mapping[str, float]
"""A linear form, or a vector, of named directions."""
BOS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`query`, `key` and `value` read the stream, `write` is added times the output."""

    layer: int
    head: int
    query: Form = field(default_factory=dict)
    key: Form = field(default_factory=dict)
    value: Form
    write: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """relu(read . stream + bias) . write."""

    layer: int
    read: Form
    bias: float = 0.0
    write: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a model is made of; `tokens` are embeddings, and logit 0 minus logit 1 is read."""

    name: str
    about: str
    n_layers: int
    tokens: Sequence[Form]
    heads: Sequence[Head]
    neurons: Sequence[Neuron]
    metric: Form


def built(recipe: Recipe, pairs: Sequence[Pair]) -> KnownModel:
    """The model of a recipe."""
    parts: list[Form] = [*recipe.tokens, recipe.metric]
    for head in recipe.heads:
        parts += [head.query, head.key, head.value, head.write]
    for neuron in recipe.neurons:
        parts += [neuron.read, neuron.write]
    axis = {name: i for i, name in enumerate(sorted({name for part in parts for name in part}))}
    n_heads = 1 + max(head.head for head in recipe.heads)
    layers = range(recipe.n_layers)
    d_mlp = max(sum(n.layer == layer for n in recipe.neurons) for layer in layers)
    config: dict[str, Any] = {
        "n_layers": recipe.n_layers,
        "n_heads": n_heads,
        "d_model": len(axis),
        "d_head": 1,
        "d_mlp": max(d_mlp, 1),
        "n_ctx": len(pairs[0].clean),
        "d_vocab": len(recipe.tokens),
        "d_vocab_out": 2,
        "act_fn": "relu",
        "attention_dir": "causal",
        "normalization_type": None,
    }

    def vector(form: Form) -> Tensor:
        values = torch.zeros(len(axis), dtype=torch.float64)
        for name, value in form.items():
            values[axis[name]] = value
        return values

    weights = {name: torch.zeros(shape).double() for name, shape in _shapes(config)}
    weights["tok_embed.weight"] = torch.stack([vector(token) for token in recipe.tokens])
    weights["head.weight"][0] = vector(recipe.metric)
    for head in recipe.heads:
        at = f"layers.{head.layer}.attn"
        weights[f"{at}.q.weight"][head.head] = vector(head.query)
        weights[f"{at}.k.weight"][head.head] = vector(head.key)
        weights[f"{at}.v.weight"][head.head] = vector(head.value)
        weights[f"{at}.o.weight"][:, head.head] = vector(head.write)
    for layer in layers:
        for i, neuron in enumerate(n for n in recipe.neurons if n.layer == layer):
            weights[f"layers.{layer}.mlp.fc_in.weight"][i] = vector(neuron.read)
            weights[f"layers.{layer}.mlp.fc_in.bias"][i] = neuron.bias
            weights[f"layers.{layer}.mlp.fc_out.weight"][:, i] = vector(neuron.write)
    circuit = {f"heads.L{h.layer}.H{h.head}": f"{dict(h.value)}" for h in recipe.heads}
    circuit |= {f"mlp.L{n.layer}": "neurons" for n in recipe.neurons}
    return KnownModel(
        name=recipe.name,
        about=recipe.about,
        config=config,
        weights=weights,
        circuit=circuit,
        pairs=tuple(pairs),
    )


def _shapes(config: Mapping[str, int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    model, heads, hidden = config["d_model"], config["n_heads"], config["d_mlp"]
    yield "tok_embed.weight", (config["d_vocab"], model)
    yield "pos.weight", (config["n_ctx"], model)
    yield "head.weight", (2, model)
    for layer in range(config["n_layers"]):
        at = f"layers.{layer}"
        for name in "qkv":
            yield f"{at}.attn.{name}.weight", (heads, model)
            yield f"{at}.attn.{name}.bias", (heads,)
        yield f"{at}.attn.o.weight", (model, heads)
        yield f"{at}.attn.o.bias", (model,)
        yield f"{at}.mlp.fc_in.weight", (hidden, model)
        yield f"{at}.mlp.fc_in.bias", (hidden,)
        yield f"{at}.mlp.fc_out.weight", (model, hidden)
        yield f"{at}.mlp.fc_out.bias", (model,)


def _pair(clean: tuple[int, ...], corrupted: tuple[int, ...], effects: Form) -> Pair:
    return Pair(
        clean=(BOS, *clean),
        corrupted=(BOS, *corrupted),
        read=len(clean),
        answer=0,
        foil=1,
        effects=effects,
    )


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def saturated() -> KnownModel:
    """A head whose query, or key, turns attention from one end to the other.

    Prompts are BOS, a thing to look at, the one who looks. Scores are query times key; BOS and
    the looker have key 0, so the thing is attended with p = e^s / (e^s + 2), and the output is
    p times its value 1. A second head, in the same layer, copies the mean of what it sees; what
    comes after them is linear. Query 20 -> -20 (case A1 of the paper's failure), key 30 -> -30
    (A2), and query 0 -> 8, which AtP over-estimates (A1b).
    """
    thing, far, strong, weak = 1, 2, 3, 4
    looks, away, idle, eager, plain = 5, 6, 7, 8, 9
    tokens: list[Form] = [
        {},
        {"key": 1.0, "value": 1.0},
        {"key": 1.0, "value": 0.25},
        {"key": 30.0, "value": 1.0},
        {"key": -30.0, "value": 1.0},
        {"query": 20.0},
        {"query": -20.0},
        {"query": 0.0},
        {"query": 8.0},
        {"query": 1.0},
    ]
    recipe = Recipe(
        name="saturated",
        about="a head whose attention is saturated",
        n_layers=2,
        tokens=tokens,
        heads=[
            Head(
                layer=0,
                head=0,
                query={"query": 1.0},
                key={"key": 1.0},
                value={"value": 1.0},
                write={"out": 1.0},
            ),
            Head(layer=0, head=1, value={"value": 1.0}, write={"out": 0.3}),
            Head(layer=1, head=1, value={"out": 1.0}, write={"aside": 1.0}),
        ],
        neurons=[Neuron(layer=1, read={"out": 1.0}, write={"out": 0.5})],
        metric={"out": 1.0},
    )

    def share(score: float) -> float:
        return math.exp(score) / (math.exp(score) + 2)

    # What is written to `out` counts 1.5 times: the MLP adds half of it while it is positive.
    def turned(part: str, before: float, after: float) -> Pair:
        change = 1.5 * (share(after) - share(before))
        clean, corrupted = {
            "q": ((thing, looks), (thing, away)),
            "k": ((strong, plain), (weak, plain)),
            "over": ((thing, idle), (thing, eager)),
        }[part]
        node = "heads.k.L0.H0@1" if part == "k" else "heads.q.L0.H0@2"
        effects = {node: change, "heads.z.L0.H0@2": change, "mlp.L1@2": change / 3}
        return _pair(clean, corrupted, effects)

    value = _pair(
        (thing, looks),
        (far, looks),
        {
            "heads.v.L0.H0@1": 1.5 * share(20) * -0.75,
            "heads.z.L0.H0@2": 1.5 * share(20) * -0.75,
            "heads.v.L0.H1@1": 1.5 * 0.3 * -0.75 / 3,
            "heads.z.L0.H1@2": 1.5 * 0.3 * -0.75 / 3,
            "mlp.L1@2": 0.5 * (share(20) + 0.1) * -0.75,
        },
    )
    pairs = [turned("q", 20, -20), turned("k", 30, -30), turned("over", 0, 8), value]
    return built(recipe, pairs)


def cancelling() -> KnownModel:
    """Heads whose direct path and whose path through the next layer cancel.

    Head 0 writes n, and the MLP of layer 1 takes relu(n) away again: n - relu(n) is 0 while n
    is positive, whatever n is (B1). Head 1 writes b, which nobody takes away. Head 2 writes m,
    which a head of layer 1 takes away whatever it is: it has no effect at all (B3). Layer 2
    does nothing (B1c). Attention is uniform over BOS and the one token, so writes are doubled.
    """
    tokens: list[Form] = [
        {},
        {"n_in": 1.0, "b_in": 1.0, "m_in": 1.0},
        {"n_in": -3.0, "b_in": 1.0, "m_in": 1.0},
        {"n_in": 1.0, "b_in": 0.2, "m_in": 1.0},
        {"n_in": 1.0, "b_in": 1.0, "m_in": -2.0},
    ]
    recipe = Recipe(
        name="cancelling",
        about="heads whose direct and indirect paths cancel",
        n_layers=3,
        tokens=tokens,
        heads=[
            Head(layer=0, head=0, value={"n_in": 1.0}, write={"n": 2.0}),
            Head(layer=0, head=1, value={"b_in": 1.0}, write={"b": 2.0}),
            Head(layer=0, head=2, value={"m_in": 1.0}, write={"m": 2.0, "m_sent": 2.0}),
            Head(layer=1, head=0, value={"m_sent": 1.0}, write={"m": -2.0}),
        ],
        neurons=[Neuron(layer=1, read={"n": 1.0}, write={"n": -1.0})],
        metric={"n": 1.0, "b": 1.0, "m": 1.0},
    )
    pairs = [
        _pair(
            (1,),
            (2,),
            {"heads.v.L0.H0@1": -3.0, "heads.z.L0.H0@1": -3.0, "mlp.L1@1": 1.0},
        ),
        _pair((1,), (3,), {"heads.v.L0.H1@1": -0.8, "heads.z.L0.H1@1": -0.8}),
        # m is taken away wherever it comes from; the head that takes it has an effect itself.
        _pair((1,), (4,), {"heads.v.L1.H0@1": 3.0, "heads.z.L1.H0@1": 3.0}),
    ]
    return built(recipe, pairs)


def small_effect() -> KnownModel:
    """A few nodes of middling effect that AtP puts behind dozens of small ones.

    Beside one large head and many small linear ones (effects 0.005 to 0.05) there are a head
    whose n passes as n - 0.999 relu(n - 0.5): 1 -> 0.2 is an effect of 0.3, but a slope of
    0.001; and a head with a query of 12 -> -12 and a value of 0.4.
    """
    random = Random(0)
    small = [(layer, head) for layer in range(3) for head in range(3, 9)]
    sizes = {place: random.uniform(0.005, 0.05) for place in small}
    recipe = Recipe(
        name="small_effect",
        about="nodes of middling effect among many small ones",
        n_layers=3,
        tokens=[
            {},
            {"key": 1.0, "seen": 0.4},
            {"big": 5.0, "n_in": 1.0, "query": 12.0, "x": 1.0},
            {"big": 1.0, "n_in": 0.2, "query": -12.0, "x": -1.0},
        ],
        heads=[
            Head(layer=0, head=0, value={"big": 1.0}, write={"out": 3.0}),
            Head(layer=0, head=1, value={"n_in": 1.0}, write={"n": 3.0}),
            Head(
                layer=0,
                head=2,
                query={"query": 1.0},
                key={"key": 1.0},
                value={"seen": 1.0},
                write={"out": 1.0},
            ),
            *(
                Head(layer=layer, head=head, value={"x": 1.0}, write={"out": 1.5 * size})
                for (layer, head), size in sizes.items()
            ),
        ],
        neurons=[Neuron(layer=1, read={"n": 1.0}, bias=-0.5, write={"n": -0.999})],
        metric={"out": 1.0, "n": 1.0},
    )
    passed = 0.2 - (1.0 - 0.999 * 0.5)
    turned = 0.4 * (math.exp(-12) / (math.exp(-12) + 2) - math.exp(12) / (math.exp(12) + 2))
    effects = {
        "heads.v.L0.H0@2": -4.0,
        "heads.z.L0.H0@2": -4.0,
        "heads.v.L0.H1@2": passed,
        "heads.z.L0.H1@2": passed,
        "mlp.L1@2": 0.999 * 0.5,
        "heads.q.L0.H2@2": turned,
        "heads.z.L0.H2@2": turned,
    }
    for (layer, head), size in sizes.items():
        # A third of -2, times 1.5.
        effects[f"heads.v.L{layer}.H{head}@2"] = -size
        effects[f"heads.z.L{layer}.H{head}@2"] = -size
    return built(recipe, [_pair((1, 2), (1, 3), effects)])


HAND_BUILT = {"saturated": saturated, "cancelling": cancelling, "small_effect": small_effect}
