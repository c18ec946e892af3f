"""`resid.pre`: the residual stream at a layer's input."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

RESIDUAL_PRE = NodeKind(
    name="resid.pre",
    summary="the residual stream at a layer's input",
    unit=Unit.VECTOR,
    read="blocks.{layer}.hook_resid_pre",
    write="blocks.{layer}.hook_resid_pre",
    stage=0,
    role=Role.STREAM,
)
