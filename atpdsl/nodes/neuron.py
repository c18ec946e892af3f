"""`neurons`: an MLP neuron after its activation function."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

NEURON = NodeKind(
    name="neurons",
    summary="an MLP neuron after its activation function",
    unit=Unit.NEURON,
    read="blocks.{layer}.mlp.hook_post",
    write="blocks.{layer}.mlp.hook_post",
    stage=5,
    role=Role.READS_AND_WRITES,
)
