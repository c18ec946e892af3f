"""How much memory the activations of a plan take, roughly, beside the model's weights."""

from __future__ import annotations

from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.ops import (
    Backward,
    Drop,
    Forward,
    PatchChosen,
    PatchOn,
    PatchSets,
    Place,
    operands,
)
from atpdsl.planning.plan import Plan, walk

ITEM_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
# Tensors of the residual stream's width that a block keeps for its backward pass, and of the
# MLP's width; counted in the blocks of Hugging Face's GPT-2 and Llama.
STREAM_TENSORS, MLP_TENSORS = 16, 3
# What allocators take beyond it: measured 1.2 to 1.3 on four plans.
SLACK = 1.25
# Tensors of the attention pattern's size while the QK fix of a layer's keys is computed.
PATTERNS = 10
_STREAMED = {Drop.EVERY_LAYER, Drop.EVERY_SUBLAYER}


def activation_bytes(plan: Plan) -> int:
    """The most bytes of activations alive at once, within a fifth or so.

    What the verification needs is kept for all batches; all else for one batch at a time.
    """
    forwards = [op for op in walk(plan) if isinstance(op, Forward)]
    kept = {
        operand
        for op in walk(plan)
        if isinstance(op, PatchChosen | PatchSets | PatchOn)
        for operand in operands(op)
        if isinstance(operand, Forward)
    }
    held = sum(_captured(op, plan) for op in kept)
    streamed = {
        op.measure.forward: len(set(op.drops) & _STREAMED)
        for op in walk(plan)
        if isinstance(op, Backward)
    }
    by_batch = [
        sum(
            _working(op, plan, streamed.get(op, 0))
            for op in forwards
            if op.batch == batch.number
        )
        for batch in plan.batches
    ]
    return int(SLACK * (held + max(max(by_batch, default=0), _patched_run(plan))))


def _captured(op: Forward, plan: Plan) -> int:
    """Bytes of the activations that a run keeps."""
    return sum(_width(place, plan) for place in op.captures) * _tokens(op, plan) * _item(plan)


def _working(op: Forward, plan: Plan, streams: int) -> int:
    """Bytes while a run's batch is worked on: captures, and the graph and its gradients.

    GradDrop carries as many gradients through the first block as there are layers; that is as
    much as the graph of all blocks. `streams` counts the kinds of drops that do.
    """
    captured = _captured(op, plan) + _attention(op, plan)
    if not op.tracked:
        return captured
    shape = plan.bound.shape
    length = plan.bound.pairs.longest
    per_token = shape.n_layers * (
        STREAM_TENSORS * shape.d_model + MLP_TENSORS * shape.d_mlp + 2 * shape.n_heads * length
    )
    graphs = per_token * _tokens(op, plan) * _item(plan)
    return 2 * captured + (1 + streams) * graphs


def _attention(op: Forward, plan: Plan) -> int:
    """Bytes of the attention that is kept for the QK fix: queries, keys, values, scores."""
    shape = plan.bound.shape
    heads = 2 * shape.n_heads + 2 * shape.n_kv_heads
    per_token = heads * shape.d_head + shape.n_heads * plan.bound.pairs.longest
    kept = len(op.attention) * per_token
    # One layer's at a time while the fix of its keys is computed.
    fixing = PATTERNS * shape.n_heads * plan.bound.pairs.longest if op.attention else 0
    return (kept + fixing) * _tokens(op, plan) * _item(plan)


def _patched_run(plan: Plan) -> int:
    """Bytes of one run with a node per row: one block at a time, and the logits."""
    shape, length = plan.bound.shape, plan.bound.pairs.longest
    per_token = STREAM_TENSORS * shape.d_model + MLP_TENSORS * shape.d_mlp
    block = (per_token + 2 * shape.n_heads * length) * length
    # The logits twice more in float64, for the metric.
    logits = 5 * shape.d_vocab
    return plan.rows_per_call * (block + logits) * _item(plan)


def _width(place: Place, plan: Plan) -> int:
    shape = plan.bound.shape
    return {
        Unit.HEAD: shape.n_heads * shape.d_head,
        Unit.KV_HEAD: shape.n_kv_heads * shape.d_head,
        Unit.NEURON: shape.d_mlp,
        Unit.VECTOR: shape.d_model,
    }[NODE_KINDS[place.kind].unit]


def _tokens(op: Forward, plan: Plan) -> int:
    return len(plan.batches[op.batch].pairs) * plan.bound.pairs.longest


def _item(plan: Plan) -> int:
    return ITEM_BYTES[plan.bound.experiment.model.dtype]
