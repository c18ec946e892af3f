"""`resid.post`: the residual stream at a layer's output."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

RESIDUAL_POST = NodeKind(
    name="resid.post",
    summary="the residual stream at a layer's output",
    unit=Unit.VECTOR,
    read="blocks.{layer}.hook_resid_post",
    write="blocks.{layer}.hook_resid_post",
    stage=7,
    role=Role.STREAM,
)
