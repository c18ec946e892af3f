"""Where the compiler puts the parts of a program: which head and MLP computes what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tracr.compiler import (
    basis_inference,
    compiling,
    craft_graph_to_model,
    expr_to_craft_graph,
    nodes,
    rasp_to_graph,
)
from tracr.craft import bases, transformers
from tracr.rasp import rasp

from training.tracr.programs import Program


@dataclass(frozen=True, slots=True)
class Head:
    """A head and the expression (an aggregate or a selector width) that it computes."""

    layer: int
    head: int
    expression: str


@dataclass(frozen=True, slots=True)
class Mlp:
    """An MLP and the expressions that it computes."""

    layer: int
    expressions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The heads and MLPs that a program uses; all others have zero weights."""

    heads: tuple[Head, ...]
    mlps: tuple[Mlp, ...]


def layout(program: Program) -> Layout:
    """The same first steps as `compile_rasp_to_model`, which keeps no record of them."""
    extracted = rasp_to_graph.extract_rasp_graph(program.sop)
    graph = extracted.graph
    basis_inference.infer_bases(graph, extracted.sink, set(program.vocabulary), program.length)
    bos = bases.BasisDirection(rasp.tokens.label, compiling.COMPILER_BOS)
    expr_to_craft_graph.add_craft_components_to_rasp_graph(graph, bos_dir=bos)
    allocated = craft_graph_to_model._allocate_modules_to_layers(graph, extracted.sources)
    halves: dict[int, list[str]] = defaultdict(list)
    for label, half in allocated.items():
        block = graph.nodes[label].get(nodes.MODEL_BLOCK)
        if isinstance(block, transformers.SeriesWithResiduals):
            # A selector width: a head, and an MLP in the half layer after it.
            halves[half].append(label)
            halves[half + 1].append(label)
        elif block is not None:
            halves[half].append(label)
    return _numbered(halves)


def _numbered(halves: dict[int, list[str]]) -> Layout:
    """Half layers in order, each in the first layer where its kind is still free."""
    heads: list[Head] = []
    mlps: list[Mlp] = []
    free = 0
    for half, labels in sorted(halves.items()):
        while free % 2 != half % 2:
            free += 1
        layer = free // 2
        if half % 2:
            mlps.append(Mlp(layer, tuple(labels)))
        else:
            heads += [Head(layer, number, label) for number, label in enumerate(labels)]
        free += 1
    return Layout(tuple(heads), tuple(mlps))


def expressions(program: Program) -> dict[str, Any]:
    """Every expression of the program by its label."""
    graph = rasp_to_graph.extract_rasp_graph(program.sop).graph
    return {label: node[nodes.EXPR] for label, node in graph.nodes.items()}
