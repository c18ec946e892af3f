"""`attn`: what a layer's attention adds to the residual stream."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

ATTENTION_OUTPUT = NodeKind(
    name="attn",
    summary="what a layer's attention adds to the residual stream",
    unit=Unit.VECTOR,
    read="blocks.{layer}.hook_attn_out",
    write="blocks.{layer}.hook_attn_out",
    stage=3,
    role=Role.WRITES,
)
