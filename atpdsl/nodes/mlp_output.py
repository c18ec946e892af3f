"""`mlp`: what a layer's MLP adds to the residual stream."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

MLP_OUTPUT = NodeKind(
    name="mlp",
    summary="what a layer's MLP adds to the residual stream",
    unit=Unit.VECTOR,
    read="blocks.{layer}.hook_mlp_out",
    write="blocks.{layer}.hook_mlp_out",
    stage=6,
    role=Role.READS_AND_WRITES,
)
